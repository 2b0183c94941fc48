"""What reaches a client: shared frames for those who keep up, the newest state for the others, every gap explained."""

import asyncio
import json
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import permutations
from typing import Any

import pytest

from tests.unit.twin.test_state import take
from twin_bridge import client_slot
from twin_bridge.client_slot import ClientSlot
from twin_bridge.hub import Hub
from twin_bridge.outlet import Frame
from twin_bridge.protocol import Pong, Status
from twin_bridge.state import DeviceTable

ANSWER = Pong(ts=1, now=2, seq=3)


class Paper:
    """An outlet that keeps what is written on it; `has_room` is the test's to decide."""

    def __init__(self) -> None:
        self.on_room: Callable[[], None] = lambda: None
        self.has_room = True
        self.frames: list[Frame] = []
        self.aborted = False
        self._written_on = asyncio.Event()

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)
        self._written_on.set()

    async def written_on(self) -> None:
        """Wait for the next frame."""
        self._written_on.clear()
        async with asyncio.timeout(5):
            await self._written_on.wait()

    async def written(self) -> None:
        pass

    def abort(self) -> None:
        self.aborted = True

    def read(self) -> list[dict[str, Any]]:
        """The messages since the last look."""
        messages = [json.loads(frame.text) for frame in self.frames]
        self.frames.clear()
        return messages

    def make_room(self) -> None:
        self.has_room = True
        self.on_room()


class SlowPaper(Paper):
    """An outlet whose sends take long enough for a tick to be long."""

    def write(self, frame: Frame) -> None:
        time.sleep(0.4)
        super().write(frame)


class World:
    """A table of lamps, its hub, and clients that have read their snapshots."""

    def __init__(self, devices: str = "ab") -> None:
        self.table = DeviceTable()
        for device_id in devices:
            take(self.table, device_id, on=False)
        self.hub = Hub(self.table, max_clients=100)
        self._places = ExitStack()

    def client(
        self, devices: tuple[str, ...] = (), max_hz: int = 0, kind: type[Paper] = Paper
    ) -> tuple[ClientSlot, Paper]:
        paper = kind()
        slot = self._places.enter_context(self.hub.join("127.0.0.1", paper))
        self.hub.watch(slot, devices, max_hz, self.table.since("", 0))
        assert [message["t"] for message in paper.read()] == ["snapshot"]
        return slot, paper

    def change(self, device_id: str, bri: float) -> None:
        take(self.table, device_id, bri=bri)
        self.hub.changed(device_id)

    def remove(self, device_id: str) -> None:
        self.table.remove(device_id)
        self.hub.removed(device_id)


async def turn() -> None:
    """Let the event loop come round, as it does between two batches of MQTT messages."""
    await asyncio.sleep(0)


@pytest.fixture
async def world() -> World:
    return World()


async def test_clients_of_one_view_get_the_very_same_frame_and_it_tells_the_whole_tick(world: World):
    (_, one), (_, two), (_, other) = world.client(), world.client(), world.client(devices=("b",))
    for n in range(5):
        world.change("a", n / 10)
    world.change("b", 1)
    await turn()
    assert one.frames[0] is two.frames[0]
    (message,) = one.read()
    assert (message["seq"], message["skipped"], [lamp["id"] for lamp in message["devices"]]) == (8, 4, ["a", "b"])
    (message,) = other.read()
    assert (message["skipped"], [lamp["id"] for lamp in message["devices"]]) == (0, ["b"])


async def test_who_has_no_room_gets_the_newest_state_later_and_nobody_waits_for_it(world: World):
    (_, slow), (_, healthy) = world.client(), world.client()
    slow.has_room = False
    for n in range(10):
        world.change("a", n / 10)
        await turn()
    assert len(healthy.read()) == 10
    assert slow.read() == []
    slow.make_room()
    (message,) = slow.read()
    assert (message["seq"], message["skipped"]) == (12, 9)
    assert message["devices"][0]["state"]["bri"] == pytest.approx(0.9)


async def test_what_waits_for_a_slow_client_is_sent_even_if_nobody_says_that_there_is_room(world: World):
    _, slow = world.client()
    slow.has_room = False
    world.change("a", 0.5)
    await turn()
    slow.has_room = True  # and no call of on_room
    await slow.written_on()


async def test_a_client_that_comes_in_the_middle_of_a_tick_gets_nothing_twice_and_misses_nothing(world: World):
    world.client(max_hz=50)
    world.change("a", 0.1)
    await turn()
    for n in range(3):
        world.change("a", n / 10)  # waits for the tick
    world.change("b", 0.5)
    _, late = world.client(max_hz=50)
    start = world.table.seq
    world.change("a", 0.7)
    await late.written_on()
    (message,) = late.read()
    assert [lamp["id"] for lamp in message["devices"]] == ["a"]
    assert message["seq"] - start == message["skipped"] + len(message["devices"]) == 1


async def test_no_seq_is_told_before_everything_up_to_it(world: World):
    """A slow client gets room between a change and its tick: what it gets then must not claim the change of another."""
    _, slow = world.client()
    slow.has_room = False
    world.change("a", 0.1)
    await turn()
    world.change("b", 0.2)
    world.change("a", 0.3)
    slow.make_room()
    assert slow.read() == []
    await turn()
    (message,) = slow.read()
    assert (message["seq"], {lamp["id"] for lamp in message["devices"]}) == (5, {"a", "b"})


