"""What the MoH mapping rows are evaluated against: XPath 1.0 relative to one paper's element."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from lxml import etree

from adapters.hospital.moh_papers import Paper
from adapters.hospital.moh_signature import ABSENT
from gateway.mapping.safe_xml import XmlElement, local_name

_SIBLING = re.compile(r"\.\./(\w+)")
_VARIABLE = re.compile(r"\$([\w.-]+)")


@dataclass(frozen=True, slots=True)
class XmlPath:
    """A compiled XPath 1.0 expression; `expression` is its text, for provenance. One variable is bound: `$signature`,
    the verdict on the paper's signature (valid | invalid | absent | untrusted)."""

    expression: str
    find: etree.XPath = field(repr=False, compare=False)
    asked: frozenset[str] = frozenset()  # siblings that a predicate looks at

    def __str__(self) -> str:
        return self.expression


@dataclass(slots=True)
class XmlScope:
    """XPath relative to one paper's element. `unread` lists the paper's own leaves that no rule selected."""

    paper: Paper
    signature: str = ABSENT
    _read: set[XmlElement] = field(default_factory=set)
    _asked: set[str] = field(default_factory=lambda: {"TINH_TRANG_CON", "KET_QUA_DTRI"})  # the reader itself asks these

    def select(self, path: XmlPath) -> Sequence[str]:
        """Texts in document order, trimmed; empty ones are left out. An element's text is that of all it holds."""
        found = path.find(self.paper.element, signature=self.signature)
        self._asked |= path.asked
        values = []
        for item in found if isinstance(found, list) else [found]:
            if etree.iselement(item):
                self._read.add(item)
            value = "".join(item.itertext()) if etree.iselement(item) else str(item)
            if value.strip():
                values.append(value.strip())
        return values

    def unread(self) -> Sequence[str]:
        """Element names of the paper, in document order."""
        leaves = (leaf for leaf in self.paper.element.iter("*") if not len(leaf) and (leaf.text or "").strip())
        return [self._name(leaf) for leaf in leaves if leaf not in self._read and local_name(leaf) not in self._asked]

    def _name(self, leaf: XmlElement) -> str:
        names = [local_name(leaf)]
        while (leaf := leaf.getparent()) is not None and leaf is not self.paper.element:
            names.append(local_name(leaf))
        return "/".join(reversed(names))


def compile_path(path: str) -> XmlPath:
    """The compiled expression. Raises ValueError with the reason when it is none."""
    if strangers := set(_VARIABLE.findall(path)) - {"signature"}:
        raise ValueError(f"not a variable of XPath here: {', '.join(sorted(strangers))}; there is $signature")
    try:
        return XmlPath(path, etree.XPath(path), frozenset(_SIBLING.findall(path)))
    except etree.XPathSyntaxError as error:
        raise ValueError(f"not an XPath 1.0 expression: {error}") from None
