"""`Idempotency-Key`: one request, one answer, however often it is sent."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select

from ingest_service.documents.idempotency import KEPT, IdempotencyKeyRow
from ingest_service.jobs.owner import Owner
from shared.db.rows import utc_now
from tests.integration.ingest.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path, workers=0) as service:
        yield service


async def sent(service: Service, key: str, data: bytes = b"Um texto.", name: str = "a.txt", **form: str):
    return await service.http.post(
        "/documents", files={"files": (name, data)}, data=form, headers={"Idempotency-Key": key}
    )


def same(first: httpx.Response, second: httpx.Response) -> bool:
    headers = ("location", "retry-after")
    return (first.status_code, first.content, [first.headers.get(name) for name in headers]) == (
        second.status_code,
        second.content,
        [second.headers.get(name) for name in headers],
    )


async def test_a_repeated_request_gets_the_same_answer_although_its_form_has_another_boundary(service: Service):
    first = await sent(service, "k1")
    again = await sent(service, "k1")
    assert first.status_code == 202
    assert same(first, again)
    assert first.request.headers["content-type"] != again.request.headers["content-type"]
    assert (first.headers.get("idempotent-replayed"), again.headers["idempotent-replayed"]) == (None, "true")


@pytest.mark.parametrize(
    "other", [{"data": b"Outro texto."}, {"name": "b.txt"}, {"metadata": '{"curso": "TP555"}'}, {"collection": "c"}]
)
async def test_a_key_that_was_used_for_another_request_is_refused(service: Service, other: dict[str, str]):
    await sent(service, "k1")
    response = await sent(service, "k1", **other)  # type: ignore[arg-type]
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert list(await service.documents()) == ["a.txt"]


async def test_json_requests_take_a_key_too(service: Service):
    headers = {"Idempotency-Key": "k1"}
    text = {"title": "Aviso", "text": "Um aviso."}
    first = await service.http.post("/documents", json=text, headers=headers)
    assert same(first, await service.http.post("/documents", json=text, headers=headers))
    url = await service.http.post("/documents", json={"url": "http://127.0.0.1/"}, headers=headers)
    assert url.json()["code"] == "idempotency_key_reused"


async def test_a_refused_request_may_be_repeated_with_its_key(service: Service):
    for _ in range(2):
        assert (await sent(service, "k1", b"", "vazio.txt")).status_code == 422
    assert (await sent(service, "k1")).status_code == 202


async def test_a_request_that_is_being_answered_is_not_answered_twice(service: Service):
    responses = await asyncio.gather(*(sent(service, "k1") for _ in range(6)))
    accepted = [response for response in responses if response.status_code == 202]
    assert accepted
    assert {response.content for response in accepted} == {accepted[0].content}
    for response in responses:
        if response.status_code != 202:
            assert (response.status_code, response.json()["code"]) == (409, "idempotency_key_in_use")
            assert response.headers["retry-after"]


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
async def test_a_key_that_is_none_is_named(service: Service, key: str):
    response = await service.http.post(
        "/documents", files={"files": ("a.txt", b"Um texto.")}, headers=[(b"idempotency-key", key.encode("latin-1"))]
    )
    assert response.status_code == 400
    assert "Idempotency-Key" in response.json()["detail"]


def changed(service: Service, **values: object) -> None:
    with Session(service.engine) as session:
        row = session.exec(select(IdempotencyKeyRow)).one()
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
        session.commit()


async def test_a_key_is_forgotten_after_a_day(service: Service):
    await sent(service, "k1")
    changed(service, created_at=utc_now() - KEPT)
    response = await sent(service, "k1", b"Outro texto.")
    assert (response.status_code, response.headers.get("idempotent-replayed")) == (202, None)


async def test_a_request_whose_process_died_may_be_repeated(service: Service):
    await sent(service, "k1")
    here = Owner.this_process()
    changed(service, status=None, body=None)
    assert (await sent(service, "k1")).status_code == 409
    changed(service, owner=str(Owner(here.host, here.pid, "an earlier run")))
    assert (await sent(service, "k1")).status_code == 200
