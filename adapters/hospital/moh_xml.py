"""The Ministry of Health's XML: giấy chứng sinh and giấy báo tử documents, XML9 and XML1 in their envelope."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from adapters.hospital import moh_papers
from adapters.hospital.moh_envelope import Document, open_document, open_envelope, refusal_of
from adapters.hospital.moh_papers import ISSUED, PAPERS, Paper, date_of, parse_date, text_of
from adapters.hospital.moh_receipt import Line, bind_receipts, write_receipt
from adapters.hospital.moh_scope import XmlPath, XmlScope, compile_path
from adapters.hospital.moh_signature import ABSENT, BLOCK, Verdict, load_trust
from adapters.hospital.refusals import status_of
from gateway.domain.case import Rank
from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, local_name, parse_xml
from gateway.ports.hospital import Answer, Event, Feed, Header

_FHIR_NAMESPACE = b"http://hl7.org/fhir"
_MOST_DOCUMENTS = 1000  # in one body; a body of declarations alone must not become a flood of refusals
_DECLARATION = re.compile(rb"<\?xml\s")
_SET_DOWN = (*ISSUED, "NGAY_RA")


class MohReader:
    """Implements gateway.ports.hospital.MessageReader. Stateless: any number of threads may share one."""

    format = "moh"

    def check_feed(self, feed: Feed) -> None:
        """Asked at start: raises SettingsError when a certificate of the feed cannot be read."""
        load_trust(tuple(feed.paper_certificates))

    def recognises(self, raw: bytes) -> bool:
        """XML that is not FHIR's."""
        start = raw[:512].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        return start[:1] == b"<" and _FHIR_NAMESPACE not in start

    def split(self, raw: bytes) -> list[bytes]:
        """One document is one message, however many papers it holds: its signatures cover it as it is. Documents
        written one behind the other, each with its own XML declaration, are as many messages."""
        starts = [match.start() for match in _DECLARATION.finditer(raw)]
        if not 1 < len(starts) <= _MOST_DOCUMENTS or _is_one_document(raw):
            return [raw]
        ends = [*starts[1:], len(raw)]
        return [raw[0 if start == starts[0] else start : end] for start, end in zip(starts, ends, strict=True)]

    def header(self, raw: bytes) -> Header:
        """`control_id` is "": these documents have no message id, so their identity is their content."""
        root = open_envelope(raw)
        dates = (parse_date(at.text) for name in ("NGAYLAP", *_SET_DOWN) for at in root.iter(name))
        return Header(
            format=self.format,
            type=local_name(root),
            control_id="",
            sender=moh_papers.facility_of(root),
            sent_at=_utc(next((found for found in dates if found), None), 420),
            extra=raw,  # the receipt has a line for each paper, and these are known only with the feed
        )

    def unusable(self, raw: bytes, feed: Feed) -> UnreadableMessage | None:
        """The first thing in a document that cannot be used: bytes, a file of the envelope, a paper whose signature is
        not valid where the feed requires it. What is usable is used all the same."""
        try:
            document = open_document(raw, feed, judge=feed.paper_signature == "require")
            return next((line.problem for line in _lines(document, feed) if line.problem), None)
        except UnreadableMessage as error:
            return error

    def patient_of(self, raw: bytes, feed: Feed) -> str | None:
        """MA_BN of an envelope without births or deaths."""
        root = open_document(raw, feed, judge=False).root
        return next((found for at in root.iter("MA_BN") if (found := (at.text or "").strip())), None)

    def events(self, raw: bytes, feed: Feed) -> list[Event]:
        """One event a paper or table row, and one for each XML1 that ended in death. What the feed refuses or cannot be
        opened is left out; UnreadableMessage when nothing is left of a document for that reason."""
        document = open_document(raw, feed)
        papers = document.papers()
        refused = {paper: error for paper in papers if (error := _refused(paper, document, feed))}
        taken = [_event(paper, document, feed) for paper in papers if paper not in refused]
        if not taken and (document.problems or refused):
            raise next(iter((*document.problems, *refused.values())))
        return taken

    def compile(self, path: str) -> XmlPath:
        """An XPath 1.0 expression relative to the paper's element."""
        return compile_path(path)

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        """An XML receipt with one line a paper (`moh_receipt`): the papers define no answer of their own. The status is
        that of `refusals`."""
        lines = _lines_of(header.extra, feed) if header and not code.endswith("R") else []
        status = status_of(code, error)
        return Answer(code, write_receipt(code, message_id, error, lines, feed.language, status), MEDIA_TYPE, status)

    def answer_batch(self, raw: bytes, answers: Sequence[Answer], feed: Feed, message_id: str) -> Answer:
        """One answer to documents written one behind the other: their receipts, code and status of the worst."""
        worst = max(answers, key=lambda answer: ("AER".index(answer.code[-1]), answer.status))
        return Answer(worst.code, bind_receipts([answer.body for answer in answers]), MEDIA_TYPE, worst.status)


