"""The conformance certificate: what a hospital's samples bring of what a birth or death registration needs.

A self-test on the hospital's own messages: nothing is sent, nobody signs it. It holds no value of a message: counts,
field names, places and codes only, and each message by the digest of its bytes, so that both sides can tell later which
samples it was about. The document is what `--json` prints; gateway.cli.certificate_text makes tables of it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from importlib.metadata import version
from typing import Any

from gateway.cli.form_needs import form_labels, needed_fields, never_filled
from gateway.cli.send import find_reader, messages_of
from gateway.cli.try_streams import Tried, Workbench
from gateway.domain.case import Reading
from gateway.domain.finding import FINDINGS, Finding
from gateway.domain.notification import UNITS, flatten
from gateway.errors import UnreadableMessage
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.correlate import read_message
from gateway.ports.hospital import Feed
from gateway.views.feed_report import named_place, place_of

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Read:
    """One message of the samples and what was read in it."""

    format: str
    digest: str
    readings: tuple[Reading, ...]


def certify(bench: Workbench, feed: Feed, tried: Sequence[Tried], at: datetime) -> Told:
    """The certificate of a feed over what its samples became; `at` (aware) is when the test was made."""
    catalogue = bench.now().within(feed.name)
    read = [one for each in tried for one in _read(bench, each)]
    messages = [message for one in tried for message in one.rehearsal.messages]
    cases = [case.told for one in tried for case in one.rehearsal.cases]
    labels = form_labels(bench.plugins.mappings["default"] / "forms")
    return {
        "self_test": True,
        "feed": feed.name,
        "facility": {"code": feed.facility_code, "name": feed.facility_name},
        "tested_at": at.isoformat(timespec="seconds"),
        "gateway_version": version("hotich-gateway"),
        "mapping_hash": catalogue.hash,
        "messages": [_message(*pair) for pair in zip(range(1, len(messages) + 1), messages, read, strict=True)],
        "kinds": {
            kind: told for kind in UNITS if (told := _kind(kind, cases, read, catalogue, at.date(), labels[kind]))
        },
        "findings": _findings([*messages, *cases]),
        "unread": _unread(read),
    }


def _read(bench: Workbench, tried: Tried) -> Iterator[_Read]:
    """In the order of the rehearsal's messages."""
    catalogue, on = bench.now(tried.stream.overlay), tried.rehearsal.now.date()
    for sent in tried.stream.sent:
        reader = find_reader(bench.readers, sent.raw)
        for raw in [sent.raw] if reader is None else messages_of(reader, sent.raw):
            try:
                readings = read_message(reader, raw, sent.feed, sent.name, catalogue, on) if reader else []
            except UnreadableMessage:
                readings = []
            yield _Read(reader.format if reader else "", hashlib.sha256(raw).hexdigest()[:16], tuple(readings))


def _message(number: int, message: Mapping[str, Any], read: _Read) -> Told:
    return {
        "number": number,
        "digest": read.digest,
        "format": read.format,
        "type": message["type"] or "",
        "relevance": message["relevance"],
        "ack": message["ack"],
    }


def _kind(
    kind: str,
    cases: Sequence[Mapping[str, Any]],
    read: Sequence[_Read],
    catalogue: Catalogue,
    on: date,
    labels: Mapping[str, str],
) -> Told:
    """What arrives and what will be asked for in births, or in deaths; {} when the samples have none."""
    mine = [case for case in cases if case["kind"] == kind]
    readings = [
        (one.format, flatten(reading.notification))
        for one in read
        for reading in one.readings
        if reading.kind == kind and reading.relevance in (kind, "related")
    ]
    if not mine and not readings:
        return {}
    owed = Counter((debt["field"], debt["by"]) for case in mine for debt in case["owed"])
    missing = Counter(field for case in mine for field in case["missing"])
    return {
        "cases": len(mine),
        "ready": sum(case["status"] == "ready" for case in mine),
        "events": dict(Counter(sent_as for sent_as, _ in readings)),
        "fields": [
            _field(path, wire, readings, labels, owed, missing)
            for path, wire in needed_fields(kind, catalogue, on).items()
        ],
        "never": [
            {"field": field, "label": labels.get(field, field), "from": paths}
            for field, paths in never_filled(
                kind, catalogue, on, {path for _, facts in readings for path in facts}
            ).items()
        ],
        "owed": [
            {"field": field, "label": labels.get(field, field), "by": by, "cases": count}
            for (field, by), count in owed.most_common()
        ],
        "missing": [
            {"field": field, "label": labels.get(field, field), "cases": count}
            for field, count in missing.most_common()
        ],
    }


def _field(
    path: str,
    wire: Sequence[str],
    readings: Sequence[tuple[str, Mapping[str, Any]]],
    labels: Mapping[str, str],
    owed: Mapping[tuple[str, str], int],
    missing: Mapping[str, int],
) -> Told:
    arrives = Counter(sent_as for sent_as, facts in readings if path in facts)
    asked = sorted({by for field, by in owed if field in wire} | {"facility" for field in wire if field in missing})
    return {
        "field": path,
        "label": _joined([labels.get(field, field) for field in wire]),
        "fills": list(wire),
        "arrives": sum(arrives.values()),
        "by_format": dict(arrives),
        "asked_of": asked,
    }


def _joined(labels: Sequence[str]) -> str:
    """ "Người mẹ: Loại cư trú, Nơi cư trú": the section once."""
    section = labels[0].partition(": ")[0]
    return ", ".join([labels[0], *(label.removeprefix(f"{section}: ") for label in labels[1:])])


def _findings(parts: Sequence[Mapping[str, Any]]) -> list[Told]:
    """Findings of messages and cases by code and place; a case repeats what its messages' said, so each is counted once
    a part."""
    counted = Counter(
        (found["code"], place_of(found["where"]), Finding.from_json(found).detail)
        for part in parts
        for found in part["findings"]
    )
    return [
        {
            "code": code,
            "severity": FINDINGS[code].severity.value,
            "where": named_place(where),
            "detail": detail,
            "count": count,
            "vi": FINDINGS[code].vi,
            "en": FINDINGS[code].en,
        }
        for (code, where, detail), count in counted.most_common()
    ]


def _unread(read: Sequence[_Read]) -> list[Told]:
    """Places with a value that no rule reads. A step that the sender made up may be a name, and is not shown."""
    counted = Counter(
        (one.format, named_place(path))
        for one in read
        for path in dict.fromkeys(path for reading in one.readings for path in reading.unread)
    )
    return [{"format": sent_as, "path": path, "count": count} for (sent_as, path), count in counted.most_common()]
