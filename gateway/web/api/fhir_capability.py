"""The CapabilityStatement (FHIR R4 section 5.1): true to exactly what gateway.web.api.fhir serves, as a test checks."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version
from typing import Any

SERVED_SINCE = "2026-11-23"  # when the interactions below last changed
_PROCESS_MESSAGE = "http://hl7.org/fhir/OperationDefinition/MessageHeader-process-message"

_TASK = {
    "type": "Task",
    "documentation": "What became of a dossier. Search by POST to keep identifiers out of addresses.",
    "interaction": [{"code": "read"}, {"code": "search-type"}],
    "versioning": "no-version",
    "searchParam": [
        {
            "name": "identifier",
            "definition": "http://hl7.org/fhir/SearchParameter/Task-identifier",
            "type": "token",
            "documentation": "Patient number, tracking id, paper number, dossier code or case; required.",
        }
    ],
}


def capability_statement(types: Iterable[str], read: Iterable[str]) -> dict[str, Any]:
    """`types` may be handed in alone; of them, `read` are looked at for births and deaths."""
    seen = set(read)
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": SERVED_SINCE,
        "kind": "instance",
        "software": {"name": "hotich-gateway", "version": version("hotich-gateway")},
        "implementation": {"description": "Takes births and deaths from health facilities to civil registration"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "application/fhir+xml"],
        "rest": [
            {
                "mode": "server",
                "documentation": "Resources are taken in and become dossiers; none is served back, but Tasks tell what "
                "became of them. Bundles of type message, document and collection are taken at the base address too.",
                "security": {"description": "Bearer token of a hospital system"},
                "resource": [*(_resource(kind, kind in seen) for kind in types), _TASK],
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "operation": [{"name": "process-message", "definition": _PROCESS_MESSAGE}],
            }
        ],
    }


def _resource(kind: str, is_read: bool) -> dict[str, Any]:
    return {
        "type": kind,
        "documentation": "Read for births and deaths" if is_read else "Accepted and kept",
        "interaction": [{"code": "create"}],
        "versioning": "no-version",
        "conditionalCreate": True,
    }
