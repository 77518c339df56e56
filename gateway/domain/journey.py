"""The journey of a case: which states there are, what moves it from one to the next. The drawing in docs is made of it.

A state is the fold of what happened; columns that hold one are indexes of that fold. An event that a state does not
know leaves it where it is only when the table says so: anything else is a defect and raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gateway.errors import GatewayError

STATES: Mapping[str, str] = MappingProxyType(
    {
        "collecting": "messages come in; the feed's settle time runs",
        "waiting": "something required is missing or a person has to decide",
        "ready": "complete, signed, on its way to the commune",
        "undelivered": "every attempt failed; an operator re-drives it",
        "rejected": "the commune's system finds its content wrong and says what; people mend it",
        "sent": "the commune's system has it",
        "accepted": "an officer took it over",
        "needs_more": "the officer asked for more",
        "registered": "in the civil register",
        "refused": "the officer refused it, with a reason",
        "corrected": "the facility said something else after it was sent; the officer has the correction",
        "withdrawing": "the facility took it back after it was sent; the officer has to answer",
        "cancelled": "taken back, before it was sent or with the officer's consent",
        "merged": "one patient under two numbers: the other case goes on",
    }
)
"""Every state and what it means."""

FINAL = frozenset(("registered", "refused", "cancelled", "merged"))
"""States that ordinary messages of the patient no longer change: evidence, cancellations and merges still do."""

_DECIDED = {"accepted": "accepted", "asked": "needs_more", "registered": "registered", "refused": "refused"}
_REJECTED = {"rejected": "rejected"}
_DONE = {"changed": "corrected", "merged": "merged", "undeliverable": "undelivered"}
_THERE = {
    **_DECIDED,
    **_REJECTED,
    "undeliverable": "undelivered",
    "delivered": "sent",
    "changed": "corrected",
    "withdrawn": "withdrawing",
    "merged": "withdrawing",
}
_NOT_YET = {"lacking": "waiting", "complete": "ready", "withdrawn": "cancelled", "merged": "merged"}

TRANSITIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "collecting": _NOT_YET,
        "waiting": _NOT_YET,
        "ready": {**_THERE, "changed": "ready"},
        "undelivered": {**_THERE, "changed": "ready"},
        "rejected": {**_THERE, "changed": "ready", "withdrawn": "cancelled", "merged": "merged"},
        "sent": _THERE,
        "accepted": {**_THERE, "delivered": "accepted"},
        "needs_more": {**_THERE, "delivered": "needs_more"},
        "corrected": {**_THERE, "delivered": "corrected"},
        "withdrawing": {
            **_THERE,
            "delivered": "withdrawing",
            "agreed": "cancelled",
            "kept": "accepted",
        },
        "registered": {**_DONE, "delivered": "registered", "registered": "registered", "withdrawn": "withdrawing"},
        "refused": {**_DONE, "delivered": "refused", "refused": "refused", "withdrawn": "cancelled"},
        "cancelled": {**_NOT_YET, "changed": "ready", "agreed": "cancelled", "delivered": "cancelled"},
        "merged": {"merged": "merged", "withdrawn": "merged"},
    }
)
"""State → event → next state. `changed` and `withdrawn` are new versions after one left; `complete` and `lacking` say
what the newest preparation found before that."""


def next_state(state: str, event: str) -> str:
    """Where `event` leads from `state`. GatewayError `case.journey` when the journey knows no such step."""
    after = TRANSITIONS[state].get(event)
    if after is None:
        raise GatewayError("case.journey", f"a case that is {state} takes no {event}")
    return after


def drawing() -> str:
    """The table as a Mermaid state diagram, one arrow a pair of states."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for state, events in TRANSITIONS.items():
        for event, after in events.items():
            if after != state:
                arrows.setdefault((state, after), []).append(event)
    lines = [f"    {state} --> {after}: {', '.join(events)}" for (state, after), events in arrows.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> collecting", *lines, "    merged --> [*]"])
