"""Parts of FHIR elements as parsed JSON, whatever a sender put there: a wrong type is as good as absent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any


def objects_of(values: Any) -> list[Mapping[str, Any]]:
    """The JSON objects among one value or several."""
    items = values if isinstance(values, Sequence) and not isinstance(values, str) else [values]
    return [item for item in items if isinstance(item, Mapping)]


def texts_of(value: Any) -> list[str]:
    """The texts among one value or several."""
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str)]


def text_of(value: Any) -> str:
    """A text, trimmed; "" for anything else."""
    return value.strip() if isinstance(value, str) else ""


def extensions_of(element: Any) -> Iterator[Mapping[str, Any]]:
    """Extensions of an element and, nested, of its parts."""
    if isinstance(element, Mapping):
        yield from objects_of(element.get("extension"))
        for inner in element.values():
            yield from extensions_of(inner)
    elif isinstance(element, list):
        for inner in element:
            yield from extensions_of(inner)


def codings_of(extension: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Codings of an extension's valueCoding or valueCodeableConcept."""
    yield from objects_of(extension.get("valueCoding"))
    for concept in objects_of(extension.get("valueCodeableConcept")):
        yield from objects_of(concept.get("coding"))
