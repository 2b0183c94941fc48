"""All WebSocket clients: who may join, and what reaches each of them."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from shared.observability.metrics import TWIN_CLIENTS
from twin_bridge.client_slot import ClientSlot
from twin_bridge.outlet import Frame, Outlet
from twin_bridge.protocol import Message
from twin_bridge.state import Delta, DeviceTable
from twin_bridge.views import View

MAX_PER_ADDRESS = 256
"""Connections from one address; loopback is exempt, because a reverse proxy looks like one client there."""
AGAIN_SECONDS = 0.005
"""How soon a client that had no room is tried again. Its transport calls too, but not in every case."""
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


class HubFull(Exception):
    """No more connections; the text is for the client."""


class Hub:
    """Holds the clients by their views; the table is only read."""

    def __init__(self, table: DeviceTable, max_clients: int) -> None:
        self._table = table
        self._max_clients = max_clients
        self._views: dict[tuple[frozenset[str] | None, int], View] = {}
        self._again: set[ClientSlot] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._addresses: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._addresses.total()

    @contextmanager
    def join(self, address: str, outlet: Outlet) -> Iterator[ClientSlot]:
        """A slot for one connection, for as long as it lasts. Raises `HubFull`."""
        with self.admit(address), self.slot(outlet) as slot:
            yield slot

    @contextmanager
    def admit(self, address: str) -> Iterator[None]:
        """A place for one connection, whatever it wants to see. Raises `HubFull`."""
        if self._addresses.total() >= self._max_clients:
            raise HubFull("The bridge has all the clients it takes (TWIN__MAX_CLIENTS). Try again later.")
        if address not in _LOOPBACK and self._addresses[address] >= MAX_PER_ADDRESS:
            raise HubFull(f"There are {MAX_PER_ADDRESS} connections from this address already.")
        self._addresses[address] += 1
        TWIN_CLIENTS.inc()
        try:
            yield
        finally:
            self._addresses[address] -= 1
            if not self._addresses[address]:
                del self._addresses[address]
            TWIN_CLIENTS.dec()

    @contextmanager
    def slot(self, outlet: Outlet) -> Iterator[ClientSlot]:
        """What waits for one client that has a place."""
        slot = ClientSlot(self._table, outlet, self._call_again)
        try:
            yield slot
        finally:
            slot.leave()
            self._again.discard(slot)
            self._leave(slot)

    def watch(self, slot: ClientSlot, devices: Iterable[str], max_hz: int, delta: Delta) -> None:
        """Welcome a client: `delta` as its snapshot, then what changes of these devices (`*` or none for all), in at
        most `max_hz` messages a second (0: as they come). Again for a client that wants something else.

        Call it in the turn of the loop in which `delta` was made, so that no change can fall in between.
        """
        self._leave(slot)
        wanted = frozenset(devices)
        key = (None if not wanted or "*" in wanted else wanted, max_hz)
        view = self._views.get(key)
        if view is None:
            view = self._views[key] = View(self._table, *key)
        view.clients.add(slot)
        slot.start(view, delta)

    def changed(self, device_id: str) -> None:
        for view in self._views.values():
            view.changed(device_id)

    def removed(self, device_id: str) -> None:
        for view in self._views.values():
            view.removed(device_id)

    def tell(self, message: Message) -> None:
        """Say the same to every client that has been welcomed."""
        frame = Frame(message.model_dump_json())
        for view in self._views.values():
            for client in view.clients:
                client.say_frame(frame)

    def _leave(self, slot: ClientSlot) -> None:
        for key, view in self._views.items():
            if slot in view.clients:
                view.clients.discard(slot)
                if not view.clients:
                    view.close()
                    del self._views[key]
                return

    def _call_again(self, slot: ClientSlot) -> None:
        self._again.add(slot)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._try_again)

    def _try_again(self) -> None:
        self._timer = None
        slots, self._again = self._again, set()
        for slot in slots:
            slot.pump()
