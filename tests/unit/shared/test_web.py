"""The HTTP frame: problem documents, request ids, body limit, health."""

import asyncio
import os
import re
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI, Request
from pydantic import BaseModel

from shared.errors import NotFound, Unavailable
from shared.web.app import create_service_app
from shared.web.origins import Origins


class Body(BaseModel):
    question: str


@asynccontextmanager
async def nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def frame(ping=lambda: None) -> FastAPI:
    app = create_service_app(
        "probe",
        description="",
        pings={"store": ping},
        facts=lambda: {"mode": "test"},
        lifespan=nothing,
        max_body_bytes=1000,
        body_advice="At most 1000 bytes (PROBE__MAX).",
        origins=Origins(["https://lab.example"], keys_required=False, own=("http://own.example:8000", "")),
    )

    @app.post("/ask")
    def ask(body: Body) -> Body:
        return body

    @app.post("/bytes")
    async def take(request: Request) -> int:
        return len(await request.body())

    @app.get("/missing/{name}")
    def missing(name: str) -> None:
        raise NotFound(f"There is no {name}.")

    @app.get("/busy")
    def busy() -> None:
        raise Unavailable("Later.", retry_after=7)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError("secret detail")

    return app


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(frame(), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
        yield client


def assert_problem(response: httpx.Response, status: int, code: str) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = response.json()
    assert body["status"] == status
    assert body["code"] == code
    assert body["request_id"] == response.headers["x-request-id"]
    assert set(body) == {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}
    return body


async def test_an_error_of_ours_is_rendered_with_its_words(http: httpx.AsyncClient):
    assert assert_problem(await http.get("/missing/lamp"), 404, "not_found")["detail"] == "There is no lamp."


async def test_unavailable_says_when_to_come_back(http: httpx.AsyncClient):
    response = await http.get("/busy")
    assert_problem(response, 503, "unavailable")
    assert response.headers["retry-after"] == "7"


async def test_an_unforeseen_error_tells_nothing_of_the_inside(http: httpx.AsyncClient):
    response = await http.get("/broken")
    assert_problem(response, 500, "internal_error")
    assert "secret" not in response.text


@pytest.mark.parametrize(
    ("body", "field"), [({}, "body.question"), ({"question": 3}, "body.question"), (None, "body"), ([], "body")]
)
async def test_a_malformed_request_is_told_which_field(http: httpx.AsyncClient, body: object, field: str):
    response = await http.post("/ask", json=body) if body is not None else await http.post("/ask")
    problem = assert_problem(response, 422, "invalid_request")
    assert field in str(problem["detail"])


@pytest.mark.parametrize("body", [b"{", b'{"question":"\xff"}', b"[" * 400 + b"]" * 400])
async def test_a_body_that_is_not_json_is_a_problem_that_says_so(http: httpx.AsyncClient, body: bytes):
    answer = await http.post("/ask", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert answer.json()["code"] in ("bad_request", "invalid_request")
    if body[:1] == b"{":
        assert answer.json()["detail"].startswith("The body is not JSON in UTF-8")


async def test_json_sent_as_a_text_is_told_which_header_is_missing(http: httpx.AsyncClient):
    answer = await http.post("/ask", content=b'{"question":"x"}', headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]


async def test_unknown_routes_and_methods_are_problems_too(http: httpx.AsyncClient):
    assert_problem(await http.get("/nowhere"), 404, "not_found")
    assert_problem(await http.get("/ask"), 405, "method_not_allowed")


async def test_a_body_over_the_limit_is_refused_by_its_declared_length(http: httpx.AsyncClient):
    problem = assert_problem(await http.post("/bytes", content=b"x" * 1001), 413, "too_large")
    assert problem["detail"] == "At most 1000 bytes (PROBE__MAX)."
    assert (await http.post("/bytes", content=b"x" * 1000)).json() == 1000


async def test_a_streamed_body_is_refused_as_soon_as_it_passes_the_limit(http: httpx.AsyncClient):
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(100):
            yield b"x" * 100

    assert_problem(await http.post("/bytes", content=endless()), 413, "too_large")


async def test_a_callers_request_id_is_kept_if_it_is_harmless(http: httpx.AsyncClient):
    kept = await http.get("/livez", headers={"X-Request-ID": "unity-17"})
    assert kept.headers["x-request-id"] == "unity-17"
    replaced = await http.get("/livez", headers={"X-Request-ID": "bad id\tx" + "y" * 99})
    assert replaced.headers["x-request-id"] != "bad id\tx" + "y" * 99


async def test_readyz_says_what_does_not_answer():
    def down() -> None:
        raise Unavailable("The store does not answer.")

    for ping, status, said in ((lambda: None, 200, "ok"), (down, 503, "The store does not answer.")):
        transport = httpx.ASGITransport(frame(ping))
        async with httpx.AsyncClient(transport=transport, base_url="http://probe") as client:
            response = await client.get("/readyz")
        assert response.status_code == status
        assert response.json()["checks"] == {"store": said}
        assert response.json()["mode"] == "test"


async def test_readyz_answers_while_all_threads_of_requests_are_taken():
    go_on = threading.Event()
    taken = [asyncio.create_task(asyncio.to_thread(go_on.wait)) for _ in range(min(32, (os.cpu_count() or 1) + 4))]
    try:
        await asyncio.sleep(0)  # they begin
        async with httpx.AsyncClient(transport=httpx.ASGITransport(frame(lambda: None)), base_url="http://probe") as it:
            assert (await it.get("/readyz")).json()["checks"] == {"store": "ok"}
    finally:
        go_on.set()
        await asyncio.gather(*taken)


async def test_metrics_name_routes_by_template(http: httpx.AsyncClient):
    await http.get("/missing/some-id")
    page = (await http.get("/metrics")).text
    assert 'route="/missing/{name}"' in page
    assert "some-id" not in page


async def test_the_docs_page_needs_no_internet(http: httpx.AsyncClient):
    page = (await http.get("/docs")).text
    addresses = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert addresses
    for address in addresses:
        assert address.startswith("/"), address
        assert (await http.get(address)).is_success, address


@pytest.mark.parametrize(
    ("origin", "host", "status"),
    [
        (None, "127.0.0.1:8000", 200),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", 200),
        ("http://127.0.0.1:5173", "127.0.0.1:8000", 200),
        ("https://lab.example", "127.0.0.1:8000", 200),
        ("https://evil.example", "127.0.0.1:8000", 403),
        ("http://evil.example:8000", "evil.example:8000", 403),
        ("null", "127.0.0.1:8000", 403),
    ],
)
async def test_a_foreign_page_cannot_make_this_service_do_anything(
    http: httpx.AsyncClient, origin: str | None, host: str, status: int
):
    headers = {"host": host} | ({"origin": origin} if origin else {})
    response = await http.post("/bytes", content=b"x", headers=headers)
    assert response.status_code == status
    if status == 403:
        assert "PROBE__ALLOWED_ORIGINS" in str(assert_problem(response, 403, "foreign_origin")["detail"])


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("localhost:8000", 200),
        ("probe:8000", 200),
        ("lab.example:8000", 200),
        ("own.example", 200),
        ("evil.example:8000", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example", 403),
        ("[", 403),
    ],
)
async def test_a_foreign_name_that_points_here_reads_nothing(http: httpx.AsyncClient, host: str, status: int):
    """DNS rebinding: for the browser the page and this service are one origin then."""
    for path in ("/metrics", "/livez", "/docs"):
        response = await http.get(path, headers={"host": host})
        assert response.status_code == status
    if status == 403:
        detail = str(assert_problem(response, 403, "foreign_host")["detail"])
        assert "PROBE__URL" in detail
        assert "PROBE__ALLOWED_ORIGINS" in detail


def test_keys_protect_under_every_name():
    assert Origins([], keys_required=True).answers_as("lab.example")


@pytest.mark.parametrize(
    ("origin", "shown"),
    [("https://lab.example", True), ("http://localhost:5173", True), ("https://evil.example", False)],
)
async def test_a_browser_shows_answers_only_to_pages_that_may_use_the_service(
    http: httpx.AsyncClient, origin: str, shown: bool
):
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "x-api-key"}
    for response in (await http.options("/ask", headers=asked), await http.get("/livez", headers={"origin": origin})):
        assert (response.headers.get("access-control-allow-origin") == origin) is shown
