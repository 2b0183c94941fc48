"""Reading what is known: documents, jobs and counts, page by page."""

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import TypeVar
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, func, tuple_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from ingest_service.api.schemas import DocumentPage, DocumentView, JobPage, JobView
from ingest_service.tables import DocumentRow, JobRow, JobState, SourceRow
from shared.errors import BadRequest, NotFound
from shared.models import DocumentStatus, comparable

Listed = TypeVar("Listed", DocumentRow, JobRow)


@dataclass(frozen=True)
class Wanted:
    """Which documents to list; what is empty does not narrow. Without statuses all but those on their way out."""

    statuses: Sequence[DocumentStatus] = ()
    name: str = ""
    """A part of the name, in whatever capitals."""
    collection: str = ""
    language: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


class Catalogue:
    """Read-only. Synchronous and thread-safe; never shows one organization's rows to another."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def page(self, organization_id: UUID, wanted: Wanted, limit: int, cursor: str | None) -> DocumentPage:
        """Documents, newest first."""
        query = select(DocumentRow).where(
            DocumentRow.organization_id == organization_id, col(DocumentRow.deleted_at).is_(None), *_conditions(wanted)
        )
        with Session(self.engine) as session:
            rows, next_cursor = _paged(session, query, DocumentRow, limit, cursor, fits=_fitting(wanted.metadata))
            sources = _sources(session, [row.id for row in rows])
            return DocumentPage(
                items=[DocumentView.of(row, sources.get(row.id, [])) for row in rows], next_cursor=next_cursor
            )

    def document(self, organization_id: UUID, document_id: UUID) -> DocumentView:
        """One document, also while it is being deleted; raises `NotFound`."""
        with Session(self.engine) as session:
            row = self._row(session, organization_id, document_id)
            return DocumentView.of(row, _sources(session, [row.id]).get(row.id, []))

    def content_of(self, organization_id: UUID, document_id: UUID) -> tuple[str, str]:
        """Name and hash of the bytes that questions are answered from: the published version's, else the newest."""
        with Session(self.engine) as session:
            row = self._row(session, organization_id, document_id)
            return row.name, row.published_hash or row.content_hash

    def jobs(
        self,
        organization_id: UUID,
        states: Sequence[JobState],
        document_id: UUID | None,
        limit: int,
        cursor: str | None,
    ) -> JobPage:
        """Jobs, newest first."""
        query = select(JobRow).where(JobRow.organization_id == organization_id)
        if states:
            query = query.where(col(JobRow.state).in_(states))
        if document_id:
            query = query.where(JobRow.document_id == document_id)
        with Session(self.engine) as session:
            rows, next_cursor = _paged(session, query, JobRow, limit, cursor)
            return JobPage(items=[JobView.of(row) for row in rows], next_cursor=next_cursor)

    def job(self, organization_id: UUID, job_id: UUID) -> JobView:
        """One job; raises `NotFound`."""
        with Session(self.engine) as session:
            row = session.get(JobRow, job_id)
            if row is None or row.organization_id != organization_id:
                raise NotFound("There is no job with this id. GET /jobs lists them.")
            return JobView.of(row)

    def counts(self) -> dict[str, int]:
        """How many documents of all organizations are in each status."""
        query = (
            select(DocumentRow.status, func.count())
            .where(col(DocumentRow.deleted_at).is_(None), DocumentRow.status != DocumentStatus.DELETING)
            .group_by(col(DocumentRow.status))
        )
        with Session(self.engine) as session:
            return dict(session.exec(query).all())

    def _row(self, session: Session, organization_id: UUID, document_id: UUID) -> DocumentRow:
        row = session.get(DocumentRow, document_id)
        if row is None or row.organization_id != organization_id or row.deleted_at is not None:
            raise NotFound("There is no document with this id. GET /documents lists them.")
        return row


def _conditions(wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    if wanted.statuses:
        yield col(DocumentRow.status).in_(wanted.statuses)
    else:
        yield col(DocumentRow.status) != DocumentStatus.DELETING
    if wanted.name:
        yield col(DocumentRow.name).icontains(wanted.name, autoescape=True)
    if wanted.collection:
        yield col(DocumentRow.collection) == wanted.collection
    if wanted.language:
        yield col(DocumentRow.language) == wanted.language


def _fitting(metadata: Mapping[str, str]) -> Callable[[DocumentRow], bool] | None:
    """Compares as searches do; databases differ in what they make of truths, lists and keys with quotes."""

    def has(row: DocumentRow, key: str, value: str) -> bool:
        given = row.extra.get(key, [])
        return value in {comparable(one) for one in (given if isinstance(given, list) else [given])}

    if not metadata:
        return None
    return lambda row: all(has(row, key, value) for key, value in metadata.items())


def _sources(session: Session, document_ids: Sequence[UUID]) -> Mapping[UUID, list[SourceRow]]:
    found: dict[UUID, list[SourceRow]] = {}
    query = select(SourceRow).where(col(SourceRow.document_id).in_(document_ids)).order_by(col(SourceRow.key))
    for source in session.exec(query):
        if source.document_id is not None:
            found.setdefault(source.document_id, []).append(source)
    return found


def _paged(
    session: Session,
    query: SelectOfScalar[Listed],
    model: type[Listed],
    limit: int,
    cursor: str | None,
    *,
    fits: Callable[[Listed], bool] | None = None,
) -> tuple[list[Listed], str | None]:
    """One page by (time, id) descending, and the cursor of the next if there is one."""
    position = tuple_(col(model.created_at), col(model.id))
    if cursor:
        query = query.where(position < tuple_(*_decoded(cursor)))
    query = query.order_by(col(model.created_at).desc(), col(model.id).desc())
    if fits is None:
        rows = list(session.exec(query.limit(limit + 1)))
    else:
        rows = list(islice(filter(fits, session.exec(query.execution_options(yield_per=500))), limit + 1))
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    text = f"{last.created_at.isoformat()}|{last.id}"
    return rows[:limit], base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decoded(cursor: str) -> tuple[datetime, UUID]:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        moment, _, identifier = text.partition("|")
        return datetime.fromisoformat(moment).astimezone(), UUID(identifier)
    except (binascii.Error, ValueError, OverflowError) as error:
        raise BadRequest("This cursor is not one of ours: take next_cursor from the page before.") from error
