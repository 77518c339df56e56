"""JSON Schemas (draft 2020-12) of the TOML mapping files, so that editors complete keys and names and mark mistakes.

They are made from the tables the loader reads by, and kept as `mappings/<name>.schema.json`; a file names its own in a
first line `#:schema ../../inbound.schema.json`. A schema knows structure and closed lists of names. What only the
loader can tell it leaves alone: paths, code tables, quoted dates (a TOML date reaches a schema as text), rows that
contradict each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gateway.mapping.transforms  # registers every transform  # noqa: F401
from gateway.domain.notification import FIELDS, KINDS
from gateway.mapping.file_format import Key, table_schema
from gateway.mapping.forms import FORM
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import (
    INBOUND_HEADER,
    INBOUND_ROW,
    OUTBOUND_FIELD,
    OUTBOUND_HEADER,
    OUTBOUND_ROW,
    SAYS_SOMETHING,
)

_DRAFT = "https://json-schema.org/draft/2020-12/schema"


def inbound_schema() -> dict[str, Any]:
    """Of `inbound/<format>/<name>.toml`."""
    schema = _rule_file("Inbound mapping: how one kind of message event is read", INBOUND_HEADER, INBOUND_ROW)
    schema["properties"]["kind"] |= {"enum": list(KINDS)}
    schema["allOf"] = [_fields_of(kind) for kind in KINDS]
    return schema


def outbound_schema() -> dict[str, Any]:
    """Of `outbound/<procedure>/<name>.toml`."""
    schema = _rule_file("Outbound mapping: how one national form is filled", OUTBOUND_HEADER, OUTBOUND_ROW)
    schema["properties"]["row"]["items"]["properties"]["to"] |= {"pattern": OUTBOUND_FIELD}
    return schema


def form_schema() -> dict[str, Any]:
    """Of `forms/<kind>.toml`."""
    return {"$schema": _DRAFT, "title": "Form: how the officer's page lays out a declaration", **table_schema(FORM)}


SCHEMAS = {"inbound": inbound_schema, "outbound": outbound_schema, "form": form_schema}
"""Each schema by its name."""


def _rule_file(title: str, header: Sequence[Key], row: Sequence[Key]) -> dict[str, Any]:
    schema, rows = table_schema(header), table_schema(row)
    rows["anyOf"] = [{"required": [name]} for name in SAYS_SOMETHING if name in rows["properties"]]
    rows["properties"]["using"] |= {"enum": sorted(TRANSFORMS), "default": "text"}
    schema["properties"]["row"] = {
        "description": "the rules, one a [[row]]",
        "type": "array",
        "items": rows,
    }
    return {"$schema": _DRAFT, "title": title, **schema}


def _fields_of(kind: str) -> Mapping[str, Any]:
    """In a file of this kind, rows fill fields of this kind."""
    of_kind = {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
    fields = {"properties": {"to": {"enum": list(FIELDS[kind])}}}
    return {"if": of_kind, "then": {"properties": {"row": {"items": fields}}}}
