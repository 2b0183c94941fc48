"""The twin's tables: what is written is there after a restart, and no longer than it should be."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from shared.db.rows import utc_now
from twin_bridge.history.store import Batch, Change, HistoryStore
from twin_bridge.protocol import Cap, Device, LampState
from twin_bridge.timeline import LOST, Timeline


def lamp(device_id: str, *, rev: int = 1, **state: object) -> Device:
    shown = LampState.model_validate(state)
    return Device(
        id=device_id, name=device_id, src="native", online=True, stale=False, known=True, rev=rev, ts=0,
        caps=[Cap.ON], state=shown, pending=False, desired=shown,
    )  # fmt: skip


def batch(timeline: Timeline, *devices: tuple[str, int, Device | None], changes: list[Change] | None = None) -> Batch:
    kept = {device_id: (seq, device) for device_id, seq, device in devices}
    return Batch(timeline.epoch, timeline.seq, timeline.started, timeline.horizon, kept, changes or [])


def opened(engine: Engine, name: str = "xgtwin") -> tuple[HistoryStore, Timeline]:
    store = HistoryStore(engine, name)
    return store, store.open().timeline


def rows(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_devices_their_numbers_and_the_epoch_are_there_after_a_restart(engine: Engine):
    store, timeline = opened(engine)
    timeline.seq = 7
    store.save(batch(timeline, ("a", 5, lamp("a", on=True, bri=0.4)), ("b", 7, lamp("b"))))
    known = HistoryStore(engine, "xgtwin").open()
    assert known.devices == [(lamp("a", on=True, bri=0.4), 5), (lamp("b"), 7)]
    assert (known.timeline.epoch, known.timeline.seq) == (timeline.epoch, 7 + LOST)


def test_the_newest_state_of_a_device_replaces_the_one_before(engine: Engine):
    store, timeline = opened(engine)
    store.save(batch(timeline, ("a", 1, lamp("a"))))
    store.save(batch(timeline, ("a", 2, lamp("a", rev=2, on=True))))
    assert HistoryStore(engine, "xgtwin").open().devices == [(lamp("a", rev=2, on=True), 2)]


def test_a_removed_device_is_a_tombstone_until_it_returns(engine: Engine):
    store, timeline = opened(engine)
    timeline.seq = 2
    store.save(batch(timeline, ("a", 1, lamp("a"))))
    store.save(batch(timeline, ("a", 2, None), ("never-written", 2, None)))
    store, timeline = HistoryStore(engine, "xgtwin"), Timeline()
    known = store.open()
    assert (known.devices, known.timeline.tombstones) == ([], {"a": 2})
    store.save(batch(known.timeline, ("a", known.timeline.advance(), lamp("a"))))
    again = HistoryStore(engine, "xgtwin").open()
    assert ([device.id for device, _ in again.devices], again.timeline.tombstones) == (["a"], {})


def test_numbers_that_a_killed_bridge_may_have_told_reach_nothing(engine: Engine):
    store, timeline = opened(engine)
    timeline.seq = 5
    store.save(batch(timeline, ("a", 5, lamp("a"))))  # and 6 was told, but not kept
    second = opened(engine)[1]
    assert second.reaches(timeline.epoch, 5)
    assert not second.reaches(timeline.epoch, 6)
    third = opened(engine)[1]  # the second was killed before it wrote anything
    assert not third.reaches(timeline.epoch, second.seq + 1)
    assert not third.reaches(timeline.epoch, 6)


def test_two_bridges_share_a_database_and_nothing_else(engine: Engine):
    one, timeline = opened(engine, "one")
    two, _ = opened(engine, "two")
    one.save(batch(timeline, ("a", 1, lamp("a", on=True))))
    assert HistoryStore(engine, "two").open().devices == []
    two.prune(10**15)
    assert len(HistoryStore(engine, "one").open().devices) == 1


def test_what_is_older_than_the_retention_goes_except_for_what_held_then(engine: Engine):
    store, timeline = opened(engine)
    changes = [Change(at, lamp("a", rev=at)) for at in (10, 20, 30, 40)]
    store.save(batch(timeline, ("a", 1, lamp("a")), changes=changes))
    assert store.prune(35) == 2
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT at_ms FROM state_history ORDER BY id")).scalars().all()
    assert kept == [30, 40]
    assert store.prune(35) == 0


def test_a_removed_device_goes_with_the_last_of_its_history(engine: Engine):
    store, timeline = opened(engine)
    timeline.seq = 2
    store.save(batch(timeline, ("a", 1, lamp("a")), changes=[Change(10, lamp("a"))]))
    store.save(batch(timeline, ("a", 2, None), changes=[Change(20, lamp("a"), removed=True)]))
    for _ in range(2):  # then no client can resume from where it was still there
        store, _ = opened(engine)
    store.prune(15)
    assert (rows(engine, "devices"), rows(engine, "state_history")) == (1, 2)
    store.prune(25)
    assert (rows(engine, "devices"), rows(engine, "state_history")) == (0, 0)


def test_a_batch_is_written_whole_or_not_at_all(engine: Engine):
    store, timeline = opened(engine)
    broken = Change(1, lamp("a").model_copy(update={"rev": None}))
    with pytest.raises(IntegrityError):
        store.save(batch(timeline, ("a", 1, lamp("a")), changes=[broken]))
    assert rows(engine, "devices") == 0
    store.save(batch(timeline, ("a", 1, lamp("a"))))
    assert rows(engine, "devices") == 1


def test_a_lamp_that_did_not_change_for_the_whole_retention_is_taken_out_at_a_start(engine: Engine):
    store, timeline = opened(engine)
    timeline.seq = 1
    store.save(batch(timeline, ("old", 1, lamp("old"))))
    moment = utc_now()
    store.save(batch(timeline, ("new", 2, lamp("new"))))
    known = HistoryStore(engine, "xgtwin").open(unchanged_since=moment)
    assert [device.id for device, _ in known.devices] == ["new"]
    assert known.timeline.removed_since(1) == ("old",)
    assert HistoryStore(engine, "xgtwin").open().timeline.tombstones == {"old": known.timeline.seq}
