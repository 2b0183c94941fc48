"""`Idempotency-Key`: the same key and the same request give the same answer, also when the first answer was lost.

What is compared is what arrived (names, hashes, metadata), not the bytes of the body: a client that sends its form
again draws a new boundary for it.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Column, Engine, Index
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, col, delete, select, update

from ingest_service.api.schemas import NewUrl
from ingest_service.api.uploads import Upload
from ingest_service.documents.blobs import hash_of
from ingest_service.jobs.owner import Owner
from shared.db.rows import OwnedRow, utc_now
from shared.errors import BadRequest, Conflict, Unprocessable

KEPT = timedelta(hours=24)
ABANDONED = timedelta(minutes=15)
"""After that nobody is answering any more, whatever became of the machine that did."""
MAX_KEY_CHARS = 255
RETRY_AFTER_S = 2


class IdempotencyKeyRow(OwnedRow, table=True):
    """A request that carried a key; without a `status` it is being answered by `owner`."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (
        Index("uq_idempotency_keys", "organization_id", "route", "key", unique=True),
        Index("ix_idempotency_keys_created_at", "created_at"),
    )

    route: str
    key: str
    fingerprint: str
    owner: str
    status: int | None = None
    location: str | None = None
    body: dict[str, Any] | None = Field(default=None, sa_column=Column("body", JSON, nullable=True))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered. `replayed` means: an earlier one, word for word."""

    status: int
    body: dict[str, Any]
    location: str | None = None
    replayed: bool = False


class IdempotencyKeys:
    """Keys of one organization and route each. Only successes are kept: a refused request may be repeated as it is."""

    def __init__(self, engine: Engine, owner: Owner) -> None:
        self.engine = engine
        self.owner = owner

    async def once(
        self, organization_id: UUID, route: str, key: str, fingerprint: str, act: Callable[[], Awaitable[Answer]]
    ) -> Answer:
        """The answer that this key got, or what `act` gives now. Raises what `act` raises, `BadRequest` for a key that
        is none, `Unprocessable` for one that was used for another request, and `Conflict` while that is answered."""
        if not 0 < len(key) <= MAX_KEY_CHARS or not key.isascii() or not key.isprintable():
            raise BadRequest(f"Idempotency-Key takes 1 to {MAX_KEY_CHARS} plain characters, such as a UUID.")
        row = IdempotencyKeyRow(
            organization_id=organization_id, route=route, key=key, fingerprint=fingerprint, owner=str(self.owner)
        )
        row_id = row.id
        if (earlier := await asyncio.to_thread(self._begin, row)) is not None:
            return earlier
        try:
            answer = await act()
        except BaseException:
            await asyncio.shield(asyncio.to_thread(self._release, row_id))
            raise
        await asyncio.to_thread(self._keep, row_id, answer)
        return answer

    def _begin(self, row: IdempotencyKeyRow) -> Answer | None:
        with Session(self.engine) as session:
            session.exec(delete(IdempotencyKeyRow).where(col(IdempotencyKeyRow.created_at) < utc_now() - KEPT))
            known = session.exec(
                select(IdempotencyKeyRow).where(
                    IdempotencyKeyRow.organization_id == row.organization_id,
                    IdempotencyKeyRow.route == row.route,
                    IdempotencyKeyRow.key == row.key,
                )
            ).one_or_none()
            if known is not None and (known.status is not None or not self._abandoned(known)):
                return _earlier(known, row.fingerprint)
            if known is not None:
                session.delete(known)
                session.flush()
            session.add(row)
            try:
                session.commit()
            except IntegrityError as error:
                raise _in_hand() from error
        return None

    def _abandoned(self, known: IdempotencyKeyRow) -> bool:
        return known.created_at < utc_now() - ABANDONED or Owner.parse(known.owner).surely_dead(self.owner)

    def _keep(self, row_id: UUID, answer: Answer) -> None:
        with Session(self.engine) as session:
            session.exec(
                update(IdempotencyKeyRow)
                .where(col(IdempotencyKeyRow.id) == row_id)
                .values(status=answer.status, location=answer.location, body=answer.body)
            )
            session.commit()

    def _release(self, row_id: UUID) -> None:
        with Session(self.engine) as session:
            session.exec(delete(IdempotencyKeyRow).where(col(IdempotencyKeyRow.id) == row_id))
            session.commit()


def fingerprint_of(sent: Sequence[Upload] | NewUrl) -> str:
    """One hash for what a request brings; the streams stand at their start afterwards."""
    if isinstance(sent, NewUrl):
        parts: Any = sent.model_dump()
    else:
        parts = [
            [each.kind, each.key, each.name, each.title, each.metadata, each.collection, hash_of(each.stream)]
            for each in sent
        ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _earlier(known: IdempotencyKeyRow, fingerprint: str) -> Answer:
    if known.fingerprint != fingerprint:
        raise Unprocessable(
            "This Idempotency-Key was used for another request. Take a new key for each request.",
            code="idempotency_key_reused",
        )
    if known.status is None or known.body is None:
        raise _in_hand()
    return Answer(known.status, known.body, known.location, replayed=True)


def _in_hand() -> Conflict:
    return Conflict(
        "A request with this Idempotency-Key is being answered. Send it again in a moment.",
        code="idempotency_key_in_use",
        retry_after=RETRY_AFTER_S,
    )