MEDIA_TYPE = "application/xml"


def _is_one_document(raw: bytes) -> bool:
    """A declaration inside a CDATA section begins no document."""
    try:
        parse_xml(raw)
    except UnreadableMessage:
        return False
    return True


def _lines_of(raw: bytes | None, feed: Feed) -> list[Line]:
    try:
        return _lines(open_document(raw, feed), feed) if raw else []
    except UnreadableMessage:
        return []  # told once for the whole


def _lines(document: Document, feed: Feed) -> list[Line]:
    """What becomes of each paper and of each file that cannot be opened."""
    papers = [
        Line(
            paper.place,
            document.signature_of(paper).status if local_name(paper.element) in PAPERS else "",
            _refused(paper, document, feed),
        )
        for paper in document.papers()
    ]
    return papers + [Line(error.where.partition(":")[0], "", error) for error in document.problems]


def _refused(paper: Paper, document: Document, feed: Feed) -> UnreadableMessage | None:
    return refusal_of(paper, document.signature_of(paper), feed)


def _event(paper: Paper, document: Document, feed: Feed) -> Event:
    element, form = paper.element, paper.form
    name = local_name(element)
    is_birth = name in ("GIAYCHUNGSINH", "DU_LIEU_GIAY_CHUNG_SINH")
    still = is_birth and moh_papers.is_stillbirth(element)
    patient = "" if is_birth else text_of(element, "MA_BN")  # on birth papers MA_BN is the mother's
    signature = document.signature_of(paper)
    findings = [*document.findings, *_findings(paper, still)]
    if name in PAPERS:
        findings += _signature_findings(paper, signature, feed)
    return Event(
        kind="birth" if is_birth else "death",
        relevance="related" if still else "birth" if is_birth else "death",
        mapping=form,
        rank=Rank.PAPER if name in PAPERS else Rank.XML9,
        patients=(patient,) if patient else (),
        occurred=_occurred(element, feed.offset),
        scope=XmlScope(paper, signature.status),
        findings=tuple(findings),
    )


def _occurred(element: XmlElement, offset: int) -> str:
    """When the paper was issued. One issued again on the same day comes after the first: papers tell the day only."""
    at = _utc(date_of(element, *_SET_DOWN), offset)
    if at and moh_papers.is_issued_again(element):
        return (datetime.fromisoformat(at) + timedelta(seconds=1)).isoformat()
    return at


def _findings(paper: Paper, still: bool) -> list[Finding]:
    element, place = paper.element, paper.place
    found = []
    if still:
        found.append(Finding("birth.still", f"{place}/TINH_TRANG_CON"))
    if paper.form == "birth_surrogacy":
        found.append(Finding("birth.surrogate", f"{place}/HOTEN_MTH"))
    if moh_papers.died_after_birth(element):
        found.append(Finding("birth.died", f"{place}/TINH_TRANG_CON"))
    if text_of(element, "BENH_ICD10_ID", "BENH_ICD10_TEN"):
        found.append(Finding("death.cause_withheld", f"{place}/BENH_ICD10_ID"))
    return found


def _signature_findings(paper: Paper, signature: Verdict, feed: Feed) -> list[Finding]:
    """That a paper is unsigned is news only where signatures are awaited: the feed names certificates."""
    if signature.status == ABSENT:
        return [Finding("paper.signature_absent", paper.place)] if feed.paper_certificates else []
    block = BLOCK if signature.enveloped else f"following-sibling::{BLOCK}[1]"
    return [Finding(f"paper.signature_{signature.status}", f"{paper.place}/{block}", signature.detail)]


def _utc(at: PartialDate | None, offset: int) -> str:
    """The instant in UTC as ISO text; a day without a time is its midnight on the feed's wall clock."""
    if at is None or at.date is None:
        return ""
    day = datetime(at.date.year, at.date.month, at.date.day, tzinfo=timezone(timedelta(minutes=offset)))
    return (at.instant(offset) or day.astimezone(UTC)).isoformat()
