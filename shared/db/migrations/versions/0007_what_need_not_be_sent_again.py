"""Answers to repeated requests, and bytes that were refused (owner: ingest_service)."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def owned() -> list[sa.Column]:
    """What every row of an organization has."""
    return [
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id"), nullable=False),
    ]


def upgrade() -> None:
    op.create_table(
        "idempotency_keys",
        *owned(),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("location", sa.String(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=True),
    )
    op.create_index("ix_idempotency_keys_organization_id", "idempotency_keys", ["organization_id"])
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])
    op.create_index("uq_idempotency_keys", "idempotency_keys", ["organization_id", "route", "key"], unique=True)
    op.create_table(
        "refusals",
        *owned(),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
    )
    op.create_index("ix_refusals_organization_id", "refusals", ["organization_id"])
    op.create_index("uq_refusals_content", "refusals", ["organization_id", "content_hash"], unique=True)


def downgrade() -> None:
    op.drop_table("refusals")
    op.drop_table("idempotency_keys")
