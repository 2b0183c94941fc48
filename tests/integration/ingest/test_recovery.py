"""What a start takes up, while another replica goes on changing documents."""

import io
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session

from ingest_service.jobs.recovery import queue_what_the_store_lost
from ingest_service.tables import DocumentRow
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from shared.vector_store.generational_store import GenerationalStore
from tests.integration.ingest.test_filling_beside_workers import Elsewhere, installed, opened, texts
from tests.postgres import Databases

UNREADABLE = b" \n "


def once_a_document_is_counted(store: GenerationalStore, then: Callable[[], Any], monkeypatch: pytest.MonkeyPatch):
    count, pending = store.count, [then]

    def counted(organization_id: UUID, document_id: UUID | None = None, **given: Any) -> int:
        if document_id is not None and pending:
            pending.pop()()
        return count(organization_id, document_id, **given)

    monkeypatch.setattr(store, "count", counted)


def test_what_another_replica_deletes_meanwhile_does_not_come_back(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        there = Elsewhere(stack, settings)
        lost, deleted = (there.add(f"{word}.txt", f"Fala do {word}.") for word in ("sol", "mar"))
        there.store.delete(ORG, lost)
        here = opened(stack, settings)
        once_a_document_is_counted(here, lambda: there.shop.remover.delete(ORG, deleted), monkeypatch)
        assert queue_what_the_store_lost(there.ledger.engine, here, there.shop.blobs) == 1
        there.work()
        assert texts(here, lost) == ["Fala do sol."]
        assert here.count(ORG, deleted, published=None) == 0
        with Session(there.ledger.engine) as session:
            assert session.get_one(DocumentRow, deleted).deleted_at is not None


def test_a_version_that_comes_to_another_replica_meanwhile_is_the_one_that_is_published(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        there = Elsewhere(stack, settings)
        lost, replaced = (there.add(f"{word}.txt", f"Fala do {word}.") for word in ("sol", "mar"))
        intake = there.shop.intake
        intake.replace(ORG, replaced, "mar.txt", io.BytesIO(UNREADABLE))
        there.work()
        for document_id in (lost, replaced):
            there.store.delete(ORG, document_id)
        here = opened(stack, settings)
        arrives = io.BytesIO(b"Agora fala do vento.")
        once_a_document_is_counted(here, lambda: intake.replace(ORG, replaced, "mar.txt", arrives), monkeypatch)
        assert queue_what_the_store_lost(there.ledger.engine, here, there.shop.blobs) == 1
        there.work()
        assert texts(here, lost) == ["Fala do sol."]
        assert texts(here, replaced) == ["Agora fala do vento."]


def test_a_document_whose_original_is_gone_too_does_not_keep_the_others_from_coming_back(
    tmp_path: Path, postgres: Databases
):
    with ExitStack() as stack:
        settings = installed(stack, tmp_path, postgres)
        there = Elsewhere(stack, settings)
        lost, refused = (there.add(f"{word}.txt", f"Fala do {word}.") for word in ("sol", "mar"))
        there.shop.intake.replace(ORG, refused, "mar.txt", io.BytesIO(UNREADABLE))
        there.work()
        for document_id in (lost, refused):
            there.store.delete(ORG, document_id)
        with Session(there.ledger.engine) as session:
            published = session.get_one(DocumentRow, refused).published_hash
        there.shop.blobs.existing(str(published)).unlink()
        here = opened(stack, settings)
        queue_what_the_store_lost(there.ledger.engine, here, there.shop.blobs)
        there.work()
        assert texts(here, lost) == ["Fala do sol."]
        assert texts(here, refused) == []
