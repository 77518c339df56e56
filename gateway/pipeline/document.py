"""document: a case's notification in the words of a message format, for whoever asks; nothing is sent or stored.

A document is a function of the case alone: asked twice, it has the same bytes and the same identifier.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import orjson

from gateway.domain.case import Case
from gateway.domain.dates import PartialDate
from gateway.domain.notification import flatten, to_json
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.cases import StoredCase
from gateway.pipeline.services import Services
from gateway.ports.hospital import DocumentFrame, DocumentWriter, Feed, MessageReader


def find_writer(readers: Mapping[str, MessageReader], format: str) -> DocumentWriter | None:
    """The writer of a format; None when nothing installed writes it."""
    reader: object = readers.get(format)
    return reader if isinstance(reader, DocumentWriter) else None


def stored_document(services: Services, writer: DocumentWriter, stored: StoredCase) -> bytes:
    """The document of a case in the store, as of the newest thing known about it."""
    # An identity answer changes what a version says, so the document's name tells whether it is in.
    identifier = f"{stored.id}.{stored.version}.{stored.identified}"
    return _write(
        stored.fold(), writer, services.catalogue, services.feed(stored.feed), stored.id, identifier, _as_of(stored)
    )


def rehearsed_document(case: Case, writer: DocumentWriter, catalogue: Catalogue, feed: Feed, at: datetime) -> bytes:
    """The document of a rehearsed case, which has no id: it is named by what it says."""
    facts = {path: to_json(value) for path, value in flatten(case.notification).items()}
    name = f"{case.kind}-{hashlib.sha256(orjson.dumps(facts)).hexdigest()[:32]}"
    return _write(case, writer, catalogue, feed, name, f"{name}.{int(at.timestamp())}", at)


def _write(
    case: Case, writer: DocumentWriter, catalogue: Catalogue, feed: Feed, case_id: str, identifier: str, at: datetime
) -> bytes:
    here = at.astimezone(timezone(timedelta(minutes=feed.offset)))
    author = feed.facility_name or feed.facility_code or "hotich-gateway"
    frame = DocumentFrame(case_id, identifier, here, feed.offset, author, case.withdrawn)
    layers = catalogue.within(feed.name)
    return writer.write(case.notification, frame, lambda name: layers.table(name, here.date()))


def _as_of(stored: StoredCase) -> datetime:
    """When the newest fact of a case was told: not the moment of asking, so that equal cases give equal documents."""
    told = [
        *(reading.occurred for reading in stored.readings),
        *(answer.asked_at for answer in stored.identity.values()),
        *(edit.at for edit in stored.edits.values()),
    ]
    instants = (PartialDate.parse(text).instant() for text in told if text)
    opened = datetime.fromtimestamp(stored.opened_at // 1_000_000, UTC)
    return max(filter(None, instants), default=opened)
