"""What all families share: who reads a topic, ids, colours, what is asked, what waits."""

import asyncio
import itertools
from collections.abc import Sequence

import pytest

from shared.errors import Unavailable
from twin_bridge import inbox
from twin_bridge.client_messages import Wish
from twin_bridge.inbox import Inbox
from twin_bridge.lamps import colour
from twin_bridge.lamps.device_ids import device_id, is_device_id
from twin_bridge.lamps.families import Families
from twin_bridge.lamps.native import NativeLamps
from twin_bridge.lamps.protocol import BadPayload, Change, Outgoing, Reading, Report, Sighting
from twin_bridge.matching import matches
from twin_bridge.polling import ANSWER_SECONDS, Questions, SilenceWatch
from twin_bridge.protocol import Cap, LampState, Mode
from twin_bridge.state import DeviceTable


class TalkingLamps:
    """A family whose lamps are announced on one topic, then speak on topics of their own, and answer questions."""

    source = "talking"
    subscriptions: Sequence[str] = ("talk/+/hello",)
    quiet_seconds = 100.0
    announced_first = True
    tells_all = False

    def start(self) -> Reading:
        return Reading()

    def read(self, topic: str, payload: bytes) -> Reading:
        if payload == b"bad":
            raise BadPayload("talker", "bad_json")
        if topic.endswith("hello"):
            return Reading(subscribe=("talk/state",)) if payload else Reading(unsubscribe=("talk/state",))
        return Reading((Sighting("talker", report=Report(on=True)), Sighting("kettle", report=Report(on=True))))

    def write(self, device_id: str, change: Change) -> Sequence[Outgoing]:
        return ()

    def poll(self, device_id: str) -> Sequence[Outgoing]:
        return (Outgoing("talk/ask", b"", (device_id,)),)


def test_a_learned_topic_is_read_by_the_family_that_learned_it_until_it_lets_go():
    families = Families([NativeLamps(), TalkingLamps()], ignored=["kettle"])
    assert families.subscriptions == ["twin/v1/+/state", "twin/v1/+/availability", "talk/+/hello"]
    assert families.read("talk/state", b"x") == []
    families.read("talk/1/hello", b"hi")
    ((source, reading),) = families.read("talk/state", b"x")
    assert (source, [seen.device_id for seen in reading.sightings]) == ("talking", ["talker"])
    ((_, last),) = families.read("talk/1/hello", b"")
    assert last.unsubscribe == ("talk/state",)
    assert families.read("talk/state", b"x") == []


def test_a_refused_payload_comes_back_as_a_refusal():
    ((_, reading),) = Families([TalkingLamps()]).read("talk/1/hello", b"bad")
    assert [(error.device_id, error.reason) for error in reading.refusals] == [("talker", "bad_json")]


@pytest.mark.parametrize("topic", ["twin/v1/a/b/state", "twin/v1/state", "xtwin/v1/a/state", "twin/v1/a/state/x"])
def test_a_plus_is_one_level_of_a_topic(topic: str):
    assert Families([NativeLamps()]).read(topic, b"{}") == []


def test_ids_are_safe_stable_and_different_for_different_names():
    names = ["Sala/Teto", "Sala-Teto", "Sala Teto", "Câmara", "Camara", "灯", "", "bridge", "x" * 65, "a" * 64]
    ids = [device_id(name) for name in names]
    assert all(is_device_id(each) for each in ids)
    assert len(set(ids)) == len(names)
    assert device_id("Sala-Teto") == "Sala-Teto"
    assert device_id("Sala/Teto") == device_id("Sala/Teto") == "Sala-Teto-999bdb"


def test_every_colour_survives_the_way_through_xy_and_through_hue_and_saturation():
    for red, green, blue in itertools.product(range(0, 256, 51), repeat=3):
        if max(red, green, blue) != 255:
            continue
        wish = Wish(r=red, g=green, b=blue)
        for back in (
            colour.from_xy(*colour.to_xy(red, green, blue)),
            colour.from_hs(*(round(part) for part in colour.to_hs(red, green, blue))),
        ):
            state = LampState(mode=Mode.RGB, r=back[0], g=back[1], b=back[2])
            assert matches(state, wish, [Cap.RGB]), (wish, back)


def test_colours_that_are_none_are_white_or_black():
    assert colour.from_xy(0.0, 0.0) == colour.from_xy(0.3127, 0.3290) == (255, 255, 255)
    assert colour.to_xy(0, 0, 0) == (0.3127, 0.3290)
    assert colour.full_value(0, 0, 0) == (0, 0, 0)
    assert colour.full_value(64, 32, 0) == (255, 128, 0)
    assert (colour.from_mired(370), colour.to_mired(2703), colour.from_mired(0)) == (2703, 370, 0)


def test_too_many_waiting_messages_drop_the_oldest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(inbox, "MAX_WAITING", 2)
    monkeypatch.setattr(inbox, "MAX_WAITING_BYTES", 10)
    waiting = Inbox()
    for topic in ("a", "b", "c"):
        waiting.put(topic, b"1", retained=False)
    assert [message.topic for message in waiting.take(1)] == ["b"]
    waiting.put("d", b"1234567890", retained=False)
    assert [message.topic for message in waiting.take(9)] == ["d"]
    waiting.put("e", b"x" * 20_000, retained=False)
    assert len(waiting) == 0


