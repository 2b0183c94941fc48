"""Answers that were kept before a restore, in a Redis that outlives the database, are not given after it."""

from pathlib import Path
from uuid import uuid4

from sqlmodel import Session

from shared.auth.tables import Organization
from shared.db.corpus import CorpusVersion, corpus_version
from shared.db.engine import migrate, open_engine
from shared.models import DEFAULT_ORGANIZATION_ID
from tests.integration.xgtwin.installation import settings_of
from xgtwin.archive.backup import back_up
from xgtwin.archive.restore import restore

LONG_AGO = 7


def test_a_restored_installation_begins_a_new_version_of_the_documents_of_every_organization(tmp_path: Path):
    old, new = settings_of(tmp_path / "old"), settings_of(tmp_path / "new")
    old.data_dir.mkdir(parents=True)
    engine = open_engine(old)
    migrate(engine)
    other, without_documents = uuid4(), uuid4()
    with Session(engine) as session:
        for organization_id in (other, without_documents):
            session.add(Organization(id=organization_id, name=str(organization_id)))
        session.flush()
        for organization_id in (DEFAULT_ORGANIZATION_ID, other):
            session.add(CorpusVersion(organization_id=organization_id, version=LONG_AGO))
        session.commit()
    engine.dispose()
    back_up(old, tmp_path / "backup.zip")
    restore(new, tmp_path / "backup.zip")
    engine = open_engine(new)
    versions = [corpus_version(engine, one) for one in (DEFAULT_ORGANIZATION_ID, other, without_documents)]
    engine.dispose()
    assert min(versions) > LONG_AGO + 1_000_000, versions
