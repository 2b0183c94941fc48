"""What documents are filtered by, and what web sources are asked again with (owner: ingest_service)."""

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


def downgrade() -> None:
    for table, column in (
        ("sources", "last_modified"),
        ("sources", "etag"),
        ("documents", "collection"),
        ("documents", "language"),
        ("documents", "note"),
    ):
        with op.batch_alter_table(table) as batch:
            batch.drop_column(column)