class Asking:
    """Questions on a clock that stands, and what was published of them."""

    def __init__(self) -> None:
        self.now = 0.0
        self.published: list[Outgoing] = []
        self.questions = Questions(self._publish, lambda: self.now)
        self._done = asyncio.Event()

    async def publish(self) -> None:
        """Let the first ones go."""
        self._done.clear()
        task = asyncio.create_task(self.questions.run())
        await self._done.wait()
        task.cancel()

    def _publish(self, question: Outgoing) -> "asyncio.Future[None]":
        self.published.append(question)
        self._done.set()
        return asyncio.get_running_loop().create_future()


async def test_a_silent_lamp_is_asked_and_asked_again_later():
    table, families, asking = DeviceTable(), Families([TalkingLamps()]), Asking()
    watch, question = SilenceWatch(table, families, asking.questions), Outgoing("talk/ask", b"", ("talker",))
    table.take(Sighting("talker", report=Report(on=True)), "talking", retained=False, now=0, epoch_ms=0)
    assert (watch.check(99), asking.questions.waiting()) == ([], [])
    assert (watch.check(100), asking.questions.waiting()) == ([], [question])
    await asking.publish()
    assert (asking.questions.waiting(), asking.published) == ([], [question])
    assert (watch.check(199), asking.questions.waiting()) == ([], [])
    table.mark_stale("talker")
    assert (watch.check(200), asking.questions.waiting()) == ([], [question]), "it may be back"


async def test_whoever_is_asked_has_ten_seconds_from_when_the_question_went_out():
    asking = Asking()
    asking.questions.ask("talking", [Outgoing("a", b"", ("quick", "slow", "relic"))])
    asking.now = 50
    assert asking.questions.overdue() == []
    await asking.publish()
    asking.now = 50 + ANSWER_SECONDS - 0.1
    asking.questions.answered("quick", retained=False)
    asking.questions.answered("relic", retained=True)
    assert asking.questions.overdue() == []
    asking.now = 50 + ANSWER_SECONDS
    assert asking.questions.overdue() == ["slow", "relic"], "what is retained answers no question"
    assert asking.questions.overdue() == [], "told once"


def test_a_lamp_that_cannot_be_asked_is_to_be_heard_or_found_retained():
    asking = Asking()
    for device in ("silent", "heard", "found"):
        asking.questions.expect(device)
    asking.questions.answered("heard", retained=False)
    asking.questions.answered("found", retained=True)
    asking.now = ANSWER_SECONDS
    assert asking.questions.overdue() == ["silent"]


def test_nobody_is_late_because_the_broker_is_away():
    asking = Asking()
    asking.questions.expect("silent")
    asking.questions.drop()
    asking.now = ANSWER_SECONDS
    assert asking.questions.overdue() == []


async def test_a_slow_family_does_not_keep_another_waiting():
    asked: list[str] = []
    done = asyncio.Event()

    def publish(question: Outgoing) -> "asyncio.Future[None]":
        asked.append(question.topic)
        done.set()
        return asyncio.get_running_loop().create_future()

    questions = Questions(publish)
    questions.ask("z2m", [Outgoing(f"z2m/{number}", b"") for number in range(100)])
    questions.ask("shelly", [Outgoing("shelly", b"")])
    asking = asyncio.create_task(questions.run())
    await done.wait()
    asking.cancel()
    assert asked == ["z2m/0", "shelly"]


async def test_without_a_broker_nothing_is_asked_later():
    tried = asyncio.Event()

    def publish(_: Outgoing) -> "asyncio.Future[None]":
        tried.set()
        raise Unavailable("The MQTT broker is not connected.")

    questions = Questions(publish)
    questions.ask("z2m", [Outgoing(f"z2m/{number}", b"") for number in range(100)])
    asking = asyncio.create_task(questions.run())
    await tried.wait()
    asking.cancel()
    assert questions.waiting() == []


def test_a_lamp_that_cannot_be_asked_is_stale_when_silent_unless_something_vouches_for_it():
    table, families = DeviceTable(), Families([NativeLamps()])
    watch = SilenceWatch(table, families, Questions(lambda _: pytest.fail("asked")))
    for device in ("quiet", "vouched"):
        table.take(Sighting(device, report=Report(on=True)), "native", retained=False, now=0, epoch_ms=0)
    table.take(Sighting("vouched", online=True), "native", retained=False, now=0, epoch_ms=0)
    assert watch.check(900) == ["quiet"]


def test_a_description_of_a_lamp_is_neither_a_state_nor_a_sign_of_life():
    table = DeviceTable()
    described = Report(name="Teto", caps=frozenset({Cap.ON, Cap.BRI}))
    table.take(Sighting("a", report=described), "z2m", retained=False, now=50, epoch_ms=0)
    lamp = table.get("a")
    assert lamp is not None
    assert (lamp.name, lamp.known, lamp.caps) == ("Teto", False, [Cap.ON, Cap.BRI])
    assert table.silences(50)[0].seconds == 50


def test_a_lamp_that_does_not_know_its_state_keeps_the_last_one_as_stale():
    table = DeviceTable()
    table.take(Sighting("a", report=Report(on=True)), "ha", retained=False, now=0, epoch_ms=0)
    table.take(Sighting("a", report=Report(unknown=True)), "ha", retained=False, now=1, epoch_ms=0)
    lamp = table.get("a")
    assert lamp is not None
    assert (lamp.state.on, lamp.stale, lamp.known) == (True, True, True)
