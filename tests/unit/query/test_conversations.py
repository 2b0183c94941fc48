import base64
from uuid import uuid4

import pytest
from sqlmodel import Session

from query_service.conversations.records import ConversationRecords
from query_service.conversations.store import HISTORY_MESSAGES, Conversations
from query_service.conversations.title import TITLE_CHARS
from query_service.conversations.visitor import visitor_of
from query_service.events import Done, Reason, Timings, Usage
from shared.auth.tables import Organization
from shared.errors import BadRequest, NotFound
from shared.models import DEFAULT_ORGANIZATION_ID as OURS
from tests.unit.query.samples import citer, passage


@pytest.fixture
def conversations(engine):
    return Conversations(engine)


@pytest.fixture
def records(engine):
    return ConversationRecords(engine)


@pytest.fixture
def theirs(engine):
    """Another organization."""
    row = Organization(name="outra")
    with Session(engine) as session:
        session.add(row)
        session.commit()
        return row.id


def done(opened, text="Resposta.", citations=()) -> Done:
    return Done(
        answer=text,
        grounded=bool(citations),
        reason=None if citations else Reason.NO_EVIDENCE,
        citations=tuple(citations),
        conversation_id=opened.conversation_id,
        message_id=opened.message_id,
        model="extractive",
        usage=Usage(prompt_tokens=1),
        timings_ms=Timings(understand=0.5, retrieve=1.5, answer=2, total=4),
        speech=text,
    )


def test_a_question_and_its_answer_are_kept_as_they_were(conversations, records):
    opened = conversations.open(OURS, None, "O que é?")
    proof = citer.support("Texto [1].", [passage("Texto.", page_start=2, heading_path=("A", "B"))])
    conversations.answered(OURS, opened.question_id, done(opened, "Texto [1].", proof))
    question, answer = records.messages(OURS, opened.conversation_id, 10, None).items
    assert (question.role, question.content, question.grounded) == ("user", "O que é?", None)
    assert (answer.id, answer.role, answer.content, answer.grounded) == (
        opened.message_id,
        "assistant",
        "Texto [1].",
        True,
    )
    assert answer.citations[0]["quote"] == "Texto."
    assert answer.timings_ms == {"understand": 0.5, "retrieve": 1.5, "answer": 2.0, "total": 4.0}


def test_the_history_of_the_next_question_is_what_was_said_before_oldest_first(conversations):
    opened = conversations.open(OURS, None, "pergunta 0")
    for n in range(1, 15):
        conversations.answered(OURS, opened.question_id, done(opened, f"resposta {n - 1}"))
        opened = conversations.open(OURS, opened.conversation_id, f"pergunta {n}")
    assert len(opened.history) == HISTORY_MESSAGES
    assert [turn.content for turn in opened.history][-2:] == ["pergunta 13", "resposta 13"]
    assert opened.history[0].content == "pergunta 4"


def test_an_unknown_deleted_or_foreign_conversation_is_not_found(conversations, theirs, records):
    foreign = conversations.open(theirs, None, "deles").conversation_id
    deleted = conversations.open(OURS, None, "nossa").conversation_id
    records.delete(OURS, deleted)
    for unknown in (uuid4(), foreign, deleted):
        with pytest.raises(NotFound, match="Leave conversation_id out"):
            conversations.open(OURS, unknown, "?")
        with pytest.raises(NotFound):
            records.messages(OURS, unknown, 10, None)
        with pytest.raises(NotFound):
            records.delete(OURS, unknown)
    assert records.page(OURS, 10, None).items == []
    assert [row.id for row in records.page(theirs, 10, None).items] == [foreign]


def test_pages_of_conversations_neither_repeat_nor_skip(conversations, records):
    made = [conversations.open(OURS, None, f"{n}").conversation_id for n in range(7)]
    seen, cursor = [], None
    while True:
        page = records.page(OURS, 3, cursor)
        seen += [row.id for row in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == made[::-1]


def test_pages_of_messages_neither_repeat_nor_skip(conversations, records):
    opened = conversations.open(OURS, None, "0")
    for n in range(1, 5):
        conversations.open(OURS, opened.conversation_id, f"{n}")
    first = records.messages(OURS, opened.conversation_id, 3, None)
    second = records.messages(OURS, opened.conversation_id, 3, first.next_cursor)
    assert [row.content for row in [*first.items, *second.items]] == ["0", "1", "2", "3", "4"]
    assert second.next_cursor is None


BEFORE_TIME = base64.urlsafe_b64encode(f"0001-01-01T00:00:00+14:00 {OURS}".encode()).decode()


@pytest.mark.parametrize("cursor", ["x", "", "ÿÿ", "MjAyNg==", BEFORE_TIME])
def test_a_cursor_of_somebody_else_is_a_bad_request(conversations, cursor, records):
    if cursor:
        with pytest.raises(BadRequest, match="next_cursor"):
            records.page(OURS, 3, cursor)
    else:
        assert records.page(OURS, 3, cursor).items == []


def test_the_title_is_the_first_question_on_one_line_and_cut(conversations, records):
    conversations.open(OURS, None, "uma\npergunta " + "longa " * 40)
    (row,) = records.page(OURS, 1, None).items
    assert row.title.startswith("uma pergunta longa")
    assert len(row.title) <= TITLE_CHARS


def test_a_conversation_made_beforehand_is_named_by_its_first_question(conversations, records):
    made = records.create(OURS, "", "")
    conversations.open(OURS, made.id, "O que é o 5G?")
    conversations.open(OURS, made.id, "e o 6G?")
    assert records.get(OURS, made.id).title == "O que é o 5G?"


def test_a_named_visitor_reaches_his_own_conversations_only(conversations, records):
    ana, rui = visitor_of(OURS, "ana"), visitor_of(OURS, "rui")
    hers = conversations.open(OURS, None, "da Ana", ana).conversation_id
    nobodys = conversations.open(OURS, None, "de ninguém").conversation_id
    assert [row.id for row in records.page(OURS, 10, None, ana).items] == [hers]
    assert records.page(OURS, 10, None, rui).items == []
    assert len(records.page(OURS, 10, None).items) == 2
    conversations.open(OURS, hers, "e mais?", ana)
    for conversation in (hers, nobodys):
        with pytest.raises(NotFound):
            conversations.open(OURS, conversation, "e mais?", rui)


def test_no_name_of_a_visitor_is_stored(conversations, engine):
    conversations.open(OURS, None, "?", visitor_of(OURS, "ana.souza@example.com"))
    with engine.connect() as connection:
        assert "souza" not in str(connection.exec_driver_sql("SELECT * FROM conversations").all())


def test_the_same_name_is_another_visitor_in_another_organization(theirs):
    assert visitor_of(OURS, "ana") != visitor_of(theirs, "ana")
