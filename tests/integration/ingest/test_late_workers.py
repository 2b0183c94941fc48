"""A worker that embeds for longer than its lease: another one took its job over meanwhile."""

import io
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlmodel import Session, col, select, update

from ingest_service.documents.arrivals import Arrival
from ingest_service.jobs.owner import Owner
from ingest_service.tables import DocumentRow, JobRow, JobState, SourceKind
from shared.db.rows import utc_now
from shared.models import DEFAULT_ORGANIZATION_ID as ORG
from tests.integration.ingest.test_filling_beside_workers import Elsewhere, installed, texts
from tests.postgres import Databases


class Late(Elsewhere):
    """Something happens once while it embeds, after its lease ran out."""

    def meanwhile(self, then: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
        pipeline = self.shop.runner.pipeline
        embedded, pending = pipeline._embedded, [then]

        def slowly(*given: Any) -> Any:
            if pending:
                self._lose_lease()
                pending.pop()()
            return embedded(*given)

        monkeypatch.setattr(pipeline, "_embedded", slowly)

    def _lose_lease(self) -> None:
        with Session(self.ledger.engine) as session:
            running = col(JobRow.state) == JobState.RUNNING
            session.exec(update(JobRow).where(running).values(lease_until=utc_now() - timedelta(hours=1)))
            session.commit()


def both(stack: ExitStack, folder: Path, postgres: Databases) -> tuple[Late, Elsewhere]:
    settings = installed(stack, folder, postgres)
    late, other = Late(stack, settings), Elsewhere(stack, settings)
    other.ledger.owner = Owner("elsewhere", 1, "other")
    return late, other


def arrived(at: Elsewhere) -> UUID:
    arrival = Arrival(ORG, SourceKind.UPLOAD, "sol.txt", "sol.txt")
    return at.shop.intake.admit(arrival, io.BytesIO(b"Fala do sol.")).document_id


def test_nothing_of_a_document_that_was_purged_meanwhile_is_stored(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    with ExitStack() as stack:
        late, other = both(stack, tmp_path, postgres)
        document_id = arrived(late)

        def purge() -> None:
            assert other.ledger.take_from_the_dead() == 1
            other.shop.remover.delete(ORG, document_id)
            other.work()
            with Session(other.ledger.engine) as session:
                assert session.exec(select(DocumentRow)).one().deleted_at is not None

        late.meanwhile(purge, monkeypatch)
        late.work()
        assert late.store.count(ORG, document_id, published=None) == 0


def test_what_another_worker_published_meanwhile_stays_to_be_found(
    tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
):
    with ExitStack() as stack:
        late, other = both(stack, tmp_path, postgres)
        document_id = arrived(late)

        def publish() -> None:
            assert other.ledger.take_from_the_dead() == 1
            other.work()
            assert texts(other.store, document_id) == ["Fala do sol."]

        late.meanwhile(publish, monkeypatch)
        late.work()
        assert texts(late.store, document_id) == ["Fala do sol."]
