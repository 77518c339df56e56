"""CHUKYDONVI: is a paper the one its facility signed, and does the signer's certificate count?

Whether a signature holds is `moh_xmldsig`. Here: which signature is a paper's, and what the certificate is worth on the
paper's day of issue. Revocation is not looked up: that needs the network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import lru_cache
from pathlib import Path

from cryptography import x509

from adapters.hospital.moh_xmldsig import SIGNATURE, Checked, check_signature, elements_by_id
from gateway.errors import SettingsError
from gateway.mapping.safe_xml import XmlElement, local_name
from gateway.sealing.certificates import is_trusted, weakness

BLOCK = "CHUKYDONVI"
VALID, INVALID, ABSENT, UNTRUSTED = "valid", "invalid", "absent", "untrusted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be said of one paper's signature. `status` is valid | invalid | absent | untrusted (the signature
    fits, the certificate does not count); `detail` the reason, a key of domain.finding.DETAILS."""

    status: str
    detail: str = ""
    enveloped: bool = False  # the signature lies inside the paper, not behind it


NO_SIGNATURE = Verdict(ABSENT)


@lru_cache(maxsize=64)
def load_trust(paths: tuple[str, ...]) -> tuple[x509.Certificate, ...]:
    """The certificates (of authorities or of facilities) in PEM files. Raises SettingsError naming the file."""
    found: list[x509.Certificate] = []
    for path in paths:
        try:
            found += x509.load_pem_x509_certificates(Path(path).read_bytes())
        except (OSError, ValueError):
            words = f"paper_certificates: {path} holds no certificates in PEM form"
            raise SettingsError("settings.paper_certificates", words) from None
    return tuple(found)


def verify_papers(
    root: XmlElement,
    papers: Mapping[XmlElement, date | None],
    trust: Sequence[x509.Certificate] = (),
    offset: int = 420,
) -> dict[XmlElement, Verdict]:
    """The verdict on each paper of a document. `papers` maps a paper's element to its day of issue, on which the
    certificate must be valid on the wall clock of `offset` (minutes east of UTC). The tree must still be as it was
    parsed: names, comments and white space are what was signed."""
    ids = elements_by_id(root)
    parents = {paper.getparent() for paper in papers} - {None}
    checked = [
        check_signature(signature, ids, papers)
        for holder in (*parents, *papers)
        for block in holder.iterchildren("{*}" + BLOCK)
        for signature in block.iterchildren(SIGNATURE)
    ]
    covering: dict[XmlElement, list[Checked]] = {paper: [] for paper in papers}
    for signature in checked:
        for paper in signature.covers:
            covering[paper].append(signature)
    after = _blocks_after(parents)
    return {
        paper: _decide(paper, covering[paper], after.get(paper), trust, _span(day, offset))
        for paper, day in papers.items()
    }


def _decide(
    paper: XmlElement,
    signatures: Sequence[Checked],
    after: XmlElement | None,
    trust: Sequence[x509.Certificate],
    day: tuple[datetime, datetime] | None,
) -> Verdict:
    inside = paper.find("{*}" + BLOCK)
    enveloped = inside is not None and _says_something(inside)
    if not signatures:
        if enveloped or after is not None and _says_something(after):
            return Verdict(INVALID, "no signature covers this paper", enveloped)
        return NO_SIGNATURE
    holding = [signature for signature in signatures if not signature.problem]
    if not holding:
        return Verdict(INVALID, signatures[0].problem, enveloped)
    reasons = [_distrust(signature, trust, day) for signature in holding]
    return Verdict(VALID, "", enveloped) if "" in reasons else Verdict(UNTRUSTED, reasons[0], enveloped)


def _distrust(signature: Checked, trust: Sequence[x509.Certificate], day: tuple[datetime, datetime] | None) -> str:
    """Why a signature that fits does not count; "" when it does."""
    signer = signature.chain[0]
    if signature.weak or weakness(signer):
        return "the algorithm or the key is too weak"
    if not trust:
        return "no certificates are set for this feed"
    if day is None:
        return "the paper has no day of issue"
    at = max(day[0], signer.not_valid_before_utc)  # on the day the certificate itself was issued, from that minute on
    if at >= day[1] or at > signer.not_valid_after_utc:
        return "the certificate was not valid on the day of issue"
    return "" if is_trusted(list(signature.chain), list(trust), at) else "the certificate is not trusted"


def _span(day: date | None, offset: int) -> tuple[datetime, datetime] | None:
    """A calendar day as the instants it begins and ends."""
    if day is None:
        return None
    begin = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(minutes=offset))).astimezone(UTC)
    return begin, begin + timedelta(days=1)


def _blocks_after(parents: Iterable[XmlElement]) -> dict[XmlElement, XmlElement]:
    """The nearest CHUKYDONVI behind each child of the papers' parents."""
    nearest: dict[XmlElement, XmlElement] = {}
    for parent in parents:
        block = None
        for child in parent.iterchildren("*", reversed=True):
            if local_name(child) == BLOCK:
                block = child
            elif block is not None:
                nearest[child] = block
    return nearest


def _says_something(block: XmlElement) -> bool:
    return len(block) > 0 or bool((block.text or "").strip())
