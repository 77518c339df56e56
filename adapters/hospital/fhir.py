"""FHIR R4 (https://hl7.org/fhir/R4), and R4B and R5 by the feed's settings, as JSON or XML: Bundles of type
transaction, batch, message, document and collection, and single resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from adapters.hospital.fhir_answer import MEDIA_TYPE, envelope_of, make_answer, sender_of
from adapters.hospital.fhir_bundle import Json, Resources, handle_of, instant_of, objects, read_root, text
from adapters.hospital.fhir_document import write_document
from adapters.hospital.fhir_events import find_events, find_facts, is_test
from adapters.hospital.fhir_paths import FhirPath, compile_path
from adapters.hospital.fhir_reply import render, respond
from adapters.hospital.fhir_roles import handles_of
from gateway.domain.notification import Notification
from gateway.ports.hospital import Answer, CodeTable, DocumentFrame, Event, Feed, Header

_FHIR_NAMESPACE = b"http://hl7.org/fhir"


class FhirReader:
    """Implements gateway.ports.hospital.MessageReader and DocumentWriter. Stateless: any number of threads may share
    one."""

    format = "fhir"
    document_type = MEDIA_TYPE

    def recognises(self, raw: bytes) -> bool:
        """A JSON object, or XML in FHIR's namespace."""
        start = raw[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
        return start[:1] == b"{" or (start[:1] == b"<" and _FHIR_NAMESPACE in start)

    def split(self, raw: bytes) -> list[bytes]:
        """[raw], or the lines of an NDJSON file (one resource a line); a Bundle stays whole."""
        first, _, others = raw.strip().partition(b"\n")
        if not others or not first.rstrip().endswith(b"}"):
            return [raw]  # nearly every message: one line, or printed over several
        lines = [line for line in raw.splitlines() if line.strip()]
        whole = all(line.lstrip().startswith(b"{") and line.rstrip().endswith(b"}") for line in lines)
        return lines if whole else [raw]

    def header(self, raw: bytes) -> Header:
        """`control_id` is Bundle.identifier.value, else MessageHeader.id (kept by a resend), else ""."""
        root = read_root(raw)
        kind = text(root["resourceType"])
        envelope = envelope_of(root)
        return Header(
            format=self.format,
            type=f"{kind}/{text(root.get('type'))}" if kind == "Bundle" else kind,
            control_id=_identifier(root) or envelope["message"],
            sender=sender_of(root),
            sent_at=_sent_at(root),
            processing="T" if is_test(root) else "P",
            version="4.0.1",
            extra=envelope,
        )

    def patient_of(self, raw: bytes, feed: Feed) -> str | None:
        """The first Patient's best handle, else the Patient that the first resource refers to."""
        resources = Resources(read_root(raw, feed.fhir_version))
        for patient in resources.of_type("Patient"):
            if handles := handles_of(patient):
                return handles[0]
        for entry in resources.entries:
            for name in ("patient", "subject"):
                for reference in objects(entry.resource.get(name)):
                    if handle := handle_of(reference):
                        return handle
        return None

    def events(self, raw: bytes, feed: Feed) -> list[Event]:
        """See fhir_events and fhir_changes."""
        return find_events(Resources(read_root(raw, feed.fhir_version)), feed)

    def facts_of(self, raw: bytes, feed: Feed, kind: str) -> list[Event]:
        """What Patients of a message without events are like; see fhir_events."""
        return find_facts(Resources(read_root(raw, feed.fhir_version)), feed, kind)

    def compile(self, path: str) -> FhirPath:
        """A FHIRPath expression on the message, with the variables of fhir_paths.VARIABLES."""
        return compile_path(path)

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        """See fhir_answer."""
        return make_answer(header, code, error, message_id)

    def respond(
        self, answer: Answer, header: Header | None, raw: bytes, prefer: str, media_type: str
    ) -> tuple[Answer, dict[str, str]]:
        """See fhir_reply."""
        return respond(answer, header, raw, prefer, media_type)

    def render(self, resource: Mapping[str, Any], media_type: str) -> bytes:
        """A resource of the gateway's own as JSON or XML."""
        return render(resource, media_type)

    def write(self, notification: Notification, frame: DocumentFrame, table: Callable[[str], CodeTable]) -> bytes:
        """See fhir_document."""
        return write_document(notification, frame, table)


def _identifier(root: Json) -> str:
    found = objects(root.get("identifier")) if root.get("resourceType") == "Bundle" else []
    return text(found[0].get("value")) if found else ""


def _sent_at(root: Json) -> str:
    stamps = [root.get("timestamp"), *(meta.get("lastUpdated") for meta in objects(root.get("meta")))]
    return next((found.isoformat() for stamp in stamps if (found := instant_of(stamp, 420))), "")
