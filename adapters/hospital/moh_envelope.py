"""One document of the Ministry of Health opened: its tree with the envelope's files hung in, its papers' signatures
judged, and what of it cannot be read.

Known roots are HSDLGCS and HSDLGBT (documents of one or more papers, Circulars 22/2025 and 25/2025/TT-BYT), GIAMDINHHS
(the health-insurance envelope of Decision 130/QĐ-BYT with its amendments, whose files are base64), and a paper or the
XML9 table on its own. One file of an envelope that cannot be opened does not take the others along: it is a problem of
its own, told to the sender with its place.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from lxml import etree

from adapters.hospital import moh_signature
from adapters.hospital.moh_bytes import ANY_BYTES, read_tree
from adapters.hospital.moh_papers import ISSUED, PAPERS, Paper, papers, parse_date, text_of
from adapters.hospital.moh_signature import NO_SIGNATURE, VALID, Verdict
from gateway.domain.finding import Finding
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, local_name
from gateway.ports.hospital import Feed

ROOTS = ("HSDLGCS", "GIAYCHUNGSINH", "HSDLGBT", "GIAYBAOTU", "GIAMDINHHS", "CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH")
_OPENED = ("XML1", "XML9")
_KIND = re.compile(r"XML(0|[1-9]|1[0-5])")  # tables of the decision; another one is a sender's own


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """`root` has no namespaces, comments or processing instructions any more. `signatures` holds the verdict on each
    signed kind of paper; `problems` what could not be opened; `findings` what is true of the document as a whole."""

    root: XmlElement
    signatures: Mapping[XmlElement, Verdict]
    problems: tuple[UnreadableMessage, ...] = ()
    findings: tuple[Finding, ...] = ()

    def papers(self) -> list[Paper]:
        """Every paper, in document order."""
        return list(papers(self.root))

    def signature_of(self, paper: Paper) -> Verdict:
        """The verdict on a paper; rows of tables are never signed one by one."""
        return self.signatures.get(paper.element, NO_SIGNATURE)


def open_envelope(raw: bytes) -> XmlElement:
    """The tree for a look at codes and dates alone, before the feed is known: text may be in a wrong character set.

    Raises UnreadableMessage of `safe_xml`, or `moh.root_unknown`, `moh.no_paper`, `moh.no_file`.
    """
    try:
        root, _ = read_tree(raw)
    except UnreadableMessage as error:
        if error.code != "moh.bytes_undecodable":
            raise
        root, _ = read_tree(raw, ANY_BYTES)
    root = _plain(root)
    _check_root(root)
    return root


def open_document(raw: bytes, feed: Feed, judge: bool = True) -> Document:
    """The document in the feed's character set, with signatures judged by the feed's `paper_certificates` (unless
    nobody asks: `judge` False).

    Raises UnreadableMessage as `open_envelope`, or `moh.bytes_undecodable`; `where` is an XPath or a line.
    """
    root, charset = read_tree(raw, feed.encoding)
    signatures = _judged(root, feed) if judge else {}
    root = _plain(root)
    _check_root(root)
    problems, findings = _open_files(root, feed)
    return Document(root, signatures, tuple(problems), tuple(filter(None, (charset, *findings))))


def refusal_of(paper: Paper, signature: Verdict, feed: Feed) -> UnreadableMessage | None:
    """Why a feed that requires valid signatures does not take this paper; None when it does."""
    if feed.paper_signature != "require" or local_name(paper.element) not in PAPERS or signature.status == VALID:
        return None
    words = f"this feed takes signed papers only, and the signature is {signature.status}"
    return UnreadableMessage("moh.signature_required", paper.place, words, "207")


def _judged(root: XmlElement, feed: Feed) -> dict[XmlElement, Verdict]:
    signed = {paper: _issue_day(paper) for paper in root.iter("{*}GIAYCHUNGSINH", "{*}GIAYBAOTU")}
    trust = moh_signature.load_trust(tuple(feed.paper_certificates))
    return moh_signature.verify_papers(root, signed, trust, feed.offset)


def _issue_day(paper: XmlElement) -> date | None:
    """The day of issue of a paper whose namespaces and comments are still there."""
    texts = ("".join(child.itertext()) for name in ISSUED for child in paper.iterchildren("{*}" + name))
    found = parse_date(next((text for text in texts if text.strip()), None))
    return found.date if found else None


def _plain(root: XmlElement) -> XmlElement:
    """Senders differ in default namespaces, and the papers define none. A comment is not signed and would cut a text
    in two, so that what is read would not be what was signed."""
    etree.strip_tags(root, etree.Comment, etree.PI)
    for element in root.iter("{*}*"):
        element.tag = local_name(element)
    return root


def _check_root(root: XmlElement) -> None:
    name = local_name(root)
    if name not in ROOTS:
        raise UnreadableMessage("moh.root_unknown", "/*", f"the root element is none of {', '.join(ROOTS)}", "200")
    if name == "GIAMDINHHS":
        if root.find(".//FILEHOSO") is None:
            raise UnreadableMessage("moh.no_file", "/GIAMDINHHS", "the envelope holds no FILEHOSO", "101")
    elif not any(True for _ in papers(root)):
        raise UnreadableMessage("moh.no_paper", f"/{name}", "the document holds no paper", "101")


def _open_files(root: XmlElement, feed: Feed) -> tuple[list[UnreadableMessage], list[Finding | None]]:
    problems: list[UnreadableMessage] = []
    findings: list[Finding | None] = [_count(root)]
    for file in root.findall(".//FILEHOSO"):
        kind, content = text_of(file, "LOAIHOSO").upper(), file.find("NOIDUNGFILE")
        if not _KIND.fullmatch(kind):
            findings.append(Finding("message.part_unknown", root.getroottree().getpath(file)))
        if content is None or kind not in _OPENED or len(content):
            continue
        try:
            inner, charset = _opened(content, feed)
        except UnreadableMessage as error:
            problems.append(error)
            continue
        findings.append(charset)
        content.text = None
        content.append(_plain(inner))
    return problems, findings


def _opened(content: XmlElement, feed: Feed) -> tuple[XmlElement, Finding | None]:
    """The XML in one NOIDUNGFILE: base64 in any line length, or the text itself as CDATA."""
    where, text = content.getroottree().getpath(content), (content.text or "").strip()
    try:
        raw = text.encode() if text.startswith("<") else base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise UnreadableMessage("moh.file_not_base64", where, "the file's content is not base64", "102") from None
    try:
        inner, charset = read_tree(raw, feed.encoding)
    except UnreadableMessage as error:
        raise UnreadableMessage(error.code, f"{where}: {error.where}", error.message, error.hl7_code) from None
    return inner, charset and Finding(charset.code, where, charset.detail)


def _count(root: XmlElement) -> Finding | None:
    """SOLUONGHOSO beside the HOSO that came."""
    said, came = (root.findtext(".//SOLUONGHOSO") or "").strip(), len(root.findall(".//HOSO"))
    if not said or (said.isascii() and said.isdigit() and int(said[:9]) == came):
        return None
    return Finding("message.count_differs", "//SOLUONGHOSO", f"{said}≠{came}" if said.isdigit() else str(came))
