"""The Ministry of Health's XML as bytes: which character set a document is in, and its tree.

Hospital software declares UTF-8 and writes something else, or declares nothing. Order, as for HL7 v2:
1. Bytes that are UTF-8 (or UTF-16 with its mark) are that, whatever the declaration or a setting says.
2. The feed's `encoding`: a technician knows what a legacy system really writes.
3. The XML declaration.
What remains is refused with the element and the offset of the byte: nothing is guessed, nothing replaced.
"""

from __future__ import annotations

import codecs
import re

from adapters.hospital.hl7v2_charset import UTF_8, configured_codec, is_utf_8
from adapters.hospital.vietnamese_bytes import DECODERS, NAMES
from gateway.domain.finding import Finding
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml

ANY_BYTES = "latin-1"
"""Decodes every byte, so that codes and dates can be read before the feed, and with it the character set, is known."""

_DECLARED = re.compile(rb"""<\?xml\s[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_OPENING = re.compile(rb"<([A-Za-z_][\w.-]{0,80})[^<>]{0,200}>")
_TYPE_ERROR = "102"


def read_tree(raw: bytes, encoding: str | None = None) -> tuple[XmlElement, Finding | None]:
    """The root element, and a finding when the declared character set is not the one the bytes are in.

    `encoding` is the feed's setting. Raises UnreadableMessage of `safe_xml`, or `moh.bytes_undecodable` naming element
    and offset, never the bytes.
    """
    if raw[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return parse_xml(raw), None
    declared = _declared_codec(raw)
    codec = UTF_8 if is_utf_8(raw) else configured_codec(encoding) if encoding else declared or UTF_8
    finding = None
    if declared not in (None, codec) and not raw.isascii():
        finding = Finding("message.charset_contradicts", "/processing-instruction()", f"{declared}, {codec}")
    return parse_xml(_as_utf_8(raw, codec), encoding=UTF_8), finding


def _declared_codec(raw: bytes) -> str | None:
    """The declared codec; None when nothing is declared or nobody knows it."""
    match = _DECLARED.match(raw.removeprefix(codecs.BOM_UTF8).lstrip()[:300])
    if match is None:
        return None
    name = match[1].decode("ascii")
    try:
        return NAMES.get(name.casefold()) or codecs.lookup(name).name
    except LookupError:
        return None


def _as_utf_8(raw: bytes, codec: str) -> bytes:
    if codec == UTF_8 and is_utf_8(raw):
        return raw
    try:
        text = DECODERS[codec](raw) if codec in DECODERS else codecs.decode(raw, codec)
        return str(text).encode()
    except (UnicodeError, LookupError) as error:  # LookupError: a codec that is not of text
        start = error.start if isinstance(error, UnicodeDecodeError) else 0
        words = f"byte {start} is not in the character set {codec}"
        raise UnreadableMessage("moh.bytes_undecodable", _locate(raw, start), words, _TYPE_ERROR) from None


def _locate(raw: bytes, offset: int) -> str:
    """The element whose start tag came last before a byte, with its line."""
    opened = [match[1] for match in _OPENING.finditer(raw, max(0, offset - 4096), offset)]
    line = raw.count(b"\n", 0, offset) + 1
    return f"//{opened[-1].decode('ascii', 'replace')}, line {line}" if opened else f"line {line}"
