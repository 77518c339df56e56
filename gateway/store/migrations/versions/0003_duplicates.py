"""Pairs of cases that a person is asked about, and handles that a merge named one patient."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_duplicates"
down_revision = "0002_feeds"


def upgrade() -> None:
    op.create_table(
        "possible_duplicate",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("first", sa.String(), nullable=False),
        sa.Column("second", sa.String(), nullable=False),
        sa.Column("evidence", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("proposed_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("possible_duplicate_pair", "possible_duplicate", ["first", "second"], unique=True)
    op.create_index("possible_duplicate_second", "possible_duplicate", ["second"])
    still_open = sa.text("decided_at IS NULL")
    op.create_index(
        "possible_duplicate_open",
        "possible_duplicate",
        ["proposed_at", "id"],
        sqlite_where=still_open,
        postgresql_where=still_open,
    )
    op.create_table(
        "patient_alias",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("same_as", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", "same_as"),
    )
