"""What FHIR's definitions say of an element: whether it repeats, and what it holds. XML leaves both out, JSON needs
them.

The definitions are those of `fhir.resources` (R4B, which serves 4.0.1 too, and R5). They are loaded type by type when
the first XML document comes: a gateway that hears only JSON never pays for them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, get_args, get_origin

_PRIMITIVES = {"bool": "boolean", "int": "integer", "Decimal": "decimal"}
"""Python types of primitives that are no text in JSON (FHIR R4 section 2.6.2.4)."""
_KINDS = frozenset({"text", *_PRIMITIVES.values()})


@dataclass(frozen=True, slots=True)
class Element:
    """`holds` is text, boolean, integer or decimal for primitives, `resource`, else the name of a complex type
    (`HumanName`, `PatientContact`)."""

    repeats: bool
    holds: str

    @property
    def is_primitive(self) -> bool:
        return self.holds in _KINDS


UNKNOWN: Mapping[str, Element] = {}
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")


@lru_cache(maxsize=1024)  # the names come from senders: what they invent must not fill the memory
def elements_of(kind: str, release: str) -> Mapping[str, Element]:
    """The elements of a resource or datatype by name, in the order of XML; {} for a type the release has not."""
    if not _TYPE.fullmatch(kind):
        return UNKNOWN
    if release == "R5":
        from fhir.resources import get_fhir_model_class
    else:
        from fhir.resources.R4B import get_fhir_model_class
    try:
        model = get_fhir_model_class(kind)
    except (LookupError, ValueError):
        return UNKNOWN
    stated = {field.alias or name: field.annotation for name, field in model.model_fields.items()}
    return {name: _element(stated[name]) for name in model.elements_sequence() if name in stated}


def _element(annotation: Any) -> Element:
    inner = _without_none(annotation)
    repeats = get_origin(inner) is list
    if repeats:
        inner = _without_none(get_args(inner)[0])
    if hasattr(inner, "get_model_klass"):
        name = inner.__name__.removesuffix("Type")
        return Element(repeats, "resource" if name == "Resource" else name)
    plain = getattr(inner, "__origin__", inner)  # Annotated[int, …] is int
    return Element(repeats, _PRIMITIVES.get(getattr(plain, "__name__", ""), "text"))


def _without_none(annotation: Any) -> Any:
    """`X` of `X | None`; Annotated stays whole."""
    if get_origin(annotation) is list or hasattr(annotation, "__metadata__"):
        return annotation
    return next((choice for choice in get_args(annotation) if choice is not type(None)), annotation)
