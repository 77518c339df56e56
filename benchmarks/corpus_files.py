"""What a directory of example messages holds, and how a sender would hand each of it in. Pure.

The files are other people's: several messages in one, batches, frames written down, fragments, and much that is no
message. Nothing here asks our own readers, so that they are not judged by themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

import orjson

FRAME = re.compile(rb"\x0b|\x1c\r?|\[SOM\]|\[EOM\]")
"""MLLP's frame characters, and the words one sending tool writes for them."""

_BEGINS = re.compile(rb"(?:\A|(?<=[\r\n]))[ \t]*MSH(?=[^\w\s])")
_ENVELOPE = re.compile(rb"(?:\A|(?<=[\r\n]))(?:FHS|BHS|BTS|FTS)\b[^\r\n]*[\r\n]*")
_MOH_ROOT = re.compile(rb"<(?:GIAMDINHHS|HSDLGCS|HSDLGBT)[\s>]")
_RESOURCE = re.compile(rb"<(\w+)[^<>]*http://hl7\.org/fhir[\"']")
_HL7V2_ENDINGS = (".hl7", ".hl7v2")


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes to hand in one way: `mllp` one frame; `/hl7v2`, `/moh`, `/fhir` or `/fhir/Type` a body to POST. `number`
    counts the messages of a file from 1, 0 for the file as a whole."""

    file: str
    number: int
    way: str
    raw: bytes


def parcels_of(name: str, raw: bytes) -> list[Parcel]:
    """How a file is sent; [] when it is nothing a hospital sends."""
    ending = PurePath(name).suffix.lower()
    if ending in _HL7V2_ENDINGS or (ending == ".txt" and _BEGINS.search(_unframed(raw))):
        return _hl7v2(name, raw)
    if ending == ".ndjson":
        return [Parcel(name, number, _fhir_path(line), line) for number, line in enumerate(_lines(raw), 1)]
    if ending == ".json":
        return [Parcel(name, 1, _fhir_path(raw), raw)] if _may_be_fhir(raw) else []
    if _MOH_ROOT.search(raw):
        return [Parcel(name, 1, "/moh", raw)]
    if (found := _RESOURCE.search(raw)) is not None:
        kind = found[1].decode()
        return [Parcel(name, 1, "/fhir" if kind == "Bundle" else f"/fhir/{kind}", raw)]
    return []


def messages_in(raw: bytes) -> list[bytes]:
    """The HL7 v2 messages of a file, without frames and batch envelopes. A fragment without MSH is one message, as a
    broken sender would send it."""
    plain = _unframed(raw)
    starts = [found.start() for found in _BEGINS.finditer(plain)]
    if not starts:
        return [plain] if plain.strip() else []
    ends = [*starts[1:], len(plain)]
    cut = (_ENVELOPE.sub(b"", plain[start:end].lstrip(b" \t")) for start, end in zip(starts, ends, strict=True))
    return [message.rstrip(b"\r\n") + b"\r" for message in cut]


def is_full_of_everything(raw: bytes) -> bool:
    """Whether PID-24, PID-29 and PID-30 are all valued: a message made to show every field, about nobody's birth or
    death."""
    mark = raw[3:4] if raw.startswith(b"MSH") else b"|"
    for segment in re.split(rb"[\r\n]+", raw):
        fields = segment.split(mark)
        if fields[0].strip() == b"PID" and len(fields) > 30:
            return all(fields[number].strip(b'" ') for number in (24, 29, 30))
    return False


def may_be_silent(raw: bytes) -> bool:
    """Whether the sender asked not to be answered, always or in some cases (MSH-15 and MSH-16, HL7 table 0155)."""
    header = re.split(rb"[\r\n]", raw, maxsplit=1)[0].split(raw[3:4] or b"|")
    wanted = {field.strip() for field in header[14:16]} - {b""}
    return bool(wanted) and wanted <= {b"NE", b"ER", b"SU"}


def _hl7v2(name: str, raw: bytes) -> list[Parcel]:
    messages = messages_in(raw)
    single = [Parcel(name, number, "mllp", message) for number, message in enumerate(messages, 1)]
    plain = _unframed(raw).lstrip()
    if len(messages) > 1 or _ENVELOPE.match(plain):
        single.append(Parcel(name, 0, "/hl7v2", plain))
    return single


def _unframed(raw: bytes) -> bytes:
    return FRAME.sub(b"\n", raw.removeprefix(b"\xef\xbb\xbf")) if FRAME.search(raw) else raw


def _lines(raw: bytes) -> Iterator[bytes]:
    return (line for line in raw.splitlines() if line.strip())


def _may_be_fhir(raw: bytes) -> bool:
    """JSON that names a resource, or that somebody broke."""
    try:
        document = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return True
    return isinstance(document, dict) and "resourceType" in document


def _fhir_path(raw: bytes) -> str:
    try:
        kind = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))["resourceType"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "/fhir"
    return "/fhir" if kind == "Bundle" else f"/fhir/{kind}"