async def test_a_removal_is_told_before_the_news_of_others_so_that_no_seq_skips_it(world: World):
    """The removal is the older one of two events: who is cut off between their messages resumes before both."""
    (_, slow), (_, healthy) = world.client(), world.client()
    slow.has_room = False
    world.change("b", 0.5)
    world.remove("b")
    world.change("a", 0.5)
    await turn()
    slow.make_room()
    for paper in (slow, healthy):
        farewell, state = paper.read()
        assert (farewell["t"], farewell["removed"], farewell["full"], farewell["seq"]) == ("snapshot", ["b"], False, 4)
        assert ([lamp["id"] for lamp in state["devices"]], state["seq"]) == (["a"], 5)


async def test_a_client_cut_off_after_any_message_resumes_without_a_ghost():
    for order in permutations(["change a", "change b", "remove c", "remove d"]):
        world = World("abcd")
        (_, slow), (_, healthy) = world.client(), world.client()
        slow.has_room = False
        for step in order:
            what, device_id = step.split()
            if what == "remove":
                world.remove(device_id)
            else:
                world.change(device_id, 0.5)
        await turn()
        slow.make_room()
        for paper in (slow, healthy):
            told: set[str] = set()
            for message in paper.read():
                told |= {*message.get("removed", ()), *(lamp["id"] for lamp in message["devices"])}
                rest = world.table.since(world.table.epoch, message["seq"])
                assert told | {*rest.devices, *rest.removed} == set("abcd"), order


async def test_a_removal_outdates_the_news_that_waited(world: World):
    _, slow = world.client()
    slow.has_room = False
    world.change("a", 0.5)
    await turn()
    world.remove("a")
    slow.make_room()
    await turn()
    assert [message["removed"] for message in slow.read()] == [["a"]]


async def test_max_hz_gives_one_message_per_tick(world: World):
    _, calm = world.client(max_hz=20)
    loop = asyncio.get_running_loop()
    started = loop.time()
    changes = 0
    while loop.time() < started + 0.3:
        changes += 1
        world.change("a", changes % 100 / 100)
        await asyncio.sleep(0.002)
    messages = calm.read()
    assert 2 <= len(messages) <= 7, "20 a second, of a third of a second"
    assert changes - 60 <= sum(1 + message["skipped"] for message in messages) <= changes


async def test_a_client_that_confirms_gets_a_window_and_its_answers_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(client_slot, "SEEN_WINDOW", 2)
    slot, paper = world.client()
    slot.seen(0)
    for n in range(4):
        world.change("a", (n + 1) / 10)
        await turn()
    states = paper.read()
    assert len(states) == 2
    slot.say(ANSWER)
    assert [message["t"] for message in paper.read()] == ["pong"]
    slot.seen(states[-1]["seq"])
    (message,) = paper.read()
    assert (message["skipped"], message["devices"][0]["state"]["bri"]) == (1, pytest.approx(0.4))


async def test_a_client_that_reads_no_answers_is_let_go(world: World):
    slot, paper = world.client()
    paper.has_room = False
    for _ in range(client_slot.MAX_ANSWERS + 1):
        slot.say(ANSWER)
    assert slot.goodbye
    assert slot.goodbye.code == 1013
    assert slot.over.done()


async def test_a_client_that_takes_nothing_for_long_is_let_go(world: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(client_slot, "STUCK_SECONDS", 0.02)
    slot, paper = world.client()
    paper.has_room = False
    world.change("a", 0.5)
    async with asyncio.timeout(5):
        await slot.over
    assert slot.goodbye
    assert slot.goodbye.code == 1013


async def test_what_waits_for_a_stalled_client_does_not_grow(world: World):
    slot, paper = world.client()
    paper.has_room = False
    for n in range(5000):
        world.change("ab"[n % 2], n % 100 / 100)
        if n % 10 == 0:
            await turn()
    await turn()
    assert len(slot._dirty) == 2
    assert not paper.frames


async def test_everybody_welcomed_hears_of_the_broker(world: World):
    (_, one), (_, two) = world.client(), world.client(max_hz=5)
    world.hub.tell(Status(broker=False, reason="gone", now=1))
    assert [message["t"] for paper in (one, two) for message in paper.read()] == ["status", "status"]


async def test_views_go_with_their_last_client(world: World):
    paper = Paper()
    with world.hub.join("127.0.0.1", paper) as slot:
        world.hub.watch(slot, ["a"], 30, world.table.since("", 0))
        world.hub.watch(slot, ["b"], 30, world.table.since("", 0))
        assert len(world.hub._views) == 1
    assert len(world.hub) == len(world.hub._views) == 0


async def test_in_a_run_a_tick_waits_for_as_many_changes_as_the_last_one_told(world: World):
    _, paper = world.client(kind=SlowPaper)
    world.change("a", 0.1)
    world.change("b", 0.1)
    await paper.written_on()
    paper.read()
    world.change("a", 0.2)
    await turns(10)
    assert not paper.frames, "the tick did not wait for the second change"
    world.change("b", 0.2)
    await turns(2)
    (message,) = paper.read()
    assert [device["id"] for device in message["devices"]] == ["a", "b"]


async def test_a_change_that_stays_alone_in_its_run_is_told_all_the_same(world: World):
    _, paper = world.client(kind=SlowPaper)
    world.change("a", 0.1)
    world.change("b", 0.1)
    await paper.written_on()
    world.change("a", 0.2)
    await paper.written_on()


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_left_is_told_nothing_and_not_tried_again(world: World):
    paper = Paper()
    with world.hub.join("127.0.0.1", paper) as slot:
        world.hub.watch(slot, [], 0, world.table.since("", 0))
    paper.read()
    slot.say(ANSWER)  # the end of a command that it sent
    assert paper.read() == []
    paper.has_room = False
    slot.say(ANSWER)
    paper.make_room()
    assert (paper.read(), world.hub._again) == ([], set())
