from concurrent.futures import ThreadPoolExecutor

from sqlalchemy import Engine

from shared.db.corpus import corpus_changed, corpus_version
from shared.models import DEFAULT_ORGANIZATION_ID


def test_no_change_is_lost_when_many_come_at_once(engine: Engine):
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == 0
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: corpus_changed(engine, DEFAULT_ORGANIZATION_ID), range(40)))
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == 40
