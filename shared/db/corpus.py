"""The version of each organization's documents: another one as soon as a search may find something else.

The ingest service says when; whoever keeps what was derived from documents asks. In the database, because the two may
be different processes.
"""

from uuid import UUID

from sqlalchemy import Engine, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from shared.auth.tables import Organization


class CorpusVersion(SQLModel, table=True):
    __tablename__ = "corpus_versions"

    organization_id: UUID = Field(primary_key=True, foreign_key=f"{Organization.__tablename__}.id")
    version: int = 1


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
                session.add(CorpusVersion(organization_id=organization_id))
                session.commit()
                return
        except IntegrityError:  # another writer was quicker to make the first row
            continue


def _raised(engine: Engine, organization_id: UUID) -> bool:
    raised = (
        update(CorpusVersion)
        .where(col(CorpusVersion.organization_id) == organization_id)
        .values(version=col(CorpusVersion.version) + 1)
    )
    with Session(engine) as session:
        found = session.connection().execute(raised).rowcount
        session.commit()
    return found > 0
