"""The Ministry of Health's XML: giấy chứng sinh and giấy báo tử documents, XML9 and XML1 in their envelope."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
from lxml import etree

from adapters.hospital import moh_papers
from adapters.hospital.moh_papers import Paper, date_of, read_document, text_of
from adapters.hospital.refusals import SENTENCES, status_of
from gateway.domain.case import Rank
from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.mapping.safe_xml import XmlElement, local_name
from gateway.ports.hospital import Answer, Event, Feed, Header

_FHIR_NAMESPACE = b"http://hl7.org/fhir"
_SIBLING = re.compile(r"\.\./(\w+)")
_ISSUED = ("NGAY_CT", "NGAY_CAPGIAYBT", "NGAY_RA")


@dataclass(frozen=True, slots=True)
class XmlPath:
    """A compiled XPath 1.0 expression; `expression` is its text, for provenance."""

    expression: str
    find: etree.XPath = field(repr=False, compare=False)
    asked: frozenset[str] = frozenset()  # siblings that a predicate looks at

    def __str__(self) -> str:
        return self.expression


@dataclass(slots=True)
class XmlScope:
    """XPath relative to one paper's element. `unread` lists the paper's own leaves that no rule selected."""

    paper: Paper
    _read: set[XmlElement] = field(default_factory=set)
    _asked: set[str] = field(default_factory=lambda: {"TINH_TRANG_CON", "KET_QUA_DTRI"})  # the reader itself asks these

    def select(self, path: XmlPath) -> Sequence[str]:
        """Texts in document order, trimmed; empty ones are left out. An element's text is that of all it holds."""
        found = path.find(self.paper.element)
        self._asked |= path.asked
        values = []
        for item in found if isinstance(found, list) else [found]:
            if etree.iselement(item):
                self._read.add(item)
            value = "".join(item.itertext()) if etree.iselement(item) else str(item)
            if value.strip():
                values.append(value.strip())
        return values

    def unread(self) -> Sequence[str]:
        """Element names of the paper, in document order."""
        leaves = (leaf for leaf in self.paper.element.iter("*") if not len(leaf) and (leaf.text or "").strip())
        return [self._name(leaf) for leaf in leaves if leaf not in self._read and local_name(leaf) not in self._asked]

    def _name(self, leaf: XmlElement) -> str:
        names = [local_name(leaf)]
        while (leaf := leaf.getparent()) is not None and leaf is not self.paper.element:
            names.append(local_name(leaf))
        return "/".join(reversed(names))


class MohReader:
    """Implements gateway.ports.hospital.MessageReader. Stateless: any number of threads may share one."""

    format = "moh"

    def recognises(self, raw: bytes) -> bool:
        """XML that is not FHIR's."""
        start = raw[:512].replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
        return start[:1] == b"<" and _FHIR_NAMESPACE not in start

    def split(self, raw: bytes) -> list[bytes]:
        """One document is one message, however many papers it holds: its signatures cover it as it is."""
        return [raw]

    def header(self, raw: bytes) -> Header:
        """`control_id` is "": these documents have no message id, so their identity is their content."""
        root = read_document(raw)
        dates = (_date(at.text) for name in ("NGAYLAP", *_ISSUED) for at in root.iter(name))
        return Header(
            format=self.format,
            type=local_name(root),
            control_id="",
            sender=moh_papers.facility_of(root),
            sent_at=_utc(next((found for found in dates if found), None), 420),
        )

    def patient_of(self, raw: bytes, feed: Feed) -> str | None:
        """MA_BN of an envelope without births or deaths."""
        return next((found for at in read_document(raw).iter("MA_BN") if (found := (at.text or "").strip())), None)

    def events(self, raw: bytes, feed: Feed) -> list[Event]:
        """One event a paper or table row, and one for each XML1 that ended in death."""
        root = read_document(raw)
        return [_event(paper, root, feed) for paper in moh_papers.papers(root)]

    def compile(self, path: str) -> XmlPath:
        """An XPath 1.0 expression relative to the paper's element."""
        try:
            return XmlPath(path, etree.XPath(path), frozenset(_SIBLING.findall(path)))
        except etree.XPathSyntaxError as error:
            raise ValueError(f"not an XPath 1.0 expression: {error}") from None

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        """A JSON receipt {"status", "message_id", "error": {"code", "where", "text", "text_vi"} | null}: the papers
        define no answer of their own. The status is that of `refusals`."""
        status = status_of(code, error)
        problem = None
        if status != 200:
            problem = {
                "code": error.code if error else "message.unreadable",
                "where": error.where if error else "",
                "text": error.message if error else "stored, but the content cannot be used",
                "text_vi": SENTENCES[status],
            }
        body = {"status": code, "message_id": message_id, "error": problem}
        return Answer(code, orjson.dumps(body), "application/json", status)


def _event(paper: Paper, root: XmlElement, feed: Feed) -> Event:
    element, form = paper.element, paper.form
    name = local_name(element)
    is_birth = name in ("GIAYCHUNGSINH", "DU_LIEU_GIAY_CHUNG_SINH")
    still = is_birth and moh_papers.is_stillbirth(element)
    patient = "" if is_birth else text_of(element, "MA_BN")  # on birth papers MA_BN is the mother's
    return Event(
        kind="birth" if is_birth else "death",
        relevance="related" if still else "birth" if is_birth else "death",
        mapping=form,
        rank=Rank.PAPER if name.startswith("GIAY") else Rank.XML9,
        patients=(patient,) if patient else (),
        occurred=_utc(date_of(element, *_ISSUED), feed.offset),
        scope=XmlScope(paper),
        findings=tuple(_findings(paper, still)),
    )


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
    if local_name(element).startswith("GIAY") and element.xpath("string(following-sibling::CHUKYDONVI[1])").strip():
        found.append(Finding("paper.signature_unchecked", f"{place}/following-sibling::CHUKYDONVI[1]"))
    return found


def _date(value: str | None) -> PartialDate | None:
    try:
        return PartialDate.parse(value or "")
    except ValueError:
        return None


def _utc(at: PartialDate | None, offset: int) -> str:
    """The instant in UTC as ISO text; a day without a time is its midnight on the feed's wall clock."""
    if at is None or at.date is None:
        return ""
    day = datetime(at.date.year, at.date.month, at.date.day, tzinfo=timezone(timedelta(minutes=offset)))
    return (at.instant(offset) or day.astimezone(UTC)).isoformat()
