"""HL7 v2 messages of invented people for tests. Personal numbers start with 999.

`message({"PID-5": "Trần^An"})` overrides fields of a plain admission by their standard numbers; segments that the
overrides name are added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from gateway.domain.case import Reading
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.ports.hospital import Event, Feed

READER = Hl7v2Reader()
FEED = Feed(facility_code="99001")
TODAY = date(2026, 11, 23)
MAPPINGS = Path(__file__).parent.parent / "mappings"

ADMISSION = {
    "MSH-3": "HIS", "MSH-4": "BV", "MSH-5": "HOTICH", "MSH-6": "SO", "MSH-7": "20261123081500+0700",
    "MSH-9": "ADT^A01^ADT_A01", "MSH-10": "M1", "MSH-11": "P", "MSH-12": "2.5", "MSH-18": "UNICODE UTF-8",
    "EVN-1": "A01", "EVN-2": "20261123081500+0700",
    "PID-3": "BN001^^^BV^MR", "PID-5": "Nguyễn^Lan^Thị", "PID-7": "19950203", "PID-8": "F",
    "PV1-2": "I",
}  # fmt: skip
NEWBORN = {"PID-5": "CB Nguyễn Thị Lan", "PID-7": "202611230730+0700", "PV1-4": "N"}
DIED = {"MSH-9": "ADT^A03^ADT_A03", "PID-29": "202611230800+0700", "PID-30": "Y"}


def message(*overrides: Mapping[str, str], end: str = "\r", marks: str = "|^~\\&", encoding: str = "utf-8") -> bytes:
    """A message in bytes; later overrides win. `NK1[2]-3` names a field of the second NK1."""
    fields: dict[str, str] = dict(ADMISSION)
    for override in overrides:
        fields.update(override)
    segments: dict[str, dict[int, str]] = {}
    for path, value in fields.items():
        label, number = path.rsplit("-", 1)
        segments.setdefault(label, {})[int(number)] = value
    lines = [_segment(re.sub(r"\[\d+\]", "", label), numbers) for label, numbers in segments.items()]
    text = "\r".join(lines) + "\r"
    return text.translate(str.maketrans("|^~\\&", marks)).replace("\r", end).encode(encoding)


def _segment(name: str, numbers: Mapping[int, str]) -> str:
    if name == "MSH":
        return "MSH|^~\\&|" + "|".join(numbers.get(n, "") for n in range(3, max(numbers) + 1))
    return "|".join([name, *(numbers.get(n, "") for n in range(1, max(numbers) + 1))])


def events(*overrides: Mapping[str, str], feed: Feed = FEED) -> list[Event]:
    return READER.events(message(*overrides), feed)


def signs(*overrides: Mapping[str, str], feed: Feed = FEED) -> list[tuple[str, str]]:
    """What a message is about: (kind, relevance) pairs."""
    return [(event.kind, event.relevance) for event in events(*overrides, feed=feed)]


def findings(*overrides: Mapping[str, str], feed: Feed = FEED) -> list[str]:
    return [finding.code for event in events(*overrides, feed=feed) for finding in event.findings]


def load_catalogue() -> Catalogue:
    return Catalogue.load(MAPPINGS, {"hl7v2": READER, "fhir": FhirReader(), "moh": MohReader()})


def readings(catalogue: Catalogue, raw: bytes, feed: Feed = FEED) -> list[Reading]:
    return [read_event(catalogue, "hl7v2", event, "m1", feed, TODAY) for event in READER.events(raw, feed)]
