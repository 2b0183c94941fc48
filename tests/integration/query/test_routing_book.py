"""The book of routing decisions: a row for each answer that a language model was asked for, whatever became of it."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, create_engine
from sqlmodel import Session, select
from structlog.testing import capture_logs

from query_service.conversations.routing import RoutingBook
from query_service.conversations.tables import RoutingDecision
from query_service.llm.route import Route
from shared.db.engine import migrate, open_engine
from shared.db.rows import utc_now
from shared.models import DEFAULT_ORGANIZATION_ID
from shared.settings import Settings
from tests.integration.query.servers import serving, until
from tests.integration.query.test_language_model import QUESTION, ask

CHAT = {"model": "xgtwin", "messages": [{"role": "user", "content": QUESTION}]}


def decisions(engine: Engine) -> list[RoutingDecision]:
    with Session(engine) as session:
        return list(session.exec(select(RoutingDecision)))


def decision(engine: Engine) -> RoutingDecision:
    """The one row of the book; written after the answer."""
    until(lambda: decisions(engine))
    (row,) = decisions(engine)
    return row


@pytest.mark.parametrize(
    "asked",
    [
        ("/ask", {"question": QUESTION}),
        ("/ask", {"question": QUESTION, "stream": True}),
        ("/api/llm/perguntar", {"pergunta": QUESTION}),
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", CHAT | {"stream": True}),
    ],
)
async def test_a_caller_who_hangs_up_is_in_the_book_with_the_time_until_then(build, llm, model, engine, asked):
    path, body = asked
    model.script = [model.HANG]
    with serving(build(llm=llm | {"timeout_s": 60, "first_token_s": 60})) as url:
        async with httpx.AsyncClient(timeout=60) as http:
            waiting = asyncio.create_task(http.post(url + path, json=body))
            await asyncio.to_thread(until, lambda: model.requests)
            waiting.cancel()
        row = await asyncio.to_thread(decision, engine)
    assert (row.outcome, row.asked_model, row.first_token_ms, row.cost_usd) == ("client_gone", "scripted", None, None)
    assert (row.conversation_id is None) == path.startswith("/v1")
    assert row.total_ms > 0


async def test_a_caller_who_leaves_in_the_middle_of_an_answer_had_its_first_word(build, llm, model, engine):
    model.script = ["O Inatel foi ", model.HANG]
    with serving(build(llm=llm | {"timeout_s": 60})) as url:
        async with (
            httpx.AsyncClient(timeout=10) as http,
            http.stream("POST", f"{url}/ask", json={"question": QUESTION, "stream": True}) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("event: delta"):
                    break
        row = await asyncio.to_thread(decision, engine)
    assert (row.outcome, row.tier) == ("client_gone", "")
    assert 0 < (row.first_token_ms or 0) <= row.total_ms


def test_a_model_that_says_nothing_and_one_that_breaks_off_are_in_the_book(build, llm, model, engine):
    with TestClient(build(llm=llm)) as client:
        model.script = []
        ask(client)
        until(lambda: len(decisions(engine)) == 1)
        model.script = ["O Inatel foi ", model.DROP]
        ask(client)
        until(lambda: len(decisions(engine)) == 2)
    assert {row.outcome for row in decisions(engine)} == {"empty", "connection"}


async def test_of_many_answers_that_end_in_one_moment_each_is_in_the_book(build, llm, model, engine):
    model.script = ["Em 1965 [1]."]
    app = build(llm=llm | {"timeout_s": 60, "first_token_s": 60}, query={"cache_entries": 0})
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1") as http,
    ):
        answers = [http.post("/ask", json={"question": QUESTION}, timeout=60) for _ in range(100)]
        told = {answer.json()["message_id"] for answer in await asyncio.gather(*answers)}
    assert {str(row.message_id) for row in decisions(engine)} == told
    assert len(told) == 100


def test_old_decisions_are_forgotten_when_new_ones_come(build, llm, model, engine):
    with Session(engine) as session:
        for days in (31, 29):
            created = utc_now() - timedelta(days=days)
            session.add(RoutingDecision(asked_model=f"{days}", outcome="answered", total_ms=1, created_at=created))
        session.commit()
    model.script = ["Em 1965 [1]."]
    with TestClient(build(llm=llm, query={"keep_routes_days": 30})) as client:
        ask(client)
        until(lambda: "scripted" in {row.asked_model for row in decisions(engine)})
    assert {row.asked_model for row in decisions(engine)} == {"29", "scripted"}


async def test_what_cannot_be_written_now_is_written_with_the_next(tmp_path):
    url = f"sqlite:///{tmp_path / 'book.db'}"
    migrate(open_engine(Settings(_env_file=None, database_url=url)))
    impatient, other = create_engine(url, connect_args={"timeout": 0.1}), create_engine(url)
    book = RoutingBook(impatient, keep_days=30)
    with other.connect() as writer, capture_logs() as logs:
        writer.exec_driver_sql("BEGIN IMMEDIATE")
        book.enter(DEFAULT_ORGANIZATION_ID, None, Route("first", "answered"))
        await asyncio.to_thread(until, lambda: [line["event"] for line in logs] == ["routing_decisions_wait"])
        writer.rollback()
    book.enter(DEFAULT_ORGANIZATION_ID, None, Route("second", "answered"))
    await book.close()
    assert [row.asked_model for row in decisions(impatient)] == ["first", "second"]
