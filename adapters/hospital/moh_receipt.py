"""The answer to the Ministry of Health's XML: a receipt of our own, because the papers define none.

```xml
<receipt xmlns="urn:vn:hotich:receipt:1" status="AE" message="rx.7">
  <paper place="/HSDLGCS/GIAYCHUNGSINH[1]" result="accepted" signature="valid"/>
  <paper place="/HSDLGCS/GIAYCHUNGSINH[2]" result="problem" signature="invalid" code="moh.signature_required">…</paper>
</receipt>
```
`status` is AA, AE or AR; `message` the number under which the document is stored; `place` an XPath of the paper. A
problem of the whole is an `error` element. No content of the document is repeated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from adapters.hospital.refusals import SENTENCES
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml

NAMESPACE = "urn:vn:hotich:receipt:1"
_STORED = "stored, but the content cannot be used"
_SENTENCES = {
    "moh.signature_required": "Nguồn gửi này chỉ nhận giấy có chữ ký hợp lệ của cơ sở y tế",
    "moh.file_not_base64": "Nội dung tệp không phải base64",
    "moh.bytes_undecodable": "Có byte không đọc được theo bảng mã đã khai báo",
    "moh.no_paper": "Văn bản không có giấy nào",
    "xml.malformed": "XML không đúng cú pháp",
}
"""What the status alone does not tell."""


@dataclass(frozen=True, slots=True)
class Line:
    """One paper, or one file of an envelope that cannot be opened. `signature` is "" for what is never signed alone."""

    place: str
    signature: str = ""
    problem: UnreadableMessage | None = None


def write_receipt(
    code: str, message_id: str, error: UnreadableMessage | None, lines: Sequence[Line], language: str, status: int
) -> bytes:
    """The receipt as UTF-8. Equal arguments give equal bytes."""
    root = etree.Element(f"{{{NAMESPACE}}}receipt", {"status": code, "message": message_id}, {None: NAMESPACE})
    for line in lines:
        paper = _add(root, "paper", place=line.place, result="problem" if line.problem else "accepted")
        if line.signature:
            paper.set("signature", line.signature)
        if line.problem:
            _explain(paper, line.problem, language, 422)
    if status != 200 and not any(line.problem for line in lines):
        unknown = UnreadableMessage("message.unreadable", "", _STORED)
        _explain(_add(root, "error"), error or unknown, language, status)
    return _as_bytes(root)


def bind_receipts(receipts: Sequence[bytes]) -> bytes:
    """Several receipts as one document, in order."""
    root = etree.Element(f"{{{NAMESPACE}}}receipts", nsmap={None: NAMESPACE})
    root.extend(parse_xml(receipt) for receipt in receipts)
    return _as_bytes(root)


def _explain(element: XmlElement, problem: UnreadableMessage, language: str, status: int) -> None:
    element.set("code", problem.code)
    element.set("where", problem.where)
    element.text = problem.message if language == "en" else _SENTENCES.get(problem.code, SENTENCES[status])


def _add(root: XmlElement, name: str, **attributes: str) -> XmlElement:
    return etree.SubElement(root, f"{{{NAMESPACE}}}{name}", attributes)


def _as_bytes(root: XmlElement) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))
