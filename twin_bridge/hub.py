"""All WebSocket clients: who may join, and what reaches each of them."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shared.observability.metrics import TWIN_CLIENTS
from twin_bridge.client_slot import ClientSlot
from twin_bridge.protocol import Message
from twin_bridge.state import DeviceTable

MAX_PER_ADDRESS = 256
"""Connections from one address; loopback is exempt, because a reverse proxy looks like one client there."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class HubFull(Exception):
    """No more connections; the text is for the client."""


class Hub:
    """Holds the clients; the table is only read."""

    def __init__(self, table: DeviceTable, max_clients: int) -> None:
        self._table = table
        self._max_clients = max_clients
        self._clients: set[ClientSlot] = set()
        self._addresses: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._clients)

    @contextmanager
    def join(self, address: str) -> Iterator[ClientSlot]:
        """A slot for one connection, for as long as it lasts. Raises `HubFull`."""
        if len(self._clients) >= self._max_clients:
            raise HubFull("The bridge has all the clients it takes (TWIN__MAX_CLIENTS). Try again later.")
        if address not in _LOOPBACK and self._addresses[address] >= MAX_PER_ADDRESS:
            raise HubFull(f"There are {MAX_PER_ADDRESS} connections from this address already.")
        slot = ClientSlot(self._table)
        self._clients.add(slot)
        self._addresses[address] += 1
        TWIN_CLIENTS.inc()
        try:
            yield slot
        finally:
            self._clients.discard(slot)
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            TWIN_CLIENTS.dec()

    def changed(self, device_id: str) -> None:
        for client in self._clients:
            client.changed(device_id)

    def removed(self, device_id: str) -> None:
        for client in self._clients:
            client.removed(device_id)

    def tell(self, message: Message) -> None:
        """Say the same to every client that has been welcomed."""
        for client in self._clients:
            if client.welcomed:
                client.say(message)
