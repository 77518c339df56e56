"""The one XML parser of the house: bytes from outside become an lxml tree only through here.

Hardened against what strangers put into XML: no DTD at all (so neither external entities nor entity floods), no
network, no huge trees, and a limit on size and on depth. Hospital documents of the Ministry of Health need none of
these. Errors name line and column and never quote content, which may be a person's data.
"""

from __future__ import annotations

from typing import Any

from lxml import etree

from gateway.errors import UnreadableMessage

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 64

XmlElement = Any
"""An lxml element: the library has no public name for its type."""


def parse_xml(
    raw: bytes, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH, encoding: str | None = None
) -> XmlElement:
    """The root element of `raw`.

    `encoding` overrides the XML declaration for senders known to declare a wrong one; None trusts the declaration
    (UTF-8 without one). Comments and processing instructions stay in the tree, because signatures may cover them.
    Raises UnreadableMessage `xml.too_large`, `xml.malformed`, `xml.has_dtd` or `xml.too_deep`.
    """
    if len(raw) > max_bytes:
        raise UnreadableMessage("xml.too_large", f"offset {max_bytes}", f"the document exceeds {max_bytes} bytes")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        encoding=encoding,
    )
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError as error:
        # Only the fault's name: libxml2's own message may quote the text around it.
        line, column = error.position
        last = parser.error_log.last_error
        fault = last.type_name if last is not None else "no element"
        raise UnreadableMessage(
            "xml.malformed", f"line {line}, column {column}", f"not well-formed XML ({fault})"
        ) from None
    except (LookupError, ValueError):
        raise UnreadableMessage("xml.malformed", "line 1, column 1", "the XML cannot be decoded") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnreadableMessage("xml.has_dtd", "DOCTYPE", "document type declarations are not accepted")
    _check_depth(root, max_depth)
    return root


def _check_depth(root: XmlElement, max_depth: int) -> None:
    depth = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > max_depth:
            raise UnreadableMessage(
                "xml.too_deep", f"line {element.sourceline}", f"elements are nested deeper than {max_depth} levels"
            )


def local_name(element: XmlElement) -> str:
    """The element's name without its namespace; "" for comments and processing instructions."""
    return etree.QName(element).localname if isinstance(element.tag, str) else ""
