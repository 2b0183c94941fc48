"""Whoever keeps answers learns that the documents are others now."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared.db.corpus import corpus_version
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from tests.integration.ingest.service import Service, running


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with running(tmp_path) as service:
        yield service


async def version(service: Service) -> int:
    return await asyncio.to_thread(corpus_version, service.engine, ORG)


async def test_every_change_of_the_documents_is_another_version_of_the_corpus(service: Service):
    seen = [await version(service)]
    document = await service.add("nota.txt", b"A antena foi trocada em maio.")
    seen.append(await version(service))
    await service.add("nota.txt", b"A antena foi trocada em junho.")
    seen.append(await version(service))
    changed = await service.http.patch(f"/documents/{document['id']}", json={"title": "Antena"})
    assert changed.is_success
    await service.settled(document["id"])
    seen.append(await version(service))
    assert (await service.http.delete(f"/documents/{document['id']}")).is_success
    seen.append(await version(service))
    assert seen == sorted(set(seen)), seen


async def test_the_version_is_raised_before_a_deletion_is_answered(service: Service):
    document = await service.add("nota.txt", b"A antena foi trocada em maio.")
    before = await version(service)
    await service.http.delete(f"/documents/{document['id']}")
    assert await version(service) > before
