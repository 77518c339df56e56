"""What today's usual form needs of a hospital's messages, told by the outbound rules alone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from pathlib import Path

from gateway.domain.notification import UNITS
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import load_forms


def form_labels(directory: Path) -> dict[str, dict[str, str]]:
    """Per kind: the form's field → what the officer's page calls it."""
    forms = load_forms(directory)
    return {
        kind: {field.name: f"{section.title}: {field.label}" for section in form.sections for field in section.fields}
        for kind, form in forms.items()
    }


def needed_fields(kind: str, catalogue: Catalogue, on: date) -> dict[str, list[str]]:
    """Fields of the notification that today's usual form asks for → the form's fields that they fill."""
    needed: dict[str, list[str]] = {path: [] for path in UNITS[kind]}
    for row in catalogue.outbound(kind, on).rows:
        for source in row.sources:
            path = ".".join(source.text.split(".")[:2])
            if path in needed and row.field not in needed[path]:
                needed[path].append(row.field)
    return {path: wire for path, wire in needed.items() if wire and not path.startswith("facility.")}


def never_filled(kind: str, catalogue: Catalogue, on: date, arriving: Collection[str]) -> dict[str, list[str]]:
    """Fields of today's usual form that only messages can fill, and that none of the `arriving` fields of the
    notification fills → the fields of the notification that would."""
    sources: dict[str, list[str]] = {}
    supplied = set()  # by the settings, the commune or a rule of the form
    for row in catalogue.outbound(kind, on).rows:
        paths = [".".join(source.text.split(".")[:2]) for source in row.sources]
        told = [path for path in paths if path in UNITS[kind] and not path.startswith("facility.")]
        if row.value is not None or len(told) < len(paths):
            supplied.add(row.field)
        sources.setdefault(row.field, []).extend(path for path in told if path not in sources.get(row.field, ()))
    return {
        field: paths
        for field, paths in sources.items()
        if paths and field not in supplied and not any(path in arriving for path in paths)
    }
