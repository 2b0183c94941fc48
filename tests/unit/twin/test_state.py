import dataclasses

import pytest

from twin_bridge import state, timeline
from twin_bridge.lamps.protocol import Report, Sighting
from twin_bridge.protocol import Cap, Device, Mode
from twin_bridge.state import DeviceTable, TableFull
from twin_bridge.timeline import Timeline


@pytest.fixture
def table() -> DeviceTable:
    return DeviceTable()


def take(table: DeviceTable, device_id: str, *, retained: bool = False, now: float = 100.0, **fields: object) -> bool:
    seen = Sighting(device_id, report=Report(**fields))  # type: ignore[arg-type]
    return table.take(seen, "native", retained=retained, now=now, epoch_ms=5000)


def announce(table: DeviceTable, device_id: str, online: bool | None, *, retained: bool = False) -> bool:
    return table.take(Sighting(device_id, online=online), "native", retained=retained, now=100.0, epoch_ms=5000)


def device(table: DeviceTable, device_id: str) -> Device:
    found = table.get(device_id)
    assert found is not None
    return found


def test_a_report_lies_over_the_state_before(table: DeviceTable):
    take(table, "a", on=True, bri=0.5)
    take(table, "a", mode=Mode.RGB, r=1, g=2, b=3)
    lamp = device(table, "a")
    assert (lamp.state.on, lamp.state.bri, lamp.state.r, lamp.rev) == (True, 0.5, 1, 2)
    assert lamp.caps == [Cap.ON, Cap.BRI, Cap.RGB]
    assert lamp.desired == lamp.state


def test_the_same_report_again_changes_nothing(table: DeviceTable):
    assert take(table, "a", on=True)
    assert not take(table, "a", on=True)
    assert table.seq == 1


def test_a_lamp_only_announced_is_not_known(table: DeviceTable):
    announce(table, "a", True)
    assert not device(table, "a").known
    take(table, "a", on=False)
    assert device(table, "a").known


def test_an_offline_lamp_keeps_its_last_state(table: DeviceTable):
    take(table, "a", on=True)
    announce(table, "a", False)
    assert not device(table, "a").online
    assert device(table, "a").state.on


def test_a_retained_state_is_stale_unless_the_last_will_vouches_for_it(table: DeviceTable):
    take(table, "a", on=True, retained=True)
    assert device(table, "a").stale
    announce(table, "a", True, retained=True)
    assert not device(table, "a").stale
    announce(table, "b", True, retained=True)
    take(table, "b", on=True, retained=True)
    assert not device(table, "b").stale


def test_a_lamp_without_availability_is_quiet_after_a_while_and_others_are_not(table: DeviceTable):
    take(table, "quiet", on=True, now=10)
    take(table, "heard", on=True, now=20)
    take(table, "vouched", on=True, now=10)
    announce(table, "vouched", True)
    assert [(each.device.id, each.seconds, each.announced) for each in table.silences(25)] == [
        ("quiet", 15, False), ("heard", 5, False), ("vouched", -75, True),
    ]  # fmt: skip
    table.mark_stale("quiet")
    take(table, "quiet", on=True, now=30)
    assert not device(table, "quiet").stale


def test_resuming_gives_what_changed_after_and_what_is_gone(table: DeviceTable):
    for device_id in ("a", "b", "c"):
        take(table, device_id, on=True)
    take(table, "a", on=False)
    table.remove("b")
    delta = table.since(table.epoch, 3)
    assert (delta.seq, delta.full, delta.devices, delta.removed) == (5, False, ("a",), ("b",))


@pytest.mark.parametrize("seq", [-1, 0, 99])
def test_a_seq_that_cannot_be_means_everything(table: DeviceTable, seq: int):
    take(table, "a", on=True)
    assert table.since(table.epoch, seq).full
    assert table.since("other", 1).full


def test_a_lamp_that_returns_is_no_longer_among_the_removed(table: DeviceTable):
    take(table, "a", on=True)
    table.remove("a")
    take(table, "a", on=True)
    assert table.since(table.epoch, 1).removed == ()


