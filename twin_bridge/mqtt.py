"""What the bridge says to the broker, and hears from it: subscriptions, confirmed commands, its own status."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from shared.errors import Unavailable
from shared.observability.logs import get_logger
from twin_bridge.broker_connection import BrokerConnection
from twin_bridge.broker_url import read_broker_url
from twin_bridge.inbox import Inbox, Incoming

log = get_logger(__name__)

MAX_BATCH = 500
"""Messages handled in one turn of the loop, so that clients are served in between."""
MAX_TOPICS = 100
"""Topics in one SUBSCRIBE; brokers limit the size of a packet."""
STOP_SECONDS = 1.0


class Listener(Protocol):
    """Called on the event loop."""

    def on_messages(self, batch: Sequence[Incoming]) -> None: ...
    def on_broker(self, connected: bool, reason: str) -> None: ...


class MqttLink:
    """One broker, reconnected for ever; subscriptions are renewed with each connection.

    Raises `Unavailable` if `url` is not one that `read_broker_url` understands.
    `twin/v1/bridge/<name>/status` says `online` or, by last will, `offline`; retained.
    """

    def __init__(self, url: str, name: str, subscriptions: Sequence[str]) -> None:
        self.connected = False
        self._subscriptions = dict.fromkeys(subscriptions)
        self._status_topic = f"twin/v1/bridge/{name}/status"
        self._connection = BrokerConnection(read_broker_url(url), name, self._status_topic)
        self._inbox = Inbox()
        self._signals: deque[Callable[[], None]] = deque()
        self._woken = self._stopping = False
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._last_subscription: int | None = None
        """Its confirmation makes a new connection complete: before, a lamp's answer could pass unheard."""

    def start(self, listener: Listener) -> None:
        """Connect in the background and go on trying; call on the event loop that will hear of everything."""
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._connection.start(self)

    async def stop(self) -> None:
        """Say goodbye to the broker; the listener hears nothing of it."""
        self._stopping = True
        if self.connected:
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await self.publish(self._status_topic, b"offline", retain=True)
            except (TimeoutError, Unavailable) as error:
                log.info("mqtt_goodbye_not_confirmed", reason=str(error))
        await self._connection.stop()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> "asyncio.Future[None]":
        """Publish with QoS 1; the future ends with PUBACK, or with `Unavailable` when the connection is lost first.

        Nothing is kept for later: a lamp must not switch when the broker comes back. Raises `Unavailable` if it is
        away already.
        """
        if not self.connected:
            raise Unavailable("The MQTT broker is not connected.")
        mid = self._connection.publish(topic, payload, retain=retain)
        future = self._unconfirmed[mid] = self._loop.create_future()
        return future

    def subscribe(self, topics: Iterable[str]) -> None:
        """Listen to more topics, from now on and after each reconnect; what is retained there comes again."""
        if new := tuple(topics):
            self._subscriptions.update(dict.fromkeys(new))
            self._subscribe(new)

    def unsubscribe(self, topics: Iterable[str]) -> None:
        if old := list(topics):
            for topic in old:
                self._subscriptions.pop(topic, None)
            self._connection.unsubscribe(old)

    def _subscribe(self, topics: Sequence[str]) -> int | None:
        last = None
        for start in range(0, len(topics), MAX_TOPICS):
            last = self._connection.subscribe(topics[start : start + MAX_TOPICS])
        return last

    # --- from the connection: noted, and handled in the next turn of the loop ---

    def on_accepted(self) -> None:
        self._last_subscription = self._subscribe(tuple(self._subscriptions))
        if self._last_subscription is None:  # there are none
            self._post(self._found)

    def on_lost(self, reason: str) -> None:
        self._post(partial(self._lost, reason))

    def on_confirmed(self, mid: int, failure: str) -> None:
        self._post(partial(self._confirmed, mid, failure))

    def on_message(self, topic: str, payload: bytes, *, retained: bool) -> None:
        self._inbox.put(topic, payload, retained=retained)
        self._wake()

    def _post(self, signal: Callable[[], None]) -> None:
        self._signals.append(signal)
        self._wake()

    def _wake(self) -> None:
        if not self._woken:
            self._woken = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._woken = False
        signals, self._signals = self._signals, deque()
        batch = self._inbox.take(MAX_BATCH)
        if self._inbox:
            self._wake()
        for signal in signals:
            signal()
        if batch:
            self._listener.on_messages(batch)

    def _found(self) -> None:
        self.connected = True
        self.publish(self._status_topic, b"online", retain=True).add_done_callback(_log_failure)
        self._listener.on_broker(True, "")

    def _lost(self, reason: str) -> None:
        self.connected, self._last_subscription = False, None
        unconfirmed, self._unconfirmed = self._unconfirmed, {}
        for future in unconfirmed.values():
            if not future.done():
                future.set_exception(Unavailable(f"The MQTT broker did not take the command: {reason}."))
        if not self._stopping:
            self._listener.on_broker(False, reason)

    def _confirmed(self, mid: int, failure: str) -> None:
        if mid == self._last_subscription:
            self._last_subscription = None
            self._found()
        future = self._unconfirmed.pop(mid, None)
        if future is None or future.done():
            return
        if failure:
            future.set_exception(Unavailable(f"The MQTT broker refused the message: {failure}."))
        else:
            future.set_result(None)


def _log_failure(future: "asyncio.Future[None]") -> None:
    if not future.cancelled() and (error := future.exception()):
        log.info("mqtt_status_not_published", reason=str(error))
