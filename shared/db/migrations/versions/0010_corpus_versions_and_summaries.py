"""Versions of the corpus for caches, and summaries of long conversations (owner: query_service)."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "corpus_versions",
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id"), primary_key=True),
        sa.Column("version", sa.Integer(), nullable=False),
    )
    op.add_column("conversations", sa.Column("summary", sa.String(), nullable=False, server_default=""))
    op.add_column("conversations", sa.Column("summarised_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("conversations", "summarised_until")
    op.drop_column("conversations", "summary")
    op.drop_table("corpus_versions")
