"""Memory is a help: nothing that goes wrong in it costs an answer."""

from pathlib import Path

from query_service.conversations.memory import Memory
from query_service.conversations.visitor import visitor_of
from query_service.question import Question
from shared.db.engine import open_engine
from shared.models import DEFAULT_ORGANIZATION_ID as OURS
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from tests.unit.query.samples import encoder

QUESTION = Question(organization_id=OURS, text="Quem coordena?", top_k=5, visitor=visitor_of(OURS, "ana"))


async def test_nothing_is_recalled_without_the_tables_of_the_database(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, _env_file=None)
    engine = open_engine(settings)  # not migrated
    memory = Memory(engine, lambda: open_store(settings, None), encoder, days=30)
    try:
        assert await memory.recall(QUESTION) == ()
    finally:
        memory.close()
        engine.dispose()
