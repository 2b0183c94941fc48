"""What the log says of questions: whose line it is, what was slow, and never a word of anybody."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from shared.db.engine import open_engine
from shared.observability.logs import configure_logging, get_logger
from shared.part_settings import LogSettings
from shared.settings import Settings
from tests.integration.query.library import LIBRARY
from tests.integration.query.test_language_model import QUESTION, ask, events_of

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The JSON lines of the log so far, at its most talkative."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logging(LogSettings(format="json", level="debug"))
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    written = io.StringIO()
    handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)


def counted(what: str) -> float:
    return REGISTRY.get_sample_value("xgtwin_slow_total", {"what": what}) or 0.0


@pytest.mark.parametrize("stream", [False, True])
def test_lines_of_a_question_carry_its_request_and_its_conversation(build, llm, model, lines, stream):
    model.script = ["O Inatel foi ", model.DROP]
    with TestClient(build(llm=llm)) as client:
        response = client.post(
            "/ask", json={"question": QUESTION, "stream": stream}, headers={"X-Request-ID": "unity-7"}
        )
        (conversation,) = client.get("/conversations").json()["items"]
    if stream:
        assert events_of(response.text)[-1][0] == "error"
    told = {line["event"]: line for line in lines() if line.get("request_id") == "unity-7"}
    assert {"llm_failed", "request"} <= set(told)
    assert {line.get("conversation_id") for line in told.values()} == {conversation["id"]}


def test_ids_in_a_path_stand_on_its_line(client, lines):
    first = ask(client).json()
    client.get(f"/conversations/{first['conversation_id']}/messages")
    told = [line for line in lines() if line["event"] == "request"]
    assert [line["conversation_id"] for line in told] == [first["conversation_id"]] * 2


def test_a_slow_question_and_a_slow_search_are_told_with_their_stages(build, lines):
    questions, searches = counted("question"), counted("search")
    with TestClient(build(query={"slow_ms": 0.001})) as client:
        answer = ask(client).json()
        client.post("/search", json={"query": QUESTION})
    (slow,) = [line for line in lines() if line["event"] == "slow_question"]
    assert {stage: slow[stage] for stage in ("understand", "retrieve", "answer")} == {
        stage: answer["timings_ms"][stage] for stage in ("understand", "retrieve", "answer")
    }
    assert slow["conversation_id"] == answer["conversation_id"]
    (search,) = [line for line in lines() if line["event"] == "slow_search"]
    assert search["ms"] >= search["retrieve"] > 0
    assert (counted("question") - questions, counted("search") - searches) == (1, 1)


def test_what_is_quick_is_not_told(build, lines):
    with TestClient(build(query={"slow_ms": 600_000})) as client:
        ask(client)
    assert [line for line in lines() if line["event"].startswith("slow")] == []


def test_a_slow_statement_is_told_without_its_values(tmp_path, lines):
    engine = open_engine(Settings(data_dir=tmp_path, query={"slow_ms": 0.001}, _env_file=None))
    with engine.connect() as connection:
        connection.execute(text("SELECT :word AS said"), {"word": "segredo"})
    engine.dispose()
    told = [line for line in lines() if line["event"] == "slow_sql"]
    assert any("AS said" in line["statement"] for line in told)
    assert "segredo" not in json.dumps(told)


def test_an_error_of_the_database_repeats_no_value(tmp_path, lines):
    secret = uuid4().hex
    engine = open_engine(Settings(data_dir=tmp_path, _env_file=None))
    with engine.connect() as connection:
        try:
            connection.execute(text("INSERT INTO nowhere VALUES (:word)"), {"word": secret})
        except SQLAlchemyError:
            get_logger("test").exception("unexpected_error")
    engine.dispose()
    (told,) = [line for line in lines() if line["event"] == "unexpected_error"]
    assert "nowhere" in told["exception"]
    assert secret not in told["exception"]


def test_no_line_holds_a_word_of_questions_answers_or_documents(build, llm, model, lines):
    words = ["Jabuticaba", "Mongólia", "Copacabana"]
    with TestClient(build(llm=llm, query={"slow_ms": 0.001})) as client:
        model.script = [f"O Inatel {words[0]} foi fundado em 1965 [1]."]
        first = ask(client, f"Quando o Inatel {words[1]} foi fundado?").json()
        ask(client, f"e onde fica {words[2]}?", conversation_id=first["conversation_id"], stream=True)
        model.status = 500
        ask(client, f"Quem é {words[2]}?")
        client.post("/search", json={"query": words[1]})
        client.post("/api/llm/perguntar", json={"pergunta": words[2]})
        client.post("/ask", json={"question": words[0], "conversation_id": "x"})
    told = json.dumps(lines(), ensure_ascii=False)
    documents = [word for texts in LIBRARY.values() for said in texts for word in said.split() if len(word) > 9]
    assert [word for word in [*words, *documents] if word in told] == []
