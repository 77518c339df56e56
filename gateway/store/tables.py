"""The one schema, for SQLite and PostgreSQL. Instants are integer microseconds since 1970 UTC, named `..._at`.

Columns named `sealed` hold personal data encrypted by store.vault; keys made from personal data (`..._key`) are keyed
digests, so nobody can read a number out of an index. `entry` and `payload` are append-only: the service's database user
needs INSERT and SELECT on them, and DELETE on `payload` alone, for erasure.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, text
from sqlmodel import Field, SQLModel


def _big(**options: object) -> Column:  # type: ignore[type-arg]
    return Column(BigInteger, **options)  # type: ignore[arg-type]


_LANE_KEY = String().with_variant(String(collation="C"), "postgresql")
"""Lane keys are read by prefix (`dossier:`), so they sort by code point and not by a language's rules."""

_CLUSTERED = {"sqlite_with_rowid": False}
"""On SQLite the rows lie in the primary key's own tree: one page less to write for every message."""


class Chain(SQLModel, table=True):
    """The head of each writer's hash chain; updated in the transaction that appends."""

    writer: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    __table_args__ = _CLUSTERED


class Entry(SQLModel, table=True):
    """One link of the evidence log (DESIGN section 7). `digest` is SHA-256(salt || payload), empty without one."""

    writer: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary_key=True, autoincrement=False))
    at: int = Field(sa_column=_big(nullable=False))
    kind: str
    subject: str  # message id, case id or user
    meta: str  # JSON text without personal data, keys sorted
    digest: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    __table_args__ = (Index("entry_subject", "subject", "at"), _CLUSTERED)


class Payload(SQLModel, table=True):
    """What an entry's digest stands for, encrypted. Deleting the row erases the data; the chain still verifies."""

    writer: str = Field(primary_key=True)
    seq: int = Field(sa_column=_big(primary_key=True, autoincrement=False))
    salt: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Message(SQLModel, table=True):
    """One received message. `id` is "<writer>.<seq>" of its log entry. (feed, control_key) makes resends one message:
    `control_key` is the control id, or the content digest where the feed re-uses ids or the format has none."""

    id: str = Field(primary_key=True)
    received_at: int = Field(sa_column=_big(nullable=False))
    feed: str
    format: str
    type: str
    control_key: str
    content_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    ack: str  # AA | AE | AR
    relevance: str | None = None  # None until interpreted: birth | death | related | other | unreadable
    patient_key: bytes | None = Field(default=None, sa_column=Column(LargeBinary))
    __table_args__ = (
        Index("message_control", "feed", "control_key", unique=True),
        Index(
            "message_patient",
            "patient_key",
            sqlite_where=text("patient_key IS NOT NULL"),
            postgresql_where=text("patient_key IS NOT NULL"),
        ),
        Index("message_received", "feed", "received_at", "id"),
        _CLUSTERED,
    )


class UnknownSender(SQLModel, table=True):
    """Somebody refused because no feed knows them, or because a mark of their feed is missing: at most a thousand, the
    longest silent go first. `sender` is shortened and without long numbers (pipeline.unknown_senders)."""

    __tablename__ = "unknown_sender"
    address: str = Field(primary_key=True)
    sender: str = Field(primary_key=True)
    format: str = Field(primary_key=True)
    code: str  # why, the last time
    place: str  # the mark that is missing, the last time: sender | address | certificate | facility | settings
    first_at: int = Field(sa_column=_big(nullable=False))
    last_at: int = Field(sa_column=_big(nullable=False))
    count: int = Field(sa_column=_big(nullable=False))
    __table_args__ = (Index("unknown_sender_last", "last_at"),)


class FeedSequence(SQLModel, table=True):
    """The last sequence number (MSH-13) taken from a feed that numbers its messages; NULL when the next one may be
    any."""

    __tablename__ = "feed_sequence"
    feed: str = Field(primary_key=True)
    last: int | None = Field(default=None, sa_column=_big())


