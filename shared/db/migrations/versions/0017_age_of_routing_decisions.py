"""Routing decisions are found by their age, to be forgotten (owner: query_service)."""

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_routing_decisions_created_at", "routing_decisions", ["created_at"])


def downgrade() -> None:
    op.drop_index("ix_routing_decisions_created_at", "routing_decisions")
