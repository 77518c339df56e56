"""Tables of what passes between the gateway and its partners: commune systems, hospitals, families.

As in store.tables: instants are integer microseconds since 1970 UTC, `sealed` holds personal data encrypted.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, LargeBinary
from sqlmodel import Field, SQLModel


def _big(**options: object) -> Column:  # type: ignore[type-arg]
    return Column(BigInteger, **options)  # type: ignore[arg-type]


class NumberSeries(SQLModel, table=True):
    """The last dossier number given for an agency and a day; allocating one locks the row, so that there are neither
    gaps nor repeats."""

    __tablename__ = "number_series"
    agency: str = Field(primary_key=True)
    day: str = Field(primary_key=True)  # ISO date of the office
    last: int


class DossierNumber(SQLModel, table=True):
    """The dossier code `<agency>-<yyMMdd>-<nnnn>` of a case; once given it stays. Its row is there before the first
    attempt to submit, so whoever finds it asks the far side first."""

    __tablename__ = "dossier_number"
    case_id: str = Field(primary_key=True)
    system: str
    code: str
    given_at: int = Field(sa_column=_big(nullable=False))
    __table_args__ = (Index("dossier_number_code", "code", unique=True),)


class Partner(SQLModel, table=True):
    """A commune system that refuses us (wrong credentials, address, agency): everything for it rests. No row: it is
    well. `probe_at`: when one delivery may try again."""

    name: str = Field(primary_key=True)
    code: str
    words: str
    since: int = Field(sa_column=_big(nullable=False))
    probe_at: int = Field(sa_column=_big(nullable=False))


class OutcomeRow(SQLModel, table=True):
    """The newest word of the commune on a case. `sealed` is JSON {words, result, paper (base64)}."""

    __tablename__ = "outcome"
    case_id: str = Field(primary_key=True)
    version: int
    system: str
    state: str
    reference: str
    told_at: int = Field(sa_column=_big(nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    __table_args__ = (Index("outcome_state", "state", "told_at"),)


class CallbackSeen(SQLModel, table=True):
    """Calls of commune systems already taken, so that a replayed one does nothing."""

    __tablename__ = "callback_seen"
    system: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    at: int = Field(sa_column=_big(nullable=False))
    __table_args__ = (Index("callback_seen_at", "at"),)


class NoticeRow(SQLModel, table=True):
    """What a hospital was told: one row a case and feed, the newest. `sent_at` NULL: still on its way."""

    __tablename__ = "notice"
    case_id: str = Field(primary_key=True)
    feed: str = Field(primary_key=True)
    state: str
    put_at: int = Field(sa_column=_big(nullable=False))
    sent_at: int | None = Field(default=None, sa_column=_big())


class Letter(SQLModel, table=True):
    """The letter of a registered case: thư chúc mừng or thư chia buồn, as PDF in `sealed`."""

    case_id: str = Field(primary_key=True)
    kind: str
    commune_code: str
    made_at: int = Field(sa_column=_big(nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    __table_args__ = (Index("letter_commune", "commune_code", "made_at"),)


class Handover(SQLModel, table=True):
    """How the papers of a case reach the family: at the facility, at home (the women's union), or at the office. `day`
    is the day it is planned for; `done_at` NULL until somebody says that it was done."""

    case_id: str = Field(primary_key=True)
    commune_code: str
    choice: str  # facility | home | office
    day: str  # ISO date
    who: str  # the person who wrote it down
    at: int = Field(sa_column=_big(nullable=False))
    done_by: str = ""
    done_at: int | None = Field(default=None, sa_column=_big())
    __table_args__ = (
        Index("handover_list", "commune_code", "day", "case_id"),
        Index("handover_day", "day", "case_id"),
    )
