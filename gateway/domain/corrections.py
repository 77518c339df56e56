"""Corrections: what a new version of a dossier says otherwise than the version that left before. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import Any

from gateway.domain.dossier import Correction, Dossier
from gateway.domain.provenance import Provenance

_NOWHERE = Provenance("", "", "")


def corrections_between(old: Mapping[str, Any], new: Dossier) -> tuple[Correction, ...]:
    """What `new` changes in `old` (domain.dossier.as_json of the version that left), in the order of the new form's
    fields; what only the old one had stands last, with an empty new value. An object is compared part by part. A value
    that was only written in another Unicode normal form reads the same and is no correction."""
    before = _leaves(old["dossier"]["fields"])
    after = _leaves(new.fields)
    found = [
        _correction(field, part, before.get((field, part), ""), after.get((field, part), ""), new.provenance)
        for field, part in {**after, **before}
        if not _reads_alike(before.get((field, part), ""), after.get((field, part), ""))
    ]
    return (*found, *_of_commune(old["commune"]["code"], new))


def _leaves(fields: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Every text of a form by field and part."""
    leaves: dict[tuple[str, str], str] = {}
    for field, value in fields.items():
        if isinstance(value, Mapping):
            leaves |= {(field, part): text for part, text in value.items()}
        else:
            leaves[field, ""] = value
    return leaves


def _reads_alike(one: str, other: str) -> bool:
    return unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _correction(field: str, part: str, old: str, new: str, sources: Mapping[str, Provenance]) -> Correction:
    source = sources.get(field, _NOWHERE) if new else _NOWHERE
    return Correction(field, part, old, new, source.message, source.path)


def _of_commune(old: str | None, new: Dossier) -> tuple[Correction, ...]:
    """Another competent commune is no field of every form, and the most important change of all."""
    place = new.commune.commune
    if not old or place is None or place.code == old:
        return ()
    return (Correction("commune", "", old, place.code, path=new.commune.basis),)
