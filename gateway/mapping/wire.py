"""A filled form as the text a commune's system takes: JSON text, or `<hotich><hoso>` XML (see mappings/outbound).

Connectors put it into their envelope's `data`. Nothing is renamed or reordered here: names, order and shapes are the
form's. Text is carried exactly as it is. Characters XML 1.0 section 2.2 forbids are refused in JSON too: a sealed
dossier cannot hold them, and what is sent is what was sealed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from lxml import etree

from gateway.errors import GatewayError

_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def wire_text(wire: str, fields: Mapping[str, Any]) -> str:
    """`fields` (texts, or objects of texts) as `wire` ("json" or "xml") wants them.

    Raises GatewayError `dossier.unsendable`, naming the field but no value, for anything else: another type, a
    forbidden character, a name that is no element's.
    """
    for name, value in fields.items():
        texts = {(name, part): text for part, text in value.items()} if isinstance(value, Mapping) else {(name,): value}
        for steps, text in texts.items():
            _check(steps, text)
    return orjson.dumps(dict(fields)).decode() if wire == "json" else _xml(fields)


def _check(steps: Sequence[str], text: Any) -> None:
    place = ".".join(steps)
    if not all(_NAME.fullmatch(step) for step in steps):
        raise GatewayError("dossier.unsendable", f"{place!r}: not a field's name")
    if not isinstance(text, str):
        raise GatewayError("dossier.unsendable", f"{place}: neither text nor an object of texts")
    if bad := _FORBIDDEN.search(text):
        raise GatewayError("dossier.unsendable", f"{place}: the wire cannot carry the character U+{ord(bad[0]):04X}")


def _xml(fields: Mapping[str, Any]) -> str:
    root = etree.Element("hotich")
    dossier = etree.SubElement(root, "hoso")
    for name, value in fields.items():
        element = etree.SubElement(dossier, name)
        if isinstance(value, Mapping):
            for part, text in value.items():
                etree.SubElement(element, part).text = text
        else:
            element.text = value
    return str(etree.tostring(root, encoding="unicode"))
