"""SOAP 1.1 envelopes of the national population database: the request written, the reply read.

Request in namespace `http://dancuquocgia.bca`; a lookup's reply is `CongdanCollection/CongDan` in namespace
`http://www.mic.gov.vn/dancu/1.0`, no CongDan meaning not found or not matching (DOMAIN section 6, second-hand). A
verification's is `TonTai` in `KetQuaXacThuc`, known from a test server only: unverified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from adapters.population.dancu_question import Question
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, local_name, parse_xml

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
REQUEST = "http://dancuquocgia.bca"
REPLY = "http://www.mic.gov.vn/dancu/1.0"
MEDIA_TYPE = "text/xml; charset=utf-8"
_YES_NO = {"true": True, "1": True, "false": False, "0": False}  # xs:boolean


class FaultSaid(Exception):
    """The reply is a SOAP Fault; `code` is its faultcode."""

    def __init__(self, code: str) -> None:
        super().__init__("a SOAP fault")
        self.code = code


def write_request(operation: str, codes: Iterable[tuple[str, str]], question: Question) -> bytes:
    """The envelope. `codes` say who asks by which right, in the order of the schema; empty ones are left out."""
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soapenv": ENVELOPE, "dan": REQUEST})
    etree.SubElement(envelope, f"{{{ENVELOPE}}}Header")
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    asked = etree.SubElement(body, f"{{{REQUEST}}}{operation}")
    about = (("SoDinhDanh", question.personal_id), ("SoCMND", question.cmnd), ("HoVaTen", question.name))
    for name, text in (("MaYeuCau", question.request_id), *codes, *about):
        if text:
            etree.SubElement(asked, f"{{{REQUEST}}}{name}").text = text
    if question.born:
        born = etree.SubElement(asked, f"{{{REQUEST}}}NgayThangNamSinh")
        kind = "Nam" if len(question.born) == 4 else "NgayThangNam"
        etree.SubElement(born, f"{{{REQUEST}}}{kind}").text = question.born
    return bytes(etree.tostring(envelope, xml_declaration=True, encoding="UTF-8"))


def read_records(raw: bytes) -> list[Mapping[str, Any]]:
    """The persons of a lookup's reply as records (dancu_record). Raises FaultSaid, and ValueError for anything that is
    no such reply."""
    (collection,) = _read_body(raw).iter(f"{{{REPLY}}}CongdanCollection")
    persons = [child for child in collection if local_name(child)]
    if any(person.tag != f"{{{REPLY}}}CongDan" for person in persons):
        raise ValueError("something else than persons")
    # An element without content stands for nobody.
    return [record for record in map(_parts, persons) if isinstance(record, dict)]


def read_exists(raw: bytes) -> bool:
    """Whether a verification's reply confirms what was asked. Raises as `read_records` does."""
    (said,) = (part for part in _read_body(raw).iter() if local_name(part) == "TonTai")
    try:
        return _YES_NO[(said.text or "").strip().lower()]
    except KeyError:
        raise ValueError("neither yes nor no") from None


def find_fault(raw: bytes) -> str | None:
    """The faultcode, when `raw` is an envelope with a SOAP Fault; None for anything else."""
    try:
        _read_body(raw)
    except FaultSaid as fault:
        return fault.code
    except ValueError:
        return None
    return None


def _read_body(raw: bytes) -> XmlElement:
    try:
        root = parse_xml(raw)
    except UnreadableMessage:
        raise ValueError("not XML") from None
    (body,) = root.findall(f"{{{ENVELOPE}}}Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else []
    fault = body.find(f"{{{ENVELOPE}}}Fault")
    if fault is not None:
        raise FaultSaid(fault.findtext("faultcode") or "")
    return body


def _parts(element: XmlElement) -> dict[str, Any] | str:
    """An element's text, or its children by lower-case name. Raises ValueError for two of a name."""
    children = [child for child in element if local_name(child)]
    if not children:
        return "".join(element.itertext()).strip()
    parts = {local_name(child).lower(): _parts(child) for child in children}
    if len(parts) != len(children):
        raise ValueError("two elements of a name")
    return parts