def test_who_was_away_for_too_many_removals_gets_everything(table: DeviceTable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(timeline, "MAX_TOMBSTONES", 2)
    for device_id in ("a", "b", "c", "d"):
        take(table, device_id, on=True)
    for device_id in ("a", "b", "c"):
        table.remove(device_id)
    assert table.since(table.epoch, 4).full
    assert table.since(table.epoch, 5).removed == ("b", "c")


def test_numbers_go_on_where_a_kept_timeline_ended(table: DeviceTable):
    for device_id in ("a", "b"):
        take(table, device_id, on=True)
    table.remove("b")
    again = DeviceTable(Timeline(**dataclasses.asdict(table.timeline)))
    take(again, "a", on=False)
    assert (again.epoch, again.seq_of("a")) == (table.epoch, 4)
    delta = again.since(table.epoch, 2)
    assert (delta.full, delta.devices, delta.removed) == (False, ("a",), ("b",))


def test_the_table_has_an_end(table: DeviceTable, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(state, "MAX_DEVICES", 1)
    take(table, "a", on=True)
    with pytest.raises(TableFull):
        take(table, "b", on=True)
    assert take(table, "a", on=False)


def before(device_id: str, **changes: object) -> Device:
    """A device as the bridge before knew it."""
    table = DeviceTable()
    take(table, device_id, on=True)
    return device(table, device_id).model_copy(update=changes)


def restored(*devices: tuple[Device, int]) -> DeviceTable:
    table = DeviceTable()
    assert table.restore(Timeline(epoch="e", seq=10), devices) == []
    return table


def test_a_restored_lamp_is_shown_as_it_was_and_stale_until_it_is_heard():
    table = restored((before("a"), 7))
    assert (device(table, "a").state.on, device(table, "a").stale) == (True, True)
    take(table, "a", on=True, retained=True)
    assert device(table, "a").stale
    take(table, "a", on=True)
    assert not device(table, "a").stale


def test_an_availability_vouches_for_no_state_that_is_only_remembered():
    table = restored((before("a"), 7), (before("b"), 8))
    for device_id in ("a", "b"):
        announce(table, device_id, True, retained=True)
        announce(table, device_id, True)
        assert (device(table, device_id).online, device(table, device_id).stale) == (True, True)
    take(table, "a", on=True, retained=True)
    assert not device(table, "a").stale, "the state itself is kept at the broker, by a lamp that is there"
    take(table, "b", on=True)
    assert not device(table, "b").stale


def test_a_restored_lamp_is_claimed_by_whatever_is_said_of_it():
    table = restored((before("a"), 7), (before("b"), 8), (before("c"), 9))
    take(table, "a", name="Mesa")
    announce(table, "b", False)
    assert [each.id for each in table.unclaimed()] == ["c"]
    assert table.miss("c")
    assert not device(table, "c").online
    take(table, "c", name="Teto")
    assert (device(table, "c").online, device(table, "c").stale, table.unclaimed()) == (True, True, [])


def test_a_lamp_that_did_not_answer_is_stale_until_it_tells_its_state(table: DeviceTable):
    announce(table, "a", True)
    take(table, "a", on=True)
    table.mark_stale("a")
    announce(table, "a", False)
    announce(table, "a", True)
    assert device(table, "a").stale
    take(table, "a", on=True)
    assert not device(table, "a").stale


def test_a_restored_lamp_heard_as_it_was_is_no_news_for_those_who_resume():
    table = restored((before("a"), 7), (before("b"), 8))
    assert not take(table, "a", on=True)
    assert take(table, "b", on=False)
    assert table.since("e", 10).devices == ("b",)
    assert table.seq_of("a") == 7


def test_whoever_was_shown_a_restored_lamp_as_stale_is_told_that_it_lives():
    table = restored((before("a"), 7))
    table.json("a")  # as it goes into a client's snapshot
    assert take(table, "a", on=True)
    assert table.since("e", 10).devices == ("a",)


def test_a_restored_lamp_that_is_not_heard_is_stale_for_those_too_who_resumed():
    table = restored((before("a"), 7), (before("b", stale=True), 8))
    assert table.settle() == ["a"], "b was shown as stale before"
    assert table.since("e", 10).devices == ("a",)
    assert table.settle() == []


def test_a_command_that_was_under_way_is_over_after_a_restart():
    lamp = before("a", pending=True)
    table = DeviceTable()
    assert table.restore(Timeline(epoch="e", seq=10), [(lamp, 7)]) == ["a"]
    assert not device(table, "a").pending
    assert device(table, "a").desired == lamp.state
    assert table.since("e", 10).devices == ("a",)


def test_what_is_restored_late_lies_beneath_what_was_heard_meanwhile(table: DeviceTable):
    take(table, "a", on=False)
    take(table, "gone", on=True)
    table.remove("gone")
    epoch, seq = table.epoch, table.seq
    late = [(before("a"), 7), (before("b"), 8), (before("gone"), 9)]
    assert table.restore(Timeline(epoch="e", seq=10), late) == ["b"]
    assert not device(table, "a").state.on
    assert table.epoch == epoch
    assert table.since(epoch, seq).devices == ("b",)
