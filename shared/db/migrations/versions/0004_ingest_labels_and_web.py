"""What documents are filtered by, web sources asked again with, and turns taken by (owner: ingest_service)."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("documents", sa.Column("note", sa.String(), nullable=False, server_default=""))
    op.add_column("documents", sa.Column("language", sa.String(), nullable=True))
    op.add_column("documents", sa.Column("collection", sa.String(), nullable=False, server_default=""))
    op.add_column("sources", sa.Column("etag", sa.String(), nullable=True))
    op.add_column("sources", sa.Column("last_modified", sa.String(), nullable=True))

    op.add_column("documents", sa.Column("own_title", sa.String(), nullable=False, server_default=""))
    # What was no gift is read from the document again.
    op.execute("UPDATE documents SET title = '' WHERE NOT title_given")
    with op.batch_alter_table("documents") as batch:
        batch.drop_column("title_given")

    op.add_column("sources", sa.Column("place", sa.String(), nullable=False, server_default=""))
    _fill_places()
    op.drop_index("uq_sources_key", "sources")
    op.create_index("uq_sources_place", "sources", ["organization_id", "kind", "place"], unique=True)

    op.add_column("jobs", sa.Column("started_at", sa.DateTime(timezone=True), nullable=True))
    op.drop_index("ix_jobs_queue", "jobs")
    op.create_index("ix_jobs_queue", "jobs", ["state", "organization_id", "priority", "queued_at"])
    op.create_index("ix_jobs_turns", "jobs", ["organization_id", "started_at"])


def _fill_places() -> None:
    """The key without its capitals; the later of two that differ in nothing else gets a place that no key has, and
    the next scan sees that they are one path. Files in sub-folders found before there were collections get theirs."""
    sources = sa.table(
        "sources",
        *(sa.column(name) for name in ("organization_id", "kind", "key", "place", "created_at")),
        *(sa.column(name, sa.Uuid()) for name in ("id", "document_id")),
    )
    documents = sa.table("documents", sa.column("id", sa.Uuid()), sa.column("collection"))
    bind, taken = op.get_bind(), set()
    for row in bind.execute(sa.select(sources).order_by(sources.c.created_at)).all():
        folded = (row.organization_id, row.kind, row.key.casefold())
        place = f"{row.key}#{row.id}" if folded in taken else row.key.casefold()
        taken.add(folded)
        bind.execute(sa.update(sources).where(sources.c.id == row.id).values(place=place))
        folder, slash, _ = row.key.partition("/")
        if row.kind == "folder" and slash:
            unsorted = (documents.c.id == row.document_id, documents.c.collection == "")
            bind.execute(sa.update(documents).where(*unsorted).values(collection=folder))


def downgrade() -> None:
    op.drop_index("ix_jobs_turns", "jobs")
    op.drop_index("ix_jobs_queue", "jobs")
    op.create_index("ix_jobs_queue", "jobs", ["state", "priority", "queued_at"])
    op.drop_index("uq_sources_place", "sources")
    op.create_index("uq_sources_key", "sources", ["organization_id", "kind", "key"], unique=True)
    op.add_column("documents", sa.Column("title_given", sa.Boolean(), nullable=False, server_default=sa.false()))
    for table, column in (
        ("jobs", "started_at"),
        ("sources", "place"),
        ("documents", "own_title"),
        ("sources", "last_modified"),
        ("sources", "etag"),
        ("documents", "collection"),
        ("documents", "language"),
        ("documents", "note"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
