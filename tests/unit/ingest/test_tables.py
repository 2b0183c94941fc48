"""The ingest tables of earlier releases, brought up to date."""

import pytest
from alembic import command
from sqlalchemy import text
from sqlmodel import Session, select

import shared.auth.tables  # noqa: F401  (the organizations that our rows point to)
from ingest_service.tables import DocumentRow, JobRow, SourceRow
from shared.db.engine import migrate, migration_config
from shared.models import DEFAULT_ORGANIZATION_ID


def test_a_database_with_documents_from_before_is_brought_up_to_date_whole(empty_engine):
    engine = empty_engine
    command.upgrade(migration_config(engine), "0003")
    now, ours = "2026-01-01 00:00:00", DEFAULT_ORGANIZATION_ID.hex
    keys = {"Guia.txt": "given", "normas/guia.txt": "", "GUIA.txt": ""}
    with engine.begin() as connection:
        for number, (key, title) in enumerate(keys.items()):
            ids = {"d": f"{number:032x}", "s": f"{number + 10:032x}", "j": f"{number + 20:032x}"}
            values = {
                **ids,
                "hash": ids["d"],
                "o": ours,
                "t": now,
                "title": title or "made of the name",
                "key": key,
                "given": bool(title),
            }
            connection.execute(text(OLD_DOCUMENT), values)
            connection.execute(text(OLD_SOURCE), values)
            connection.execute(text(OLD_JOB), values)
    migrate(engine)
    with Session(engine) as session:
        documents = {row.id.int: row for row in session.exec(select(DocumentRow))}
        assert [documents[number].title for number in range(3)] == ["given", "", ""]
        assert [documents[number].collection for number in range(3)] == ["", "normas", ""]
        places = {row.key: row.place for row in session.exec(select(SourceRow))}
        assert places["Guia.txt"] == "guia.txt"
        assert places["GUIA.txt"] not in {"guia.txt", "GUIA.txt"}
        assert len(session.exec(select(JobRow)).all()) == 3
        if engine.dialect.name == "postgresql":
            return
        assert session.exec(text("PRAGMA foreign_key_check")).all() == []  # type: ignore[call-overload]
        assert session.exec(text("PRAGMA foreign_keys")).one()[0] == 1  # type: ignore[call-overload]


def test_a_migration_that_fails_changes_nothing_and_can_be_repeated(empty_engine, monkeypatch):
    command.upgrade(migration_config(empty_engine), "0003")
    with monkeypatch.context() as patched:
        patched.setattr("alembic.operations.Operations.create_index", fail)
        with pytest.raises(InterruptedError):
            migrate(empty_engine)
    migrate(empty_engine)


def fail(*_, **__):
    raise InterruptedError


OLD_DOCUMENT = """INSERT INTO documents (id, created_at, organization_id, name, title, title_given, version,
    content_hash, size, media_type, status, chunks, metadata, updated_at)
    VALUES (:d, :t, :o, :key, :title, :given, 1, :hash, 1, 'text/plain', 'ready', 1, '{}', :t)"""
OLD_SOURCE = """INSERT INTO sources (id, created_at, organization_id, document_id, kind, key, size, mtime_ns)
    VALUES (:s, :t, :o, :d, 'folder', :key, 1, 1)"""
OLD_JOB = """INSERT INTO jobs (id, created_at, organization_id, document_id, version, kind, state, priority, stage,
    done, total, attempts, queued_at, run_after, updated_at)
    VALUES (:j, :t, :o, :d, 1, 'ingest', 'done', 0, '', 0, 0, 1, :t, :t, :t)"""
