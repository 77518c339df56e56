"""FHIRPath for mapping rows: strict compilation, evaluation against one event, and what nobody read.

`fhirpathpy` evaluates; two of its habits are corrected here. Its parser accepts nonsense silently, so an expression is
first parsed with an error listener of our own and its functions and variables are checked. And its results are copies,
so the raw nodes are taken instead: they know their place in the message, which tells exactly what was read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

import fhirpathpy
from antlr4 import CommonTokenStream, InputStream, Token  # type: ignore[import-untyped]
from antlr4.error.ErrorListener import ErrorListener  # type: ignore[import-untyped]
from fhirpathpy.engine.invocations import invocation_registry
from fhirpathpy.engine.nodes import ResourceNode
from fhirpathpy.models import models
from fhirpathpy.parser import parse
from fhirpathpy.parser.generated.FHIRPathLexer import FHIRPathLexer
from fhirpathpy.parser.generated.FHIRPathParser import FHIRPathParser

from adapters.hospital.fhir_bundle import Entry, Resources

VARIABLES = (
    "patient",  # the child or the deceased
    "mother",  # Patient first, then RelatedPerson, then Patient.contact: the same element names serve all three
    "father",
    "encounter",
    "observations",  # those about the patient
    "facility",  # Organization of the encounter, else the sender's
    "location",
    "composition",  # of a document: the one about the patient
    "bundle",  # the whole message
)
_STANDARD = ("context", "ucum", "sct", "loinc", "resource")


class _Strict(ErrorListener):  # type: ignore[misc]
    """Turns the parser's whispers into a ValueError with the column."""

    def syntaxError(self, recognizer: Any, symbol: Any, line: int, column: int, message: str, error: Any) -> None:  # noqa: N802
        raise ValueError(f"not a FHIRPath expression at column {column + 1}")


@dataclass(frozen=True, slots=True)
class FhirPath:
    """A compiled expression; `expression` is its text, for provenance."""

    expression: str
    evaluate: Any = field(repr=False, compare=False)

    def __str__(self) -> str:
        return self.expression


@cache
def compile_path(expression: str) -> FhirPath:
    """Compile once. Raises ValueError for bad grammar, an unknown function or an unknown %variable."""
    _check_grammar(expression)
    for kind, name in _names(parse(expression)):  # type: ignore[no-untyped-call]
        if kind == "variable" and name not in VARIABLES + _STANDARD:
            raise ValueError(f"unknown variable %{name}; known: {', '.join('%' + known for known in VARIABLES)}")
        if kind == "function" and name not in invocation_registry:
            raise ValueError(f"unknown function {name}()")
    return FhirPath(expression, fhirpathpy.compile(expression, model=models["r4"], options={"returnRawData": True}))


def _check_grammar(expression: str) -> None:
    lexer, strict = FHIRPathLexer(InputStream(expression)), _Strict()
    lexer.removeErrorListeners()
    lexer.addErrorListener(strict)
    tokens = CommonTokenStream(lexer)
    parser = FHIRPathParser(tokens)
    parser.removeErrorListeners()
    parser.addErrorListener(strict)
    parser.expression()
    # The grammar's start rule does not ask for the end of input: "a b" would pass as "a".
    if (rest := tokens.LT(1)).type != Token.EOF:
        raise ValueError(f"not a FHIRPath expression at column {rest.column + 1}")


def _names(node: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """("variable" | "function", name) for every one in a parsed expression."""
    children = node.get("children", ())
    if node.get("type") == "ExternalConstant" and children:
        yield "variable", children[0]["text"].strip("`'")
    if node.get("type") == "Functn" and children:
        yield "function", children[0]["text"].strip("`")
    for child in children:
        yield from _names(child)


@dataclass(slots=True)
class FhirScope:
    """One event's variables. `select` evaluates a compiled path; `unread` lists leaves of the event's resources that no
    selected value covers. A path that returns a whole element (HumanName, Address) covers everything below it, although
    a transform may use less: that much is approximate."""

    resources: Resources
    roles: Mapping[str, Sequence[Entry]]
    _variables: dict[str, Any] = field(init=False)
    _read: set[str] = field(default_factory=set)
    _extended: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._variables = {name: [_node(entry) for entry in self.roles.get(name, ())] for name in VARIABLES}
        self._variables["bundle"] = self.resources.root

    def select(self, path: FhirPath) -> Sequence[Any]:
        """Strings for primitives ("true", "3200"), JSON objects for elements, in document order."""
        values = []
        for node in path.evaluate(self.resources.root, self._variables):
            if isinstance(node, ResourceNode) and node.propName:
                self._read.add(node.propName)
                # What extends a primitive was read in its place: the time of birth instead of birthDate.
                self._extended.add(node.propName.partition(".extension[")[0])
            if (value := _plain(node)) is not None:
                values.append(value)
        return values

    def unread(self) -> Sequence[str]:
        """Places such as `Bundle.entry[1].resource.telecom[0].value`."""
        entries = dict.fromkeys(entry for role in VARIABLES for entry in self.roles.get(role, ()))
        return [leaf for entry in entries for leaf in _leaves(entry) if not self._covers(entry, leaf)]

    def _covers(self, entry: Entry, leaf: str) -> bool:
        # The evaluator writes `_birthDate` as `birthDate`, and a choice element `valueQuantity` as `value`.
        bare = leaf.replace("_", "")
        if (
            bare in self._read
            or bare in self._extended
            or any(bare[: cut.start()] in self._read for cut in _CUTS.finditer(bare))
        ):
            return True
        # The code of an observation is what its value was chosen by.
        return leaf.startswith(f"{entry.place}.code.") and any(read.startswith(entry.place) for read in self._read)


_CUTS = re.compile(r"[.\[A-Z]")


def _node(entry: Entry) -> ResourceNode:
    return ResourceNode(dict(entry.resource), entry.type, propName=entry.place)  # type: ignore[no-untyped-call]


def _plain(node: Any) -> Any:
    value = node.data if isinstance(node, ResourceNode) else node
    if isinstance(value, Mapping):
        # {"extension": …} alone is a primitive without a value (FHIR R4 section 2.6.2.1).
        return None if set(value) <= {"extension", "id"} else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float | Decimal):
        return str(value)
    if value is None or isinstance(value, str):
        return value if value and value.strip() else None
    return str(value)  # a FHIRPath date, time or quantity made by the expression itself


_ENVELOPE = {"resourceType", "id", "meta", "text", "implicitRules", "language", "fullUrl", "status"}
"""Elements that frame a resource or tie it to others; the reader itself uses them."""
_QUALIFIERS = (".url", ".system", ".use", ".display", ".active", ".reference")  # they say what the value beside them is
_ASKED = {  # by fhir_events and fhir_roles
    "Encounter": ("class", "hospitalization", "type", "serviceType", "priority", "reasonCode"),
    "Composition": ("type", "date", "title", "author", "section"),
    "Location": ("type",),
}
_LINKS = {"subject", "patient", "encounter", "partOf", "performer", "link", "relationship"}


def _leaves(entry: Entry) -> Iterator[str]:
    for name, value in entry.resource.items():
        if name not in _ENVELOPE and name not in _LINKS and name not in _ASKED.get(entry.type, ()):
            yield from _below(value, f"{entry.place}.{name}")


def _below(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "relationship":  # chose whose facts these are
                yield from _below(inner, f"{place}.{name}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _below(inner, f"{place}[{index}]")
    elif value not in (None, "") and not place.endswith(_QUALIFIERS):
        yield place
