"""Who asks too often is told so, when to come back, and in his language; replicas share one budget."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from prometheus_client import REGISTRY

from shared.auth.keys import Scope, create_key
from shared.errors import Unavailable
from shared.web.server import Listener, uvicorn_config
from tests.integration.query.conftest import Build
from tests.redis_server import RedisServer, redis_server

TWO = {"rate_limit": "2/hour"}


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    with redis_server(tmp_path / "redis") as server:
        yield server


def search(client: TestClient, **headers: str) -> Any:
    return client.post("/search", json={"query": "antena"}, headers=headers)


def refused() -> float:
    return REGISTRY.get_sample_value("xgtwin_rate_limited_total", {"service": "query"}) or 0


def test_nobody_is_limited_unless_a_setting_says_so(client: TestClient):
    answers = [search(client) for _ in range(30)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


def test_who_asks_too_often_is_told_when_to_come_back(build: Build):
    before = refused()
    with TestClient(build(query=TWO)) as client:
        first, second, third = (search(client) for _ in range(3))
    assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
    assert first.headers["RateLimit-Policy"] == '"query-3600s";q=2;w=3600'
    assert first.headers["RateLimit"].startswith('"query-3600s";r=1;t=')
    assert third.headers["RateLimit"].startswith('"query-3600s";r=0;t=')
    assert 3500 < int(third.headers["Retry-After"]) <= 3600
    assert third.json()["code"] == "too_many_requests"
    assert "QUERY__RATE_LIMIT" in third.json()["detail"]
    assert refused() == before + 1


def test_of_two_limits_each_is_told_and_the_one_that_binds_sets_the_time(build: Build):
    with TestClient(build(query={"rate_limit": "100/hour; 2/minute"})) as client:
        first, _, third = (search(client) for _ in range(3))
    assert first.headers["RateLimit-Policy"] == '"query-60s";q=2;w=60, "query-3600s";q=100;w=3600'
    assert re.fullmatch(r'"query-60s";r=1;t=\d+, "query-3600s";r=99;t=\d+', first.headers["RateLimit"])
    assert re.fullmatch(r'"query-60s";r=0;t=\d+', third.headers["RateLimit"])
    assert third.headers["RateLimit-Policy"] == first.headers["RateLimit-Policy"]
    assert (third.status_code, int(third.headers["Retry-After"]) <= 60) == (429, True)


@pytest.mark.parametrize("counted_in", ["process", "redis"])
def test_a_refusal_by_one_limit_spends_nothing_of_another(
    build: Build, counted_in: str, request: pytest.FixtureRequest
):
    """Else it would hide, behind the short wait for the other, how long it is no use to ask."""
    url = request.getfixturevalue("redis").url if counted_in == "redis" else ""
    with TestClient(build(query={"rate_limit": "4/minute; 3/hour"}, redis={"url": url})) as client:
        assert [search(client).status_code for _ in range(3)] == [200] * 3
        refusals = [search(client) for _ in range(4)]
    assert {answer.status_code for answer in refusals} == {429}
    assert all(int(answer.headers["Retry-After"]) > 3500 for answer in refusals)
    assert all(answer.headers["RateLimit"].startswith('"query-3600s";r=0;t=') for answer in refusals)


def test_all_routes_that_ask_draw_on_one_budget_and_refuse_in_their_own_shapes(build: Build):
    with TestClient(build(query={"rate_limit": "1/hour"})) as client:
        assert client.post("/ask", json={"question": "Quando o Inatel foi fundado?"}).status_code == 200
        visitor = client.post("/api/llm/perguntar", json={"pergunta": "O que é o 5G?"})
        chat = client.post(
            "/v1/chat/completions", json={"model": "xgtwin", "messages": [{"role": "user", "content": "O que é o 5G?"}]}
        )
        assert client.get("/v1/models").status_code == 200
        assert client.get("/conversations").status_code == 200
    assert visitor.status_code == chat.status_code == 429
    assert visitor.json()["detail"].startswith("Foram feitas perguntas demais")
    assert int(visitor.headers["Retry-After"]) > 3500
    assert chat.json()["error"]["type"] == "rate_limit_error"
    assert "RateLimit" in chat.headers


def test_each_key_has_a_budget_of_its_own_and_a_wrong_one_costs_nobody_any(build: Build, engine):
    one, other = (create_key(engine, name, [Scope.ASK]) for name in ("um", "outro"))
    with TestClient(build(query=TWO, auth="on")) as client:
        assert [search(client, Authorization="Bearer xgt_x_y").status_code for _ in range(3)] == [401] * 3
        assert [search(client, Authorization=f"Bearer {one}").status_code for _ in range(2)] == [200, 200]
        assert search(client, **{"X-API-Key": one}).status_code == 429
        assert search(client, **{"X-API-Key": other}).status_code == 200


def test_a_key_has_one_budget_however_it_is_sent(build: Build, engine):
    key = create_key(engine, "um", [Scope.ASK])
    ways = [
        {"Authorization": f"Bearer {key}"},
        {"Authorization": f"bearer \t{key}"},
        {"Authorization": f"Bearer  {key}", "X-API-Key": "other"},
        {"Authorization": "Basic one", "X-API-Key": key},
        {"Authorization": "Basic other", "X-API-Key": key},
        {"X-API-Key": key},
    ]
    with TestClient(build(query={"rate_limit": "1/hour"}, auth="on")) as client:
        answers = [search(client, **headers).status_code for headers in ways]
    assert answers == [200, *[429] * (len(ways) - 1)]


def test_replicas_share_one_budget_in_redis(build: Build, redis: RedisServer):
    shared: dict[str, Any] = {"query": TWO, "redis": {"url": redis.url}}
    with TestClient(build(**shared)) as one, TestClient(build(**shared)) as other:
        assert [search(one).status_code, search(other).status_code] == [200, 200]
        assert [search(one).status_code, search(other).status_code] == [429, 429]


def test_without_redis_each_replica_counts_for_itself(build: Build, redis: RedisServer):
    with TestClient(build(query=TWO, redis={"url": redis.url})) as client:
        assert [search(client).status_code for _ in range(3)] == [200, 200, 429]
        redis.stop()
        assert [search(client).status_code for _ in range(3)] == [200, 200, 429]


def test_a_limit_that_is_none_is_refused_by_its_settings_name(build: Build):
    with pytest.raises(Unavailable, match="QUERY__RATE_LIMIT"):
        build(query={"rate_limit": "many"})


@pytest.mark.parametrize(
    ("trusted", "callers"), [([], [200, 429, 429]), (["10.0.0.0/8"], [200, 200, 429])], ids=["nobody", "the-proxy"]
)
async def test_an_address_behind_a_proxy_counts_only_if_the_proxy_is_trusted(build: Build, trusted, callers):
    app = build(query={"rate_limit": "1/hour"})
    served = uvicorn_config(Listener("query", app, "127.0.0.1", 0, "", trusted_proxies=trusted))
    served.load()
    transport = httpx.ASGITransport(served.loaded_app, client=("10.1.2.3", 4000))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        said = ["198.51.100.1", "198.51.100.2", "203.0.113.9, 198.51.100.2"]
        answers = [
            await client.post("/search", json={"query": "antena"}, headers={"X-Forwarded-For": each}) for each in said
        ]
    assert [answer.status_code for answer in answers] == callers
