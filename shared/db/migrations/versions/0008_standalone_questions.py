"""How a follow-up question was understood (owner: query_service)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("standalone_question", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("messages", "standalone_question")
