from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine, text

from shared.db.corpus import corpus_changed, corpus_version
from shared.models import DEFAULT_ORGANIZATION_ID

AHEAD = 100_000
"""Seconds ahead of the clock: from there each change counts one."""


def test_no_change_is_lost_when_many_come_at_once(engine: Engine):
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == 0
    corpus_changed(engine, DEFAULT_ORGANIZATION_ID)
    begun = corpus_version(engine, DEFAULT_ORGANIZATION_ID) + AHEAD
    with engine.begin() as connection:
        connection.execute(text("UPDATE corpus_versions SET version = :begun"), {"begun": begun})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: corpus_changed(engine, DEFAULT_ORGANIZATION_ID), range(40)))
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == begun + 40


def test_versions_of_a_database_that_was_begun_anew_or_rewound_are_not_those_of_before(engine: Engine):
    corpus_changed(engine, DEFAULT_ORGANIZATION_ID)
    before = corpus_version(engine, DEFAULT_ORGANIZATION_ID)
    for earlier in ("DELETE FROM corpus_versions", "UPDATE corpus_versions SET version = 7"):
        with engine.begin() as connection:
            connection.execute(text(earlier))
        corpus_changed(engine, DEFAULT_ORGANIZATION_ID)
        assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) >= before > 10_000_000
