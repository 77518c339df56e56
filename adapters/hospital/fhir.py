"""FHIR R4 JSON (https://hl7.org/fhir/R4): Bundles of type transaction, batch, message, document and collection, and
single Patient, RelatedPerson, Encounter or Observation resources."""

from __future__ import annotations

from typing import Any

from adapters.hospital.fhir_answer import envelope_of, make_answer, sender_of
from adapters.hospital.fhir_bundle import Json, Resources, handle_of, instant_of, objects, read_root, text
from adapters.hospital.fhir_events import find_events, handles_of, is_test
from adapters.hospital.fhir_paths import FhirPath, compile_path
from gateway.ports.hospital import Answer, Event, Feed, Header

_FHIR_NAMESPACE = b"http://hl7.org/fhir"


class FhirReader:
    """Implements gateway.ports.hospital.MessageReader. Stateless: any number of threads may share one."""

    format = "fhir"

    def recognises(self, raw: bytes) -> bool:
        """A JSON object, or XML in FHIR's namespace (which is then refused with a reason)."""
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
        resources = Resources(read_root(raw))
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
        """See fhir_events."""
        return find_events(Resources(read_root(raw)), feed)

    def compile(self, path: str) -> FhirPath:
        """A FHIRPath expression on the message, with the variables of fhir_paths.VARIABLES."""
        return compile_path(path)

    def answer(self, header: Header | None, code: str, error: Any, feed: Feed, message_id: str) -> Answer:
        """See fhir_answer."""
        return make_answer(header, code, error, message_id)


def _identifier(root: Json) -> str:
    found = objects(root.get("identifier")) if root.get("resourceType") == "Bundle" else []
    return text(found[0].get("value")) if found else ""


def _sent_at(root: Json) -> str:
    stamps = [root.get("timestamp"), *(meta.get("lastUpdated") for meta in objects(root.get("meta")))]
    return next((found.isoformat() for stamp in stamps if (found := instant_of(stamp, 420))), "")
