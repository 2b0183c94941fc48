"""Acknowledgements, with the broker's PUBACK and the lamp's report played by hand."""

import asyncio
import gc
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from shared.errors import Unavailable
from tests.unit.twin.test_state import device, take
from twin_bridge import commands, known_commands
from twin_bridge.client_messages import Cmd, Refused
from twin_bridge.command_lane import Reply
from twin_bridge.commands import Commands
from twin_bridge.lamps.protocol import Change, Sighting
from twin_bridge.protocol import Ack, Cap, Mode, Stage
from twin_bridge.state import DeviceTable


@dataclass
class Bench:
    table: DeviceTable = field(default_factory=DeviceTable)
    sent: list[tuple[Change, "asyncio.Future[None]"]] = field(default_factory=list)
    acks: list[Ack] = field(default_factory=list)
    happened: "asyncio.Queue[None]" = field(default_factory=asyncio.Queue)
    away: bool = False

    def __post_init__(self) -> None:
        self.commands = Commands(self.table, self._publish, lambda _: None)
        take(self.table, "lamp", on=False, bri=0.0, ct=2700, r=1, g=2, b=3)

    def _publish(self, _: str, change: Change) -> "asyncio.Future[None]":
        if self.away:
            raise Unavailable("The MQTT broker is not connected.")
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent.append((change, future))
        self.happened.put_nowait(None)
        return future

    def command(
        self, cid: str, *, ttl: int = 3000, trans: float = 0.0, reply: Reply | None = None, **state: object
    ) -> None:
        fields = ["rgb" if name == "r" else name for name in state if name not in {"g", "b"}]
        message = {"t": "cmd", "cid": cid, "id": "lamp", "set": fields, "state": state, "ttl": ttl, "trans": trans}
        self.commands.submit("me", Cmd.model_validate(message), reply or self.answer)

    def answer(self, ack: Ack) -> None:
        self.acks.append(ack)
        self.happened.put_nowait(None)

    async def puback(self, which: int = -1) -> None:
        self.sent[which][1].set_result(None)
        await asyncio.sleep(0)

    def report(self, **state: object) -> None:
        take(self.table, "lamp", **state)  # type: ignore[arg-type]
        self.commands.reported("lamp")

    def stages(self, cid: str) -> list[Stage]:
        return [ack.stage for ack in self.acks if ack.cid == cid]

    async def ended(self, cid: str) -> Stage:
        await self.until(lambda: bool(stages := self.stages(cid)) and stages[-1].final)
        return self.stages(cid)[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(5):
            while not condition():
                await self.happened.get()


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_accepted_published_applied(bench: Bench):
    bench.command("c", on=True)
    assert device(bench.table, "lamp").pending
    await bench.puback()
    bench.report(on=True)
    assert bench.stages("c") == [Stage.ACCEPTED, Stage.PUBLISHED, Stage.APPLIED]
    assert not device(bench.table, "lamp").pending


async def test_a_report_that_outruns_the_puback_still_shows_both_stages(bench: Bench):
    bench.command("c", on=True)
    bench.report(on=True)
    await bench.puback()
    assert bench.stages("c") == [Stage.ACCEPTED, Stage.PUBLISHED, Stage.APPLIED]


async def test_what_was_reported_before_is_no_proof(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "FAIR_MS", 20)
    bench.command("c", on=False, ttl=50)
    await bench.puback()
    assert bench.stages("c") == [Stage.ACCEPTED, Stage.PUBLISHED]
    assert await bench.ended("c") is Stage.TIMEOUT
    assert bench.acks[-1].ms >= 45, "the time until the last stage, not until the one before"
    assert device(bench.table, "lamp").stale


async def test_a_lamp_has_its_transition_and_then_the_usual_time_unless_told_otherwise(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(commands, "DEFAULT_TTL_MS", 20)
    bench.command("slow", bri=0.5, ttl=0, trans=0.1)
    bench.command("short", on=True, ttl=10, trans=0.1)
    assert await bench.ended("slow") is Stage.TIMEOUT
    assert {ack.cid: ack.error for ack in bench.acks if ack.error} == {
        "short": "The lamp did not report this state within 10 ms.",
        "slow": "The lamp did not report this state within 120 ms.",
    }


async def test_another_state_is_not_applied(bench: Bench):
    bench.command("c", bri=0.5)
    await bench.puback()
    bench.report(bri=0.47)
    assert bench.stages("c")[-1] is Stage.PUBLISHED
    bench.report(bri=0.49)
    assert bench.stages("c")[-1] is Stage.APPLIED


async def test_a_slider_sends_the_first_and_the_newest_value_and_supersedes_the_rest(bench: Bench):
    for n in range(10):
        bench.command(f"c{n}", bri=(n + 1) / 10)
    await bench.until(lambda: len(bench.sent) == 2)
    assert [change.wish.bri for change, _ in bench.sent] == [0.1, 1.0]
    bench.report(bri=1.0)
    assert [bench.stages(f"c{n}")[-1] for n in range(10)] == [Stage.SUPERSEDED] * 9 + [Stage.APPLIED]


async def test_commands_of_different_fields_are_sent_together_and_both_applied(bench: Bench):
    bench.command("first", on=True)
    bench.command("dim", bri=0.3)
    bench.command("white", ct=4000)
    await bench.until(lambda: len(bench.sent) == 2)
    assert {cap.value for cap in bench.sent[1][0].fields} == {"bri", "ct"}
    bench.report(on=True, bri=0.3, ct=4100, mode=Mode.CT)
    assert {bench.stages(cid)[-1] for cid in ("first", "dim", "white")} == {Stage.APPLIED}


async def test_a_colour_supersedes_a_white(bench: Bench):
    bench.command("white", ct=4000)
    bench.command("red", r=255, g=0, b=0)
    assert bench.stages("white")[-1] is Stage.SUPERSEDED


async def test_without_a_broker_a_command_is_offline_at_once(bench: Bench):
    bench.away = True
    bench.command("c", on=True)
    assert bench.stages("c")[-1] is Stage.OFFLINE
    assert not device(bench.table, "lamp").pending


async def test_a_broker_lost_before_the_puback_fails_the_command(bench: Bench):
    bench.command("c", on=True)
    bench.sent[0][1].set_exception(Unavailable("lost"))
    assert await bench.ended("c") is Stage.FAILED


async def test_a_lamp_that_goes_offline_ends_its_commands(bench: Bench):
    bench.command("c", on=True)
    bench.commands.gone("lamp", Stage.OFFLINE, "The lamp went offline.")
    assert bench.stages("c")[-1] is Stage.OFFLINE


async def test_a_known_offline_lamp_gets_nothing(bench: Bench):
    bench.table.take(Sighting("lamp", online=False), "native", retained=False, now=0, epoch_ms=0)
    bench.command("c", on=True)
    assert (bench.stages("c"), bench.sent) == ([Stage.OFFLINE], [])


async def test_the_same_cid_again_repeats_the_answer_and_not_the_command(bench: Bench):
    bench.command("c", on=True)
    bench.command("c", on=True)
    await bench.puback()
    bench.report(on=True)
    bench.command("c", on=True)
    assert bench.stages("c") == [
        Stage.ACCEPTED, Stage.ACCEPTED, Stage.PUBLISHED, Stage.APPLIED, Stage.APPLIED,
    ]  # fmt: skip
    assert len(bench.sent) == 1


async def test_a_cid_that_was_another_command_is_refused_and_nothing_is_done(bench: Bench):
    bench.command("c", on=True)
    bench.report(on=True)
    with pytest.raises(Refused, match="another command"):
        bench.command("c", on=False)
    assert (len(bench.sent), bench.stages("c")[-1]) == (1, Stage.APPLIED)


async def test_a_cid_is_free_again_some_time_after_its_command_ended(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(known_commands, "REMEMBERED_SECONDS", 0.0)
    bench.command("c", on=True)
    bench.command("c", on=True)
    assert bench.stages("c") == [Stage.ACCEPTED] * 2, "it is still open"
    bench.report(on=True)
    await asyncio.sleep(0.01)
    bench.command("c", on=False)
    assert bench.stages("c")[-1] is Stage.ACCEPTED


async def test_everybody_who_sent_a_command_hears_its_end_and_is_let_go(bench: Bench):
    class Asker:
        def __init__(self) -> None:
            self.stages: list[Stage] = []

        def reply(self, ack: Ack) -> None:
            self.stages.append(ack.stage)

    first, second = Asker(), Asker()
    for asker in (first, second, second):
        bench.command("c", on=True, reply=asker.reply)
    bench.report(on=True)
    assert first.stages == [Stage.ACCEPTED, Stage.PUBLISHED, Stage.APPLIED]
    assert second.stages == [Stage.ACCEPTED, Stage.ACCEPTED, Stage.PUBLISHED, Stage.APPLIED]
    gone = weakref.ref(first)
    del first, asker
    gc.collect()
    assert gone() is None


async def test_an_off_is_sent_alone_and_supersedes_the_dimming_before_it(bench: Bench):
    bench.command("first", bri=0.5)
    bench.report(on=True, bri=0.5)
    bench.command("dim", bri=0.4)
    bench.command("off", on=False)
    await bench.until(lambda: len(bench.sent) == 2)
    assert (bench.sent[1][0].fields, bench.stages("dim")[-1]) == (frozenset({Cap.ON}), Stage.SUPERSEDED)
    bench.report(on=False)
    assert bench.stages("off")[-1] is Stage.APPLIED
    assert not device(bench.table, "lamp").pending


async def test_what_is_asked_after_an_off_is_sent_after_it(bench: Bench):
    bench.command("on", on=True)
    bench.command("off", on=False)
    bench.command("dim", bri=0.3)
    await bench.until(lambda: len(bench.sent) == 3)
    assert [sorted(change.fields) for change, _ in bench.sent] == [[Cap.ON], [Cap.ON], [Cap.BRI]]
    bench.report(on=False)
    bench.report(on=True, bri=0.3)
    assert [bench.stages(cid)[-1] for cid in ("on", "off", "dim")] == [Stage.SUPERSEDED, Stage.APPLIED, Stage.APPLIED]


async def test_a_dimming_that_a_lamp_did_not_report_before_it_went_dark_is_superseded(bench: Bench):
    bench.command("dim", bri=0.4)
    bench.command("off", on=False)
    await bench.until(lambda: len(bench.sent) == 2)
    bench.report(on=False)
    assert [bench.stages(cid)[-1] for cid in ("dim", "off")] == [Stage.SUPERSEDED, Stage.APPLIED]


async def test_a_lamp_that_reported_something_else_in_time_is_not_stale(bench: Bench, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(commands, "FAIR_MS", 20)
    bench.command("black", r=0, g=0, b=0, ttl=50)
    bench.report(on=True)
    assert await bench.ended("black") is Stage.TIMEOUT
    assert not device(bench.table, "lamp").stale


async def test_no_impatience_makes_a_lamp_stale(bench: Bench):
    bench.command("now", on=True, ttl=1)
    assert await bench.ended("now") is Stage.TIMEOUT
    assert not device(bench.table, "lamp").stale


async def test_an_unknown_lamp_is_refused_and_nothing_is_sent(bench: Bench):
    cmd = Cmd.model_validate({"t": "cmd", "cid": "c", "id": "twin/v1/#", "set": ["on"], "state": {}})
    with pytest.raises(Refused, match="no device"):
        bench.commands.submit("me", cmd, bench.answer)
    assert (bench.sent, bench.acks) == ([], [])
