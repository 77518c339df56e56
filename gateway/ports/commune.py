"""The commune's administrative-procedure (TTHC) system: takes sealed dossiers, tells what became of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """One sealed dossier on its way. `code` is the idempotency key: the same code twice is one dossier there. `version`
    is 1 for the first, more for corrections; `register_by` the legal last day, ISO text. `withdrawn`: the facility
    takes the dossier back; somebody at the commune has to agree or to keep it. A later version that is not withdrawn
    lifts that request."""

    code: str
    case_id: str
    kind: str
    commune_code: str
    version: int
    register_by: str
    sealed: bytes  # signed XML
    attachments: tuple[tuple[str, bytes], ...] = ()
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """`state`: accepted (taken over, work goes on there) · needs_more · registered · refused · cancelled (a withdrawal
    was agreed to) · pending (ask again). A correction keeps what was decided; while a withdrawal is unanswered the
    state is pending, and once the commune keeps the dossier it is again what was decided before (accepted, if nothing
    was). `result` holds so, quyenSo, trangSo, ngayDangKy, soDinhDanh when registered."""

    state: str
    reference: str = ""
    words: str = ""
    result: dict[str, str] = field(default_factory=dict)


class CommuneSystem(Protocol):
    """Entry point group `gateway.commune`. Every exception outside becomes Unreachable, Refused or Misunderstood."""

    name: str

    def submit(self, delivery: Delivery) -> Outcome:
        """Hand the dossier over. Idempotent by `delivery.code` and `delivery.version`."""
        ...

    def status(self, code: str) -> Outcome | None:
        """What became of it; None when the system does not know the code."""
        ...
