"""Notifications and their FHIR documents for tests: one value for every fact there is, and all cases of the samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any

import orjson

from adapters.hospital.fhir import FhirReader
from gateway.domain.dates import PartialDate
from gateway.domain.notification import UNITS, Notification, build, flatten
from gateway.domain.person import Address, PersonName, Sex
from gateway.mapping.engine import read_event
from gateway.pipeline.document import rehearsed_document
from gateway.pipeline.rehearse import Rehearsal, RehearsedCase, Sent, rehearse_stream
from gateway.ports.hospital import DocumentFrame
from tests.samples.folders import FOLDERS, catalogue, feed, readers

AT = datetime(2026, 11, 23, 8, 15, 30, tzinfo=UTC)
FRAME = DocumentFrame("ks-1", "ks-1.1.0", AT)
READER = FhirReader()
PLACE = Address("Tổ 3", "Phường Quy Nhơn", "21583", "", "", "Tỉnh Gia Lai", "52", "VN")
BY_LEAF: Mapping[str, Any] = {
    "personal_id": "999198000001",
    "cmnd": "999152020",
    "passport": "C9990001",
    "insurance": "DN4999999000001",
    "ethnicity": "13",
    "nationality": "VN",
    "code": "99001",
}
BY_TYPE: Mapping[type, Any] = {
    str: "Trường Sơn",
    int: 2,
    bool: True,
    Sex: Sex.UNDETERMINED,
    PersonName: PersonName("Ksor", "H' Thị", "Bé Trai"),
    PartialDate: PartialDate(2026, 11, 20, 8, 15),
    Address: PLACE,
}


def sample_of(kind: str, path: str) -> Any:
    """A value for any fact; KeyError for one of a type that nobody thought of yet."""
    return BY_LEAF.get(path.rpartition(".")[2]) or BY_TYPE[UNITS[kind][path]]


def every_fact(kind: str) -> dict[str, Any]:
    return {path: sample_of(kind, path) for path in UNITS[kind]}


def written(kind: str, facts: Mapping[str, Any], frame: DocumentFrame = FRAME) -> bytes:
    """The document of a notification with these facts."""
    return READER.write(build(kind, facts), frame, lambda name: catalogue().table(name, AT.date()))


def read_back(kind: str, raw: bytes) -> Notification:
    """The one notification of this kind that our intake reads in a document."""
    events = [event for event in READER.events(raw, feed()) if event.relevance in ("birth", "death")]
    assert [(event.kind, event.relevance) for event in events] == [(kind, kind)]
    return read_event(catalogue(), "fhir", events[0], "m.1", feed(), AT.date()).notification


def facts_of(kind: str, raw: bytes) -> dict[str, Any]:
    return flatten(read_back(kind, raw))


@cache
def rehearsed_stream(name: str) -> Rehearsal:
    return rehearse_stream(catalogue(), readers(), [Sent(file, raw, feed()) for file, raw in FOLDERS[name].messages])


def documents_of(name: str) -> Iterator[tuple[RehearsedCase, bytes]]:
    """Every case of a sample folder with its document."""
    told = rehearsed_stream(name)
    for case in told.cases:
        yield case, rehearsed_document(case.folded, READER, catalogue(), feed(), told.now)


def with_cases() -> list[str]:
    """The folders about a birth or a death."""
    return [name for name in FOLDERS if not name.startswith("other/")]


def resources(raw: bytes, kind: str = "") -> list[dict[str, Any]]:
    """The resources of a document, or those of one type."""
    entries = [entry["resource"] for entry in orjson.loads(raw)["entry"]]
    return [resource for resource in entries if kind in ("", resource["resourceType"])]


def below(value: Any) -> Iterator[tuple[str, Any]]:
    """(name, value) of every element of a JSON value at any depth; elements of a list bear the list's name."""
    for name, inner in value.items():
        for item in inner if isinstance(inner, list) else [inner]:
            yield name, item
            if isinstance(item, dict):
                yield from below(item)
