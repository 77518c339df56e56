"""Feeds: who was refused as unknown, and the sequence numbers of feeds that number their messages."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_feeds"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "unknown_sender",
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("sender", sa.String(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("address", "sender", "format"),
    )
    op.create_index("unknown_sender_last", "unknown_sender", ["last_at"])
    op.create_table(
        "feed_sequence",
        sa.Column("feed", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("feed"),
    )


def downgrade() -> None:
    op.drop_table("feed_sequence")
    op.drop_table("unknown_sender")
