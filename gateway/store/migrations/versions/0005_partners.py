"""Commune systems by wire: dossier numbers, systems that rest, their words; notices, letters, handovers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_partners"
down_revision = "0004_journey"


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(), nullable=False)


def _instant(name: str, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=nullable)


def _sealed() -> sa.Column[bytes]:
    return sa.Column("sealed", sa.LargeBinary(), nullable=False)


def upgrade() -> None:
    op.add_column("dossier", sa.Column("system", sa.String(), nullable=False, server_default=""))
    op.add_column("dossier", _instant("taken_at", nullable=True))
    # Whatever left before there was a choice of systems went to the built-in desk.
    op.execute("UPDATE dossier SET system = 'desk', taken_at = changed_at WHERE code IN (SELECT code FROM desk_item)")
    op.add_column("lane", sa.Column("partner", sa.String(), nullable=False, server_default=""))
    waits = sa.text("partner <> '' AND run_at IS NOT NULL")
    op.create_index("lane_partner", "lane", ["partner", "run_at"], sqlite_where=waits, postgresql_where=waits)
    last = sa.Column("last", sa.Integer(), nullable=False)
    op.create_table("number_series", _text("agency"), _text("day"), last, sa.PrimaryKeyConstraint("agency", "day"))
    named = (_text("case_id"), _text("system"), _text("code"), _instant("given_at"))
    op.create_table("dossier_number", *named, sa.PrimaryKeyConstraint("case_id"))
    op.create_index("dossier_number_code", "dossier_number", ["code"], unique=True)
    rests = (_text("name"), _text("code"), _text("words"), _instant("since"), _instant("probe_at"))
    op.create_table("partner", *rests, sa.PrimaryKeyConstraint("name"))
    version = sa.Column("version", sa.Integer(), nullable=False)
    told = (_text("case_id"), version, _text("system"), _text("state"), _text("reference"), _instant("told_at"))
    op.create_table("outcome", *told, _sealed(), sa.PrimaryKeyConstraint("case_id"))
    op.create_index("outcome_state", "outcome", ["state", "told_at"])
    op.create_table(
        "callback_seen", _text("system"), _text("key"), _instant("at"), sa.PrimaryKeyConstraint("system", "key")
    )
    op.create_index("callback_seen_at", "callback_seen", ["at"])
    notice = (_text("case_id"), _text("feed"), _text("state"), _instant("put_at"), _instant("sent_at", nullable=True))
    op.create_table("notice", *notice, sa.PrimaryKeyConstraint("case_id", "feed"))
    letter = (_text("case_id"), _text("kind"), _text("commune_code"), _instant("made_at"))
    op.create_table("letter", *letter, _sealed(), sa.PrimaryKeyConstraint("case_id"))
    op.create_index("letter_commune", "letter", ["commune_code", "made_at"])
    planned = (_text("case_id"), _text("commune_code"), _text("choice"), _text("day"), _text("who"), _instant("at"))
    done = (_text("done_by"), _instant("done_at", nullable=True))
    op.create_table("handover", *planned, *done, sa.PrimaryKeyConstraint("case_id"))
    op.create_index("handover_list", "handover", ["commune_code", "day", "case_id"])
    op.create_index("handover_day", "handover", ["day", "case_id"])


def downgrade() -> None:
    for name in ("handover", "letter", "notice", "callback_seen", "outcome", "partner", "dossier_number"):
        op.drop_table(name)
    op.drop_table("number_series")
    op.drop_index("lane_partner", "lane")
    with op.batch_alter_table("lane") as lane:
        lane.drop_column("partner")
    with op.batch_alter_table("dossier") as dossier:
        dossier.drop_column("taken_at")
        dossier.drop_column("system")
