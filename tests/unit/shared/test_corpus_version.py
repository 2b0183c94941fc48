from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from shared.db.corpus import corpus_changed, corpus_version
from shared.db.engine import migrate, open_engine
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(Settings(data_dir=tmp_path, _env_file=None))
    migrate(engine)
    yield engine
    engine.dispose()


def test_no_change_is_lost_when_many_come_at_once(engine: Engine):
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == 0
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: corpus_changed(engine, DEFAULT_ORGANIZATION_ID), range(40)))
    assert corpus_version(engine, DEFAULT_ORGANIZATION_ID) == 40
