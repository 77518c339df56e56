"""If-None-Exist (FHIR R4 section 3.1.0.8.1): a resource that the sender hands in once, whatever it has to repeat.

The criterion is known by a keyed digest in the evidence log: it usually holds a patient's number. The same content
again is a resend anyway. Other content under the same criterion is refused: a server would ignore it and say 200, and
the sender would believe its news had arrived.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.messagelog.chain import NewEntry, append, entries_of
from gateway.web.principal import Principal
from gateway.web.problems import Problem
from gateway.web.site import Site


@dataclass(frozen=True, slots=True)
class Condition:
    """One criterion of one sender, and the content that came with it; both as digests in hexadecimal."""

    subject: str
    content: str


def condition_of(site: Site, who: Principal | None, criterion: str, raw: bytes) -> Condition | None:
    """None without a criterion."""
    stated = criterion.strip().removeprefix("?")
    if not stated:
        return None
    vault = site.services.vault
    subject = vault.key("if-none-exist", who.name if who else "", stated).hex()
    return Condition(f"condition:{subject}", vault.key(raw.strip()).hex())


def check_condition(site: Site, condition: Condition, raw: bytes) -> bool:
    """Whether the criterion is new. Raises Problem 409, and logs the refusal, when it came with other content."""
    services = site.services
    with services.store.read() as conn:
        met = entries_of(conn, condition.subject)
    if all(entry.meta["content"] == condition.content for entry in met):
        return not met
    code = "fhir.condition_met"
    with services.store.write() as conn:
        refused = NewEntry("refused", "http", {"format": "fhir", "code": code, "size": len(raw)}, raw)
        append(conn, services.vault, services.chain, site.now, [refused])
    words = "a resource with other content was handed in under this If-None-Exist before"
    raise Problem(409, code, words, "http.if-none-exist")


def note_condition(site: Site, condition: Condition, tracking: str) -> None:
    """Remember that the criterion is met, after its resource was stored."""
    services = site.services
    with services.store.write() as conn:
        meta = {"content": condition.content, "message": tracking}
        append(conn, services.vault, services.chain, site.now, [NewEntry("conditional", condition.subject, meta)])
