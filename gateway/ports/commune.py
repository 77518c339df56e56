"""The commune's administrative-procedure (TTHC) system: takes sealed dossiers, tells what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a dossier: the paper it was made from, as the hospital sent it. `kind` is what the reader
    calls it (HSDLGCS, HSDLGBT)."""

    name: str
    kind: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One sealed dossier on its way. `code` is the idempotency key: the same code twice is one dossier there; with a
    NumberedSystem it is the dossier code `<agency>-<yyMMdd>-<nnnn>`. `version` is 1 for the first, more for
    corrections; `register_by` the legal last day, ISO text. `withdrawn`: the facility takes the dossier back; somebody
    at the commune has to agree or to keep it. A later version that is not withdrawn lifts that request. `form`,
    `module` and `text` are the wire form's name, its name for the kind of registration, and the form filled in
    (gateway.mapping.wire); `received_at` (aware) is when the dossier was made."""

    code: str
    case_id: str
    kind: str
    commune_code: str
    version: int
    register_by: str
    sealed: bytes  # signed XML
    attachments: tuple[Attachment, ...] = ()
    withdrawn: bool = False
    province_code: str = ""
    procedure: str = ""
    form: str = ""
    module: str = ""
    text: str = ""
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: accepted (taken over, work goes on there) · needs_more · registered · refused (by an officer) · rejected
    (the system finds its content wrong: `words` say what) · cancelled (a withdrawal was agreed to) · pending (ask
    again). A correction keeps what was decided; while a withdrawal is unanswered the state is pending, and once the
    commune keeps the dossier it is again what was decided before (accepted, if nothing was). `result` holds so,
    quyenSo, trangSo, ngayDangKy (dd.MM.yyyy), soDinhDanh when registered; `paper` the registration's PDF, if given.
    `words` are the far side's own and may hold personal data."""

    state: str
    reference: str = ""
    words: str = ""
    result: dict[str, str] = field(default_factory=dict)
    paper: bytes = b""


class CommuneSystem(Protocol):
    """Entry point group `gateway.commune`. Every exception outside becomes Unreachable, Refused (Misconfigured when it
    is about us) or Misunderstood with the answer as evidence. `takes_corrections`: it knows what to do with later
    versions and withdrawals; those of other systems' dossiers go to the built-in desk, for a person. `poll_seconds`: it
    has to be asked what became of a dossier, first after so long, then ever more seldom; 0: it tells by itself."""

    name: str
    takes_corrections: bool
    poll_seconds: float

    def submit(self, delivery: Delivery) -> Outcome:
        """Hand the dossier over. Idempotent by `delivery.code` and `delivery.version`."""
        ...

    def status(self, delivery: Delivery) -> Outcome | None:
        """What became of it; None when the system does not know the code."""
        ...


@runtime_checkable
class NumberedSystem(Protocol):
    """A system whose dossiers are numbered by the agency that receives them and by day."""

    def agency_of(self, commune_code: str, province_code: str, on: date) -> str:
        """The agency's code, e.g. "H21.999". Raises Misconfigured when there is none for the commune."""
        ...


@runtime_checkable
class CataloguedSystem(Protocol):
    """A system that can be asked for its code lists."""

    def check_catalogues(self) -> list[str]:
        """Where its lists and our code tables differ, a sentence in English each; [] when nowhere. Raises as `submit`
        does."""
        ...


@dataclass(frozen=True, slots=True)
class Callback:
    """What a system told us by itself. `key` is the same for the same call, so that a replayed one does nothing."""

    code: str
    outcome: Outcome
    key: str


@runtime_checkable
class CallingSystem(Protocol):
    """A system that calls back when something happens to a dossier."""

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Callback:
        """Check the signature and age of a call, and read it; names of `headers` are lower case. Raises Refused when it
        is not the partner's (wrong signature, too old), UnreadableMessage when it makes no sense."""
        ...
