"""Who asks, where clients tell, and what visitors thought of answers (owner: query_service)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("conversations", sa.Column("visitor", sa.String(), nullable=False, server_default=""))
    op.create_index("ix_conversations_visitor", "conversations", ["organization_id", "visitor"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("organization_id", sa.Uuid(), sa.ForeignKey("organizations.id"), nullable=False),
        sa.Column("message_id", sa.Uuid(), sa.ForeignKey("messages.id"), nullable=False),
        sa.Column("visitor", sa.String(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=True),
        sa.Column("expected", sa.String(), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("ix_feedback_organization_id", "feedback", ["organization_id"])
    op.create_index("ix_feedback_message_id", "feedback", ["message_id"])
    op.create_index("uq_feedback_message_visitor", "feedback", ["message_id", "visitor"], unique=True)


def downgrade() -> None:
    op.drop_table("feedback")
    op.drop_index("ix_conversations_visitor", "conversations")
    op.drop_column("conversations", "visitor")
