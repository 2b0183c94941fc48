"""Reading the history, with times that a test can choose."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.db.engine import open_engine
from shared.errors import Unavailable
from shared.settings import Settings
from tests.unit.twin.test_history_store import batch, lamp, opened
from twin_bridge.history.reading import HistoryReader, Past
from twin_bridge.history.store import Change

A_CHANGES = [(10, 0.1), (12, 0.2), (25, 0.3), (25, 0.4), (41, 0.5)]


@pytest.fixture
def reader(engine: Engine):
    store, timeline = opened(engine)
    changes = [Change(at, lamp("a", on=True, bri=bri)) for at, bri in A_CHANGES]
    changes += [Change(11, lamp("b", bri=0.9)), Change(30, lamp("b", bri=0.9), removed=True)]
    store.save(
        batch(timeline, ("a", 1, lamp("a")), ("b", 2, lamp("b")), changes=sorted(changes, key=lambda c: c.at_ms))
    )
    other, timeline = opened(engine, "other")
    other.save(batch(timeline, ("a", 1, lamp("a")), changes=[Change(20, lamp("a", bri=0.7))]))
    return HistoryReader(engine, "xgtwin")


def values(found: list[Past]) -> list[tuple[str, int, float]]:
    return [(past.device_id, past.row.at_ms, past.row.bri) for past in found]


def test_states_come_in_their_order_and_are_read_on_from_where_a_page_ended(reader: HistoryReader):
    whole = [("a", *change) for change in A_CHANGES]
    assert values(reader.states(0, 100, 10, device_id="a")) == whole
    found: list[Past] = []
    while page := reader.states(0, 100, 2, device_id="a", after=found[-1].place if found else None):
        found += page
    assert values(found) == whole
    assert values(reader.states(12, 25, 10, device_id="a")) == whole[1:4]


def test_without_a_device_all_are_told_together(reader: HistoryReader):
    assert [name for name, *_ in values(reader.states(0, 100, 10))] == ["a", "b", "a", "a", "a", "b", "a"]


def test_what_held_at_a_moment_is_the_last_state_of_each_device_that_was_there(reader: HistoryReader):
    assert sorted(values(reader.held(20))) == [("a", 12, 0.2), ("b", 11, 0.9)]
    assert values(reader.held(25, "a")) == [("a", 25, 0.4)]
    assert values(reader.held(35)) == [("a", 25, 0.4)], "b was taken out"
    assert reader.held(9) == []


def test_samples_are_the_last_state_of_each_step_with_the_number_of_changes(reader: HistoryReader):
    found = reader.samples("a", 0, 100, 10, step_ms=20)
    assert [(past.row.at_ms, past.row.bri, past.changes) for past in found] == [
        (12, 0.2, 2),
        (25, 0.4, 2),
        (41, 0.5, 1),
    ]
    first = reader.samples("a", 0, 100, 1, step_ms=20)
    assert reader.samples("a", 0, 100, 10, step_ms=20, after=first[-1].place)[0].row.at_ms == 25


def test_a_database_that_does_not_answer_is_told_in_words(tmp_path: Path):
    (tmp_path / "xgtwin.db").mkdir()
    engine = open_engine(Settings(_env_file=None, data_dir=tmp_path))
    with pytest.raises(Unavailable, match="DATABASE_URL"):
        HistoryReader(engine, "xgtwin").held(1)
    engine.dispose()
