"""Alembic's entry: runs the revisions on the engine that `shared.db.engine.migrate` hands over, all of them or none."""

from alembic import context

MIGRATION_LOCK = 0x78677477696E  # "xgtwin"

engine = context.config.attributes["engine"]
with engine.connect() as connection:
    sqlite = connection.dialect.name == "sqlite"
    if sqlite:
        # A table that is rebuilt is dropped first, which the rows that refer to it would forbid. And neither SQLite's
        # driver nor Alembic begins a transaction for changes of the schema; half a migration cannot be repeated.
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        # Services that start at the same time come one after the other; the lock goes with the transaction.
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
    # render_as_batch: SQLite cannot alter a column in place, so Alembic rebuilds the table.
    context.configure(connection=connection, target_metadata=None, render_as_batch=True, transactional_ddl=True)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
    if sqlite:
        connection.exec_driver_sql("PRAGMA foreign_keys=ON")
