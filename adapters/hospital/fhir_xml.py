"""FHIR XML (FHIR R4 section 2.6.1) and the JSON model it stands for, both ways.

XML does not say which elements repeat nor which values are numbers; fhir_types does. What the definitions do not know
is kept: as text when it has a value, as a list when it occurs twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

from lxml import etree

from adapters.hospital.fhir_types import Element, elements_of
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, local_name, parse_xml

NAMESPACE = "http://hl7.org/fhir"
_XHTML = "http://www.w3.org/1999/xhtml"
_UNKNOWN = Element(False, "")

Json = Mapping[str, Any]


def read_xml(raw: bytes, release: str = "R4") -> Json:
    """The resource in `raw` as the JSON of FHIR would have it. Raises UnreadableMessage `xml.…` naming line and column,
    or `fhir.not_a_resource` when the root is not in FHIR's namespace."""
    root = parse_xml(raw)
    if etree.QName(root).namespace != NAMESPACE:
        raise UnreadableMessage("fhir.not_a_resource", "resourceType", f"the root is not in {NAMESPACE}", "101")
    return _read_resource(root, release)


def _read_resource(element: XmlElement, release: str) -> dict[str, Any]:
    kind = local_name(element)
    return {"resourceType": kind, **_read_complex(element, elements_of(kind, release), release)}


def _read_complex(element: XmlElement, known: Mapping[str, Element], release: str) -> dict[str, Any]:
    found: dict[str, Any] = {str(name): value for name in ("id", "url") if (value := element.get(name)) is not None}
    children: dict[str, list[XmlElement]] = {}
    for child in element:
        if name := local_name(child):
            children.setdefault(name, []).append(child)
    for name, same in children.items():
        definition = known.get(name) or _guess(same)
        if definition.is_primitive:
            found |= _read_primitives(name, same, definition, release)
        else:
            values = [_read_child(child, definition, release) for child in same]
            found[name] = values if definition.repeats or len(values) > 1 else values[0]
    return found


def _guess(same: Sequence[XmlElement]) -> Element:
    """An element that is not in the definitions: a value makes it a primitive."""
    repeats = len(same) > 1
    return Element(repeats, "text" if any(child.get("value") is not None for child in same) else "")


def _read_child(child: XmlElement, definition: Element, release: str) -> Any:
    if definition.holds == "resource":
        inner = next((each for each in child if local_name(each)), None)
        return {} if inner is None else _read_resource(inner, release)
    return _read_complex(child, elements_of(definition.holds, release), release)


def _read_primitives(name: str, same: Sequence[XmlElement], definition: Element, release: str) -> dict[str, Any]:
    """A primitive and, under `_name`, its id and extensions (FHIR R4 section 2.6.2.1): two lists of equal length where
    it repeats, with null where one has nothing."""
    values = [_read_value(child, definition) for child in same]
    beside = [_read_beside(child, release) for child in same]
    several = definition.repeats or len(same) > 1
    found: dict[str, Any] = {}
    if any(value is not None for value in values):
        found[name] = values if several else values[0]
    if any(beside):
        found[f"_{name}"] = beside if several else beside[0]
    return found


def _read_beside(child: XmlElement, release: str) -> dict[str, Any] | None:
    if not len(child) and child.get("id") is None:
        return None
    if etree.QName(child).namespace == _XHTML:
        return None  # what is in a narrative is its text
    return _read_complex(child, elements_of("Element", release), release) or None


def _read_value(child: XmlElement, definition: Element) -> Any:
    if etree.QName(child).namespace == _XHTML:
        return etree.tostring(child, encoding="unicode", with_tail=False)
    text = child.get("value")
    if text is None or definition.holds == "text":
        return text
    if definition.holds == "boolean":
        return {"true": True, "false": False}.get(text, text)
    try:
        return int(text) if definition.holds == "integer" or text.isdecimal() else float(text)
    except ValueError:
        return text  # the mapping rules will find that it is no number


def write_xml(resource: Json, release: str = "R4") -> bytes:
    """A resource of FHIR's JSON as XML, elements in the order of the definitions; what they do not know comes last."""
    return bytes(etree.tostring(_write_resource(resource, release), encoding="UTF-8", xml_declaration=True))


def _write_resource(resource: Json, release: str) -> XmlElement:
    kind = str(resource["resourceType"])
    element = etree.Element(f"{{{NAMESPACE}}}{kind}", nsmap={None: NAMESPACE})
    content = {name: value for name, value in resource.items() if name != "resourceType"}
    _write_content(element, content, elements_of(kind, release), release)
    return element


def _write_content(element: XmlElement, content: Json, known: Mapping[str, Element], release: str) -> None:
    place = {name: index for index, name in enumerate(known)}
    names = dict.fromkeys(name.removeprefix("_") for name in content)
    for name in sorted(names, key=lambda name: place.get(name, len(place))):
        for value, beside in _pairs(content.get(name), content.get(f"_{name}")):
            _write_element(element, name, value, beside, known.get(name, _UNKNOWN), release)


def _pairs(value: Any, beside: Any) -> Iterator[tuple[Any, Any]]:
    """Each value of an element with what stands beside it under `_name`."""
    yield from zip_longest(*(each if isinstance(each, list) else [each] for each in (value, beside)))


def _write_element(parent: XmlElement, name: str, value: Any, beside: Any, known: Element, release: str) -> None:
    if name == "div" and isinstance(value, str):
        parent.append(parse_xml(value.encode()))
        return
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    if isinstance(value, Mapping) and "resourceType" in value:
        element.append(_write_resource(value, release))
    elif isinstance(value, Mapping):
        _write_datatype(element, value, known, release)
    elif value is not None:
        element.set("value", str(value).lower() if isinstance(value, bool) else str(value))
    if isinstance(beside, Mapping):
        _write_datatype(element, beside, Element(False, "Element"), release)


def _write_datatype(element: XmlElement, value: Json, known: Element, release: str) -> None:
    """The id of a datatype and the url of an extension are attributes (FHIR R4 section 2.6.1)."""
    attributes = ("id", "url") if known.holds == "Extension" else ("id",)
    for name in attributes:
        if name in value:
            element.set(name, str(value[name]))
    content = {name: inner for name, inner in value.items() if name not in attributes}
    _write_content(element, content, elements_of(known.holds, release), release)
