"""FHIR R5 read as R4: the few elements that R5 renamed or moved, of the resources that are looked at here.

Everything behind this border, mapping rows included, speaks R4; a feed says `fhir_version = "R5"` and is translated.
4.0.1 and 4.3.0 (R4B) do not differ in what is read. Places in findings and provenance name the R4 elements.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

Json = Mapping[str, Any]


def as_r4(resource: Json) -> Json:
    """An R5 resource, or a Bundle with all resources in it, in R4's elements; what is the same stays the same."""
    kind = resource.get("resourceType")
    if kind == "Bundle" and isinstance(resource.get("entry"), list):
        return {**resource, "entry": [_entry(entry) for entry in resource["entry"]]}
    change = _CHANGES.get(str(kind))
    return change(resource) if change else resource


def _entry(entry: Any) -> Any:
    inner = entry.get("resource") if isinstance(entry, Mapping) else None
    return {**entry, "resource": as_r4(inner)} if isinstance(inner, Mapping) else entry


def _encounter(resource: Json) -> Json:
    """R5: admission, actualPeriod, reason.value and class as a list of concepts; R4: hospitalization, period,
    reasonCode, class as a Coding. A completed encounter was called finished."""
    renamed = {"admission": "hospitalization", "actualPeriod": "period"}
    told = {renamed.get(name, name): value for name, value in resource.items() if name not in ("reason", "class")}
    concepts = [
        value.get("concept") for reason in _list(resource.get("reason")) for value in _list(reason.get("value"))
    ]
    if reasons := [concept for concept in concepts if isinstance(concept, Mapping)]:
        told["reasonCode"] = reasons
    if "serviceType" in resource:
        told["serviceType"] = next((each.get("concept") for each in _list(resource["serviceType"])), None)
    classes = [coding for concept in _list(resource.get("class")) for coding in _list(concept.get("coding"))]
    if classes:
        told["class"] = classes[0]
    if resource.get("status") == "completed":
        told["status"] = "finished"
    return told


def _composition(resource: Json) -> Json:
    """R5 allows several subjects and identifiers; the first is R4's only one."""
    firsts = {name: found[0] for name in ("subject", "identifier") if (found := _list(resource.get(name)))}
    return {**resource, **firsts}


def _message_header(resource: Json) -> Json:
    """R5 names the source's address endpointUrl."""
    source = resource.get("source")
    if isinstance(source, Mapping) and "endpointUrl" in source:
        return {**resource, "source": {**source, "endpoint": source["endpointUrl"]}}
    return resource


_CHANGES: Mapping[str, Callable[[Json], Json]] = {
    "Encounter": _encounter,
    "Composition": _composition,
    "MessageHeader": _message_header,
}


def _list(value: Any) -> list[Json]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, Mapping)]
