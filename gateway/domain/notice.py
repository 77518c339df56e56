"""What a hospital is told of a dossier that came from its messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

TOLD = ("registered", "needs_more", "refused", "rejected", "cancelled")
"""States of the journey that a hospital is told unless its feed says otherwise."""


@dataclass(frozen=True, slots=True)
class OutcomeNotice:
    """`key` names this notice: the same again is the same notice. `state` is the journey's; `at` (aware) when it came
    about. `code` is the dossier's number at the commune, else the case's id. `patients` are the handles by which the
    facility names the child or the deceased, patient number first; `messages` the tracking ids that the facility's
    messages were answered with. `personal_id` is the child's new số định danh cá nhân, "" otherwise; `result` and
    `words` as in ports.commune.Outcome."""

    key: str
    case_id: str
    kind: str  # birth | death
    state: str
    at: datetime
    code: str
    facility_code: str
    patients: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    paper_number: str = ""
    commune: str = ""
    personal_id: str = ""
    words: str = ""
    result: Mapping[str, str] = field(default_factory=dict)
