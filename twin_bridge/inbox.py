"""Messages that wait for the event loop: a queue with an end, in number and in bytes."""

import time
from collections import deque
from dataclasses import dataclass

from shared.observability.metrics import TWIN_BAD_PAYLOADS
from twin_bridge.lamps.protocol import longest

MAX_WAITING = 10_000
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""Beyond either the oldest messages are dropped, and counted."""


@dataclass(frozen=True)
class Incoming:
    topic: str
    payload: bytes
    retained: bool
    """It was stored at the broker, not said just now."""
    at: float
    """When it arrived, on the monotonic clock."""


class Inbox:
    """Not safe between threads: its owner holds a lock."""

    def __init__(self) -> None:
        self._messages: deque[Incoming] = deque()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, topic: str, payload: bytes | bytearray, *, retained: bool) -> None:
        """Keep a message; of one that is too long just enough to see that it is."""
        message = Incoming(topic, bytes(payload[: longest(topic) + 1]), retained, time.monotonic())
        self._messages.append(message)
        self._bytes += len(message.payload)
        while len(self._messages) > MAX_WAITING or self._bytes > MAX_WAITING_BYTES:
            TWIN_BAD_PAYLOADS.labels("overrun").inc()
            self._bytes -= len(self._messages.popleft().payload)

    def take(self, most: int) -> list[Incoming]:
        """Take out the oldest messages, at most so many."""
        batch = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        self._bytes -= sum(len(message.payload) for message in batch)
        return batch
