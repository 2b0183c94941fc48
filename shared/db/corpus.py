"""The version of each organization's documents: another one as soon as a search may find something else.

The ingest service says when; whoever keeps what was derived from documents asks. In the database, because the two may
be different processes. Versions follow the clock, because what was derived may outlive the database: one that was put
back from a backup, or begun anew, never comes to a version of the documents that it does not hold.
"""

import time
from uuid import UUID

from sqlalchemy import Engine, case, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from shared.auth.tables import Organization

_BEGINNING = 1_767_225_600
"""2026-01-01 in Unix time: 32 bits hold the seconds since then until 2094."""


class CorpusVersion(SQLModel, table=True):
    __tablename__ = "corpus_versions"

    organization_id: UUID = Field(primary_key=True, foreign_key=f"{Organization.__tablename__}.id")
    version: int


def corpus_version(engine: Engine, organization_id: UUID) -> int:
    """0 until the first document."""
    with Session(engine) as session:
        query = select(CorpusVersion.version).where(CorpusVersion.organization_id == organization_id)
        return session.exec(query).one_or_none() or 0


def corpus_changed(engine: Engine, organization_id: UUID) -> None:
    """Call after a change can be found, never before it: what was derived in between would count as up to date."""
    while not _raised(engine, organization_id):
        try:
            with Session(engine) as session:
                session.add(CorpusVersion(organization_id=organization_id, version=max(1, _now())))
                session.commit()
                return
        except IntegrityError:  # another writer was quicker to make the first row
            continue


def all_corpora_changed(engine: Engine) -> None:
    """Call when the database is another one than before: what was derived from the documents of any organization, even
    of one without documents, counts no more."""
    with Session(engine) as session:
        organizations = session.exec(select(Organization.id)).all()
    for organization_id in organizations:
        corpus_changed(engine, organization_id)


def _raised(engine: Engine, organization_id: UUID) -> bool:
    version, now = col(CorpusVersion.version), _now()
    raised = (
        update(CorpusVersion)
        .where(col(CorpusVersion.organization_id) == organization_id)
        .values(version=case((version < now, now), else_=version + 1))
    )
    with Session(engine) as session:
        found = session.connection().execute(raised).rowcount
        session.commit()
    return found > 0


def _now() -> int:
    """Seconds; below 1 while the clock is wrong, which then only counts on."""
    return int(time.time()) - _BEGINNING
