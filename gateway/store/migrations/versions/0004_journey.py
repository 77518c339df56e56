"""States as the journey of a case names them (domain.journey), and the keys of one case found by its id."""

from __future__ import annotations

from alembic import op

revision = "0004_journey"
down_revision = "0003_duplicates"


def upgrade() -> None:
    op.execute("""UPDATE "case" SET status = 'ready' WHERE status = 'sealed'""")
    op.execute("UPDATE dossier SET status = 'ready' WHERE status = 'sealed'")
    op.create_index("case_key_case", "case_key", ["case_id"])


def downgrade() -> None:
    op.drop_index("case_key_case", "case_key")
    op.execute("""UPDATE "case" SET status = 'sealed' WHERE status = 'ready'""")
    op.execute("UPDATE dossier SET status = 'sealed' WHERE status = 'ready'")
