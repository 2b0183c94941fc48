"""The ingest tables as the models say and as the migration makes them."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

import shared.auth.tables  # noqa: F401  (the organizations that our rows point to)
from ingest_service.documents.idempotency import IdempotencyKeyRow
from ingest_service.documents.refusals import RefusalRow
from ingest_service.tables import DocumentRow, JobRow, SourceRow
from shared.db.engine import migrate, open_engine
from shared.settings import Settings

OURS = {str(model.__tablename__) for model in (DocumentRow, SourceRow, JobRow, RefusalRow, IdempotencyKeyRow)}


def test_models_and_migration_describe_the_same_tables(tmp_path):
    engine = open_engine(Settings(data_dir=tmp_path))
    migrate(engine)

    def ours(item, name, kind, reflected, other) -> bool:
        table = name if kind == "table" else item.table.name
        return table in OURS

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
        assert set(SQLModel.metadata.tables) >= OURS
    engine.dispose()
