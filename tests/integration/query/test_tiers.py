"""deploy/litellm.yaml in LiteLLM's real proxy, over tiers that do as they are told: who answers, what is written."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from tests.integration.query.litellm_proxy import PROXY_KEY, litellm_proxy
from tests.integration.query.servers import serving, until
from tests.integration.query.test_language_model import QUESTION, ask, events_of
from tests.integration.query.test_routing_book import decision
from tests.integration.query.upstreams import WORDS, Upstream

CONFIG = Path(__file__).parents[3] / "deploy" / "litellm.yaml"
PRICED = "openai/gpt-4o-mini"
"""In LiteLLM's own list of prices; nothing of ours is ever sent there."""
MODELS = {"small": "openai/qwen", "standard": "openai/llama", "strong": PRICED, "reserve": "openai/none"}


class Tiers:
    """A server for each tier; `faults` says what is wrong with it (upstreams.py), `calls` who was asked."""

    def __init__(self) -> None:
        self.faults: dict[str, str] = {}
        self.calls: list[str] = []
        self.app = FastAPI()
        self.app.post("/{tier}/v1/chat/completions")(self._complete)
        self.upstream = Upstream()

    async def _complete(self, tier: str, request: Request) -> Response:
        self.calls.append(tier)
        return self.upstream.answer(self.faults.get(tier, "good"))


@pytest.fixture(scope="module")
def tiers() -> Tiers:
    return Tiers()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiers")


@pytest.fixture(scope="module")
def proxy(tiers: Tiers, folder: Path) -> Iterator[str]:
    with serving(tiers.app) as address:
        environment = {
            f"TIER_{tier.upper()}_{what}": value
            for tier, model in MODELS.items()
            for what, value in (("MODEL", model), ("URL", f"{address}/{tier}/v1"), ("KEY", "none"))
        }
        with litellm_proxy(CONFIG, folder, environment) as url:
            yield url


def over(proxy: str, model: str) -> dict[str, object]:
    return {"base_url": proxy, "model": model, "api_key": PROXY_KEY}


def metrics(tier: str) -> dict[str, float]:
    """What `/metrics` says of a tier; from zero, as far as it has been heard of."""
    parts = {"cost": {}, "read": {"what": "read"}, "written": {"what": "written"}, "fallbacks": {}}
    names = {"cost": "llm_cost_usd", "fallbacks": "llm_fallbacks"}
    return {
        part: REGISTRY.get_sample_value(f"xgtwin_{names.get(part, 'llm_tokens')}_total", {"tier": tier, **more}) or 0.0
        for part, more in parts.items()
    }


def test_a_tier_that_fails_before_its_first_word_is_replaced_and_the_book_says_by_whom(build, proxy, tiers, engine):
    tiers.faults, tiers.calls, before = {"standard": "down"}, [], metrics("strong")
    with TestClient(build(llm=over(proxy, "standard"))) as client:
        answer = ask(client).json()
    assert (answer["answer"], answer["grounded"]) == ("".join(WORDS), True)
    assert answer["usage"] == {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150}
    assert tiers.calls == ["standard", "strong"]
    row = decision(engine)
    assert (str(row.message_id), str(row.conversation_id)) == (answer["message_id"], answer["conversation_id"])
    assert (row.asked_model, row.tier, row.model, row.fallbacks) == ("standard", "strong", PRICED, 1)
    assert (row.outcome, row.prompt_tokens, row.completion_tokens) == ("answered", 100, 50)
    assert row.cost_usd == pytest.approx(100 * 0.15e-6 + 50 * 0.60e-6)
    assert {part: value - before[part] for part, value in metrics("strong").items()} == pytest.approx(
        {"cost": row.cost_usd, "read": 100, "written": 50, "fallbacks": 1}
    )
    assert 0 < (row.first_token_ms or 0) <= row.total_ms


def test_a_tier_that_fails_after_its_first_word_is_a_typed_error_and_nobody_else_is_asked(build, proxy, tiers, engine):
    tiers.faults, tiers.calls = {"small": "dropped"}, []
    with TestClient(build(llm=over(proxy, "small"))) as client:
        events = events_of(ask(client, stream=True).text)
    assert [name for name, _ in events][:3] == ["meta", "sources", "delta"]
    assert (events[-1][0], events[-1][1]["code"]) == ("error", "llm_interrupted")
    assert tiers.calls == ["small"]
    row = decision(engine)
    assert (row.tier, row.fallbacks, row.outcome, row.cost_usd) == ("small", 0, "broken", None)


@pytest.mark.parametrize("stream", [False, True])
def test_clients_of_openai_s_protocol_get_the_fallback_and_what_the_proxy_counted(build, proxy, tiers, engine, stream):
    tiers.faults, tiers.calls = {"standard": "busy"}, []
    body = {"model": "xgtwin", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
    with TestClient(build(llm=over(proxy, "standard"))) as client:
        told = client.post("/v1/chat/completions", json=body | {"stream_options": {"include_usage": True}}).text
    assert '"usage":{"prompt_tokens":100,"completion_tokens":50,"total_tokens":150}' in told
    assert tiers.calls == ["standard", "strong"]
    row = decision(engine)
    assert (row.conversation_id, row.tier, row.fallbacks, row.completion_tokens) == (None, "strong", 1, 50)
    assert (row.cost_usd or 0) > 0


async def test_a_tier_stops_writing_when_the_caller_hangs_up_and_the_book_says_which(build, proxy, tiers, engine):
    tiers.faults, tiers.calls = {"small": "trickle"}, []
    with serving(build(llm=over(proxy, "small"))) as url:
        async with (
            httpx.AsyncClient(timeout=30) as http,
            http.stream("POST", f"{url}/ask", json={"question": QUESTION, "stream": True}) as response,
        ):
            async for line in response.aiter_lines():
                if line.startswith("event: delta"):
                    break
        row = await asyncio.to_thread(decision, engine)
        await asyncio.to_thread(until, lambda: tiers.upstream.ended)
    assert (row.outcome, row.tier, row.cost_usd) == ("client_gone", "small", None)


def test_when_no_tier_is_left_the_documents_answer(build, proxy, tiers, engine):
    tiers.faults, tiers.calls = {"reserve": "down"}, []
    with TestClient(build(llm=over(proxy, "reserve"))) as client:
        answer = ask(client).json()
    assert (answer["reason"], answer["model"], answer["grounded"]) == ("llm_unavailable", "extractive", True)
    assert set(tiers.calls) == {"reserve"}
    row = decision(engine)
    assert (row.asked_model, row.model, row.tier, row.outcome) == ("reserve", "", "", "server")


def test_the_proxys_own_log_holds_neither_question_nor_document(build, proxy, tiers, folder):
    tiers.faults = {"strong": "down", "standard": "dropped"}
    with TestClient(build(llm=over(proxy, "strong"))) as client:
        ask(client)
    said = (folder / "litellm.log").read_text()
    assert "500" in said
    assert "Inatel" not in said
