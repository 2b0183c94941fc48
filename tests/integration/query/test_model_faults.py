"""What a visitor gets when the language model's server fails: directly, and behind a real LiteLLM proxy."""

import json
import time
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from shared.observability.logs import get_logger
from tests.integration.query.litellm_proxy import PROXY_KEY, litellm_proxy
from tests.integration.query.servers import serving
from tests.integration.query.test_language_model import events_of
from tests.integration.query.upstreams import FAULTS, WORDS, Upstream

log = get_logger(__name__)

QUESTION = "Quando o Inatel foi fundado?"
FIRST_TOKEN_S, TIMEOUT_S, GRACE_S = 2.5, 3.5, 2.0
PROXY_S = 4.0
"""More for everything behind the proxy, which takes its time on a busy machine."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[tuple[Upstream, str]]:
    server = Upstream()
    with serving(server.app) as address:
        yield server, f"{address}/v1"


@pytest.fixture(scope="module")
def proxy(upstream: tuple[Upstream, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real LiteLLM proxy in front of the upstream."""
    folder = tmp_path_factory.mktemp("litellm")
    models = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name}", "api_base": upstream[1], "api_key": "none"}}
        for name in ["good", *FAULTS]
    ]
    settings = {"num_retries": 0, "request_timeout": 60}
    (folder / "config.yaml").write_text(json.dumps({"model_list": models, "litellm_settings": settings}))
    with litellm_proxy(folder / "config.yaml", folder) as address:
        yield address


def settings(address: str, model: str, more_s: float) -> dict[str, object]:
    limits = {"first_token_s": FIRST_TOKEN_S + more_s, "timeout_s": TIMEOUT_S + more_s}
    return {"base_url": address, "model": model, "api_key": PROXY_KEY, **limits}


def check(build, address: str, fault: str, more_s: float = 0.0) -> None:
    """The documented behaviour, as JSON and as a stream, within the deadline."""
    with TestClient(build(llm=settings(address, fault, more_s))) as client:
        begun = time.monotonic()
        answer = client.post("/ask", json={"question": QUESTION})
        seconds = time.monotonic() - begun
        events = events_of(client.post("/ask", json={"question": QUESTION, "stream": True}).text)
    log.info("model_fault", fault=fault, status=answer.status_code, seconds=round(seconds, 2), stream=events[-1][0])
    assert seconds < TIMEOUT_S + more_s + GRACE_S
    body = answer.json()
    if fault in {"dropped", "ended", "trickle"}:
        assert (answer.status_code, body["code"]) == (503, "llm_interrupted")
        assert body["partial"]
        assert [name for name, _ in events][:3] == ["meta", "sources", "delta"]
        assert (events[-1][0], events[-1][1]["code"]) == ("error", "llm_interrupted")
    else:
        assert answer.status_code == 200
        assert (body["reason"], body["model"], body["grounded"]) == ("llm_unavailable", "extractive", True)
        assert "31 de março de 1965" in body["answer"]
        assert (events[-1][0], events[-1][1]["reason"]) == ("done", "llm_unavailable")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_of_the_model_has_its_documented_end_within_the_deadline(build, upstream, fault):
    check(build, upstream[1], fault)


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault != "ended"])
def test_a_fault_behind_a_proxy_has_the_same_end(build, proxy, fault):
    check(build, proxy, fault, PROXY_S)


def test_a_stream_that_just_ends_is_completed_by_the_proxy_and_not_taken_for_proof(build, proxy):
    """LiteLLM invents the end that the model's server did not send; half a sentence without [n] proves nothing."""
    with TestClient(build(llm=settings(proxy, "ended", PROXY_S))) as client:
        answer = client.post("/ask", json={"question": QUESTION})
    assert answer.status_code == 200
    assert answer.json()["answer"].startswith("".join(WORDS[:2]).strip())
    assert (answer.json()["grounded"], answer.json()["reason"]) == (False, "no_evidence")


def test_a_proxy_in_good_health_is_only_passed_through(build, proxy):
    with TestClient(build(llm=settings(proxy, "good", PROXY_S))) as client:
        answer = client.post("/ask", json={"question": QUESTION}).json()
    assert answer["answer"] == "".join(WORDS)
    assert (answer["grounded"], answer["model"]) == (True, "good")
