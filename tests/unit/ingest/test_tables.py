"""The ingest tables as the models say and as the migration makes them."""

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlmodel import SQLModel

import ingest_service.tables
from shared.db.engine import migrate, open_engine
from shared.settings import Settings

OURS = {ingest_service.tables.DocumentRow, ingest_service.tables.SourceRow, ingest_service.tables.JobRow}


def test_models_and_migration_describe_the_same_tables(tmp_path):
    engine = open_engine(Settings(data_dir=tmp_path))
    migrate(engine)
    names = {str(model.__tablename__) for model in OURS}

    def ours(item, name, kind, reflected, other) -> bool:
        table = name if kind == "table" else item.table.name
        return table in names

    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_object": ours, "compare_type": True})
        assert compare_metadata(context, SQLModel.metadata) == []
        assert names <= set(SQLModel.metadata.tables)
    engine.dispose()
