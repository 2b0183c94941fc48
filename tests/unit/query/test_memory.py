"""Memory is a help: what goes wrong in it costs no answer, and nothing stays in it that should be gone."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from query_service.conversations.memory import Memory
from query_service.conversations.records import ConversationRecords
from query_service.conversations.store import Conversations, Opened
from query_service.conversations.tables import Conversation
from query_service.conversations.visitor import visitor_of
from query_service.events import Done
from query_service.question import Question
from shared.db.rows import utc_now
from shared.models import DEFAULT_ORGANIZATION_ID as OURS
from shared.settings import Settings
from shared.vector_store.bootstrap import open_store
from shared.vector_store.generational_store import GenerationalStore
from tests.unit.query.samples import citer, encoder, passage
from tests.unit.query.test_conversations import done

DAYS = 30
ANA = visitor_of(OURS, "ana")
QUESTION = Question(organization_id=OURS, text="Quem coordena?", top_k=5, visitor=ANA)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GenerationalStore]:
    store = open_store(Settings(data_dir=tmp_path, _env_file=None), None)
    yield store
    store.close()


def memory(engine: Engine, store: GenerationalStore) -> Memory:
    """As after a restart."""
    return Memory(engine, lambda: store, encoder, days=DAYS)


def asked(engine: Engine) -> Opened:
    return Conversations(engine).open(OURS, None, QUESTION.text, ANA)


def proved(opened: Opened) -> Done:
    return done(opened, "Texto [1].", citer.support("Texto [1].", [passage("Texto.")]))


async def test_nothing_is_recalled_without_the_tables_of_the_database(empty_engine: Engine, store: GenerationalStore):
    assert await memory(empty_engine, store).recall(QUESTION) == ()


async def test_a_conversation_that_is_deleted_while_its_answer_is_written_is_not_remembered(
    engine: Engine, store: GenerationalStore
):
    opened = asked(engine)
    ConversationRecords(engine).delete(OURS, opened.conversation_id)
    await memory(engine, store).remember(QUESTION, proved(opened))
    assert store.count(OURS, published=None) == 0


async def test_what_is_too_old_to_be_recalled_is_dropped_and_the_rest_is_kept(engine: Engine, store: GenerationalStore):
    old, recent, new = asked(engine), asked(engine), asked(engine)
    for opened in (old, recent):
        await memory(engine, store).remember(QUESTION, proved(opened))
    with Session(engine) as session:
        row = session.get_one(Conversation, old.conversation_id)
        row.updated_at = utc_now() - timedelta(days=DAYS + 1)
        session.add(row)
        session.commit()
    await memory(engine, store).remember(QUESTION, proved(new))
    kept = [store.count(OURS, opened.conversation_id) for opened in (old, recent, new)]
    assert kept == [0, 1, 1]
