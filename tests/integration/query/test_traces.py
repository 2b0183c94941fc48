"""Traces of questions, as a collector gets them over the wire."""

import json
import logging
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from shared.observability.otlp import FAREWELL_S
from shared.observability.traces import span, traceparent, tracing
from shared.part_settings import TraceSettings
from tests.collector import Collector, collecting
from tests.integration.query.servers import serving, until
from tests.integration.query.test_language_model import QUESTION, ask

CALLER = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{CALLER}-00f067aa0ba902b7-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


def lost() -> float:
    return REGISTRY.get_sample_value("xgtwin_trace_spans_lost_total") or 0.0


@pytest.mark.parametrize("stream", [False, True])
def test_a_question_is_one_trace_from_the_request_to_the_first_token(build, llm, model, collector, stream):
    model.script = ["O Inatel foi fundado ", "em 1965 [1]."]
    with tracing(TraceSettings(endpoint=collector.url), "query_service"), TestClient(build(llm=llm)) as client:
        assert ask(client, stream=stream).status_code == 200
    assert {received.trace for received in collector.spans} == {collector.named("POST /ask").trace}
    assert collector.path("search") == ["POST /ask", "retrieve", "search"]
    assert collector.path("chat scripted") == ["POST /ask", "chat scripted"]
    for stage in ("understand", "retrieve", "keep"):
        assert collector.path(stage) == ["POST /ask", stage]
    said = collector.named("chat scripted")
    assert said.events == ("first_token",)
    assert said.facts["gen_ai.usage.output_tokens"] == 5
    assert collector.named("POST /ask").facts["http.response.status_code"] == 200


def test_a_follow_up_shows_the_call_that_rewrote_it(build, llm, model, collector):
    with tracing(TraceSettings(endpoint=collector.url), "query_service"), TestClient(build(llm=llm)) as client:
        model.script = ["O professor Luciano [1]."]
        first = ask(client, "Quem coordena o xGMobile?").json()
        collector.spans.clear()
        model.script = ["Onde o professor Luciano fez o doutorado?"]
        ask(client, "E onde ele fez o doutorado?", conversation_id=first["conversation_id"])
    (rewritten,) = [each for each in collector.spans if each.name == "rewrite"]
    assert rewritten.id in {each.parent for each in collector.spans if each.name == "chat scripted"}


def test_the_callers_trace_goes_on_through_us_to_the_model(build, llm, model, collector):
    model.script = ["Em 1965 [1]."]
    with tracing(TraceSettings(endpoint=collector.url), "query_service"), TestClient(build(llm=llm)) as client:
        client.post("/ask", json={"question": QUESTION}, headers={"traceparent": TRACEPARENT})
    said = collector.named("chat scripted")
    assert collector.named("POST /ask").trace == CALLER
    assert model.traceparents == [f"00-{CALLER}-{said.id}-01"]


def test_the_ingest_service_is_asked_within_the_trace(build, collector):
    ingest = FastAPI()
    seen: list[str] = []

    @ingest.get("/documents")
    def documents(request: Request) -> dict[str, list[str]]:
        seen.append(request.headers["traceparent"])
        return {"items": []}

    with (
        serving(ingest) as url,
        tracing(TraceSettings(endpoint=collector.url), "query_service"),
        TestClient(build(ingest={"url": url})) as client,
    ):
        ask(client, "Qual é a capital da Mongólia?")
    asked = collector.named("GET /documents")
    assert [sent[:52] for sent in seen] == [f"00-{asked.trace}-{asked.id}"]


def test_a_trace_holds_no_word_of_question_answer_or_document(build, llm, model, collector):
    model.script = ["O Inatel foi fundado ", model.DROP]
    with tracing(TraceSettings(endpoint=collector.url), "query_service"), TestClient(build(llm=llm)) as client:
        ask(client)
        ask(client, "Quem coordena o xGMobile?")
        client.post("/search", json={"query": "matrícula renovada"})
    assert {each.name for each in collector.spans} >= {"POST /ask", "POST /search", "search"}
    assert all(each.failed for each in collector.spans if each.name.startswith("chat"))
    sent = collector.raw.decode("utf-8", "replace")
    for words in ("Inatel", "fundado", "xGMobile", "matrícula", "março", "Luciano"):
        assert words not in sent


def test_lines_of_the_log_name_the_trace(build, capsys, collector):
    from shared.observability.logs import configure_logging
    from shared.part_settings import LogSettings

    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    configure_logging(LogSettings(format="json"))
    try:
        with tracing(TraceSettings(endpoint=collector.url), "query_service"), TestClient(build()) as client:
            ask(client)
    finally:
        logging.getLogger().handlers[:] = handlers
        logging.getLogger().setLevel(level)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (request,) = [line for line in lines if line["event"] == "request"]
    assert request["trace_id"] == collector.named("POST /ask").trace


@pytest.mark.parametrize("refusing", [False, True])
def test_a_collector_that_is_away_delays_nobody_and_is_told_once(build, collector, caplog, refusing):
    collector.status = 503
    endpoint = collector.url if refusing else "http://127.0.0.1:1"
    with (
        capture_logs() as logs,
        TestClient(build()) as client,
        tracing(TraceSettings(endpoint=endpoint), "query_service"),
    ):
        for _ in range(2):
            before = lost()
            assert ask(client).status_code == 200
            until(lambda before=before: lost() > before)
        ask(client)
        begun = time.monotonic()
    assert time.monotonic() - begun < FAREWELL_S + 2
    assert [line["event"] for line in logs].count("traces_not_sent") == 1
    assert [record.name for record in caplog.records if record.name.startswith("opentelemetry")] == []


def test_a_collector_that_is_back_gets_the_spans_of_then(build, collector):
    collector.status = 503
    with (
        capture_logs() as logs,
        TestClient(build()) as client,
        tracing(TraceSettings(endpoint=collector.url), "query_service"),
    ):
        ask(client)
        until(lambda: told(logs) == ["traces_not_sent"])
        collector.status = 200
        ask(client)
        until(lambda: told(logs) == ["traces_not_sent", "traces_arrive_again"])
    assert "POST /ask" in {each.name for each in collector.spans}


def told(logs: list[MutableMapping[str, Any]]) -> list[str]:
    return [line["event"] for line in logs if line["event"].startswith("traces")]


def test_without_an_endpoint_there_is_no_trace_and_nothing_of_the_library(build):
    with tracing(TraceSettings(), "query_service"), span("stage") as stage:
        assert (traceparent(), dict(stage.headers)) == ("", {})