class CaseRow(SQLModel, table=True):
    """One case. `sealed` is the encrypted JSON of its readings, identity results and desk edits; `version` grows with
    every change and guards against stale writers."""

    __tablename__ = "case"
    id: str = Field(primary_key=True)
    kind: str
    facility: str
    status: str
    version: int
    identified: int = 0  # the version whose persons were last asked for
    prepared: int = 0  # the version the newest dossier was made from
    commune_code: str = ""
    feed: str
    opened_at: int = Field(sa_column=_big(nullable=False))
    changed_at: int = Field(sa_column=_big(nullable=False))
    settle_at: int = Field(sa_column=_big(nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    __table_args__ = (
        Index("case_status", "status", "changed_at", "id"),
        Index("case_changed", "changed_at", "id"),
        Index("case_facility", "facility", "changed_at", "id"),
        Index("case_commune", "commune_code", "changed_at", "id"),
    )


class CaseKey(SQLModel, table=True):
    """Ways to find a case: patient, paper, mother and day, identity (domain.case keys), as keyed digests."""

    __tablename__ = "case_key"
    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    case_id: str = Field(primary_key=True)
    __table_args__ = (Index("case_key_case", "case_id"),)


class CaseMessage(SQLModel, table=True):
    """Which messages speak in which case."""

    __tablename__ = "case_message"
    case_id: str = Field(primary_key=True)
    message_id: str = Field(primary_key=True)
    __table_args__ = (Index("case_message_message", "message_id"),)


class PossibleDuplicate(SQLModel, table=True):
    """Two cases of one kind that may be about one person, for a person to decide. `first` < `second` are their ids;
    `evidence` is JSON {"agree": codes, "differ": codes} (domain.duplicates), never a value."""

    __tablename__ = "possible_duplicate"
    id: str = Field(primary_key=True)
    kind: str
    first: str
    second: str
    evidence: str
    state: str  # open (decided_at is NULL) | same | different
    proposed_at: int = Field(sa_column=_big(nullable=False))
    decided_by: str = ""  # the person, "merge" when messages settled it
    decided_at: int | None = Field(default=None, sa_column=_big())
    __table_args__ = (
        Index("possible_duplicate_pair", "first", "second", unique=True),
        Index("possible_duplicate_second", "second"),
        Index(
            "possible_duplicate_open",
            "proposed_at",
            "id",
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )


class PatientAlias(SQLModel, table=True):
    """Two handles that a merge (A40, FHIR Patient.link) named one patient, as keyed digests."""

    __tablename__ = "patient_alias"
    key: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    same_as: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))


class DossierRow(SQLModel, table=True):
    """One version of a case's dossier, as sealed and sent. `code` is the idempotency key towards the commune."""

    __tablename__ = "dossier"
    case_id: str = Field(primary_key=True)
    version: int = Field(primary_key=True)
    code: str
    procedure: str
    form: str
    commune_code: str
    mapping_hash: str
    content_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # keyed digest: did it change?
    status: str  # waiting | ready | sealed | sent | accepted | needs_more | registered | refused
    register_by: str  # ISO date, the legal clock the officer sees
    made_at: int = Field(sa_column=_big(nullable=False))
    changed_at: int = Field(sa_column=_big(nullable=False))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # JSON dossier and, once signed, XML
    system: str = ""  # the commune system that took it over
    taken_at: int | None = Field(default=None, sa_column=_big())  # when
    __table_args__ = (Index("dossier_code", "code"), Index("dossier_status", "status", "changed_at"))


class DeskItem(SQLModel, table=True):
    """The built-in officer's desk: dossiers a commune took over here. The key `code` makes a second delivery nothing
    new."""

    __tablename__ = "desk_item"
    code: str = Field(primary_key=True)
    case_id: str
    kind: str
    commune_code: str
    version: int
    state: str  # received | accepted | needs_more | refused | registered
    received_at: int = Field(sa_column=_big(nullable=False))
    changed_at: int = Field(sa_column=_big(nullable=False))
    register_by: str
    deliveries: int = 1
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # signed XML, the officer's words, results
    __table_args__ = (
        Index("desk_item_commune", "commune_code", "state", "register_by", "code"),
        Index("desk_item_case", "case_id"),
    )


class Lane(SQLModel, table=True):
    """One ordered queue. A lease is a `run_at` in the future with a token; `run_at` NULL: idle; `dead` = given up."""

    key: str = Field(sa_column=Column(_LANE_KEY, primary_key=True))
    run_at: int | None = Field(default=None, sa_column=_big())
    token: str = ""
    tries: int = 0
    error: str = ""  # code and words of the last failure, no personal data
    dead: bool = False
    partner: str = ""  # who outside its work goes to: a commune system, a hospital
    __table_args__ = (
        Index(
            "lane_due", "run_at", sqlite_where=text("run_at IS NOT NULL"), postgresql_where=text("run_at IS NOT NULL")
        ),
        Index("lane_dead", "key", sqlite_where=text("dead"), postgresql_where=text("dead")),
        Index(
            "lane_partner",
            "partner",
            "run_at",
            sqlite_where=text("partner <> '' AND run_at IS NOT NULL"),
            postgresql_where=text("partner <> '' AND run_at IS NOT NULL"),
        ),
        _CLUSTERED,
    )


class Work(SQLModel, table=True):
    """One piece of work in a lane; the lowest undone id of a lane is its head."""

    id: int | None = Field(
        default=None, sa_column=Column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    )
    key: str
    kind: str
    args: str  # JSON text without personal data
    put_at: int = Field(sa_column=_big(nullable=False))
    due_at: int = Field(sa_column=_big(nullable=False))  # not before this instant, even at the head of its lane
    done_at: int | None = Field(default=None, sa_column=_big())
    __table_args__ = (
        Index("work_head", "key", "id", sqlite_where=text("done_at IS NULL"), postgresql_where=text("done_at IS NULL")),
    )


class MappingSet(SQLModel, table=True):
    """Every mapping set that ever made a result, so that any day can be replayed."""

    __tablename__ = "mapping_set"
    hash: str = Field(primary_key=True)
    first_used_at: int = Field(sa_column=_big(nullable=False))
    archive: bytes = Field(sa_column=Column(LargeBinary, nullable=False))  # tar.xz of the files


class Checkpoint(SQLModel, table=True):
    """A signed statement of every chain's head (Ed25519 JWS)."""

    id: int | None = Field(default=None, primary_key=True)
    at: int = Field(sa_column=_big(nullable=False))
    jws: str


class User(SQLModel, table=True):
    """A person who signs in. `communes` and `facilities` are space-separated codes; "*" for all."""

    __tablename__ = "person"
    name: str = Field(primary_key=True)
    role: str  # hospital | officer | auditor | admin
    shown_as: str
    password: str  # argon2id
    communes: str = ""
    facilities: str = ""
    disabled: bool = False
    failed: int = 0
    locked_until: int = Field(default=0, sa_column=_big(nullable=False))


class Session(SQLModel, table=True):
    """A signed-in browser. `id` is the SHA-256 of the cookie's token, so that a copy of the table signs nobody in."""

    __tablename__ = "session"
    id: str = Field(primary_key=True)
    person: str
    csrf: str
    made_at: int = Field(sa_column=_big(nullable=False))
    seen_at: int = Field(sa_column=_big(nullable=False))


class Token(SQLModel, table=True):
    """A bearer token for machines. `id` is the SHA-256 of the token."""

    id: str = Field(primary_key=True)
    name: str
    role: str
    feed: str = ""
    communes: str = ""
    facilities: str = ""
    made_at: int = Field(sa_column=_big(nullable=False))
    revoked_at: int | None = Field(default=None, sa_column=_big())
