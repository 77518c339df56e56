"""The dossier as XML: namespace urn:vn:hotich:1, in canonical form, valid to hotich-dossier-1.xsd.

The bytes are Canonical XML (one form for one content, so equal dossiers are equal bytes) and read back without loss,
except what a sealed dossier must not carry: the population database's record of a person and the candidate communes;
and except what a withdrawn one still lacked, which no longer matters.
Text is carried exactly as it is, NFC or not. Characters XML 1.0 section 2.2 forbids are refused, never dropped or
replaced: a seal must not change what it seals; cleaning belongs to the mapping, which can say so in a finding.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from threading import Lock
from typing import Any

from lxml import etree

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.dossier import Correction, Dossier, Owed
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.provenance import Provenance
from gateway.errors import GatewayError, UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, parse_xml

NAMESPACE = "urn:vn:hotich:1"
_IN = f"{{{NAMESPACE}}}"
_SCHEMA_LOCK = Lock()
_FORBIDDEN = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a dossier is sent under. `code` is the idempotency key towards the commune; `version` is 1 for the first,
    more for corrections; `made_at` is aware and kept to the second; the facility is the notifying one."""

    code: str
    version: int
    case_id: str
    made_at: datetime
    facility_code: str = ""
    facility_name: str = ""


@dataclass(frozen=True, slots=True)
class DossierDocument:
    """What a dossier's XML says. `identity` is by role and without the database's records."""

    envelope: Envelope
    dossier: Dossier
    identity: Mapping[str, IdentityResult]


def write_dossier(dossier: Dossier, envelope: Envelope, identity: Mapping[str, IdentityResult]) -> bytes:
    """The unsigned dossier as canonical UTF-8 XML.

    Raises GatewayError `dossier.unsealable`, naming the place but no value, when the dossier is neither ready nor
    withdrawn, has no commune, holds a character XML cannot carry, or would not be valid to the schema.
    """
    if dossier.commune.commune is None or dossier.status == "waiting":
        raise GatewayError("dossier.unsealable", "the dossier is waiting: its commune or required fields are not known")
    root = etree.Element(
        f"{_IN}dossier", nsmap={None: NAMESPACE}, kind=dossier.kind, code=envelope.code, version=str(envelope.version)
    )
    _write_header(root, dossier, envelope, dossier.commune.commune)
    _write_fields(root, dossier.fields)
    _write_corrections(root, dossier.corrections)
    owed = _add(root, "owed")
    for item in dossier.owed:
        _add(owed, "item", field=item.field, by=item.by)
    _write_identity(root, identity)
    findings = _add(root, "findings")
    for finding in dossier.findings:
        _add(findings, "finding", code=finding.code, where=finding.where, detail=finding.detail)
    provenance = _add(root, "provenance")
    for name, source in dossier.provenance.items():
        _add(provenance, "source", field=name, message=source.message, path=source.path, rule=source.rule)
    if problem := schema_problem(root):
        raise GatewayError("dossier.unsealable", f"not valid to the dossier schema at {problem}")
    canonical: bytes = etree.tostring(root, method="c14n")
    return canonical


def _add(parent: XmlElement, tag: str, text: str = "", **attributes: str) -> XmlElement:
    try:
        element = etree.SubElement(parent, _IN + tag, attributes)
        if text:
            element.text = text
    except ValueError:  # lxml found a forbidden character; say which, and where
        raise _refusal(tag, text, attributes) from None
    return element


def _refusal(tag: str, text: str, attributes: Mapping[str, str]) -> GatewayError:
    bad = _FORBIDDEN.search("".join((text, *attributes.values())))
    character = f"U+{ord(bad.group()):04X}" if bad else "?"
    where = f"{tag} {attributes.get('name', '')}".rstrip()
    return GatewayError("dossier.unsealable", f"{where}: XML cannot carry the character {character}")


def _write_header(root: XmlElement, dossier: Dossier, envelope: Envelope, commune: Commune) -> None:
    header = _add(root, "header", **({"withdrawn": "true"} if dossier.withdrawn else {}))
    _add(header, "caseId", envelope.case_id)
    _add(header, "madeAt", envelope.made_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(header, "procedure", dossier.procedure)
    _add(header, "form", dossier.form, inForce=dossier.in_force, wire=dossier.wire, module=dossier.module)
    _add(header, "mapping", dossier.mapping_hash)
    _add(header, "facility", envelope.facility_name, code=envelope.facility_code)
    _add(
        header,
        "commune",
        commune.name,
        code=commune.code,
        list=commune.list,
        provinceCode=commune.province_code,
        province=commune.province,
        basis=dossier.commune.basis,
    )
    for clock, day in dossier.deadlines.items():
        _add(header, "deadline", day, clock=clock)


def _write_fields(root: XmlElement, values: Mapping[str, Any]) -> None:
    fields = _add(root, "fields")
    for name, value in values.items():
        if isinstance(value, str):
            _add(fields, "field", value, name=name)
            continue
        if not isinstance(value, Mapping):
            raise GatewayError("dossier.unsealable", f"field {name} is neither text nor an object of texts")
        field = _add(fields, "field", name=name)
        for part, text in value.items():
            _add(field, "part", text, name=part)


def _write_corrections(root: XmlElement, corrections: tuple[Correction, ...]) -> None:
    """Only in a version after one that left, so that a first version's bytes need no empty element."""
    if not corrections:
        return
    parent = _add(root, "corrections")
    for item in corrections:
        part = {"part": item.part} if item.part else {}
        changed = _add(parent, "correction", field=item.field, **part, message=item.message, path=item.path)
        _add(changed, "old", item.old)
        _add(changed, "new", item.new)


def _write_identity(root: XmlElement, identity: Mapping[str, IdentityResult]) -> None:
    persons = _add(root, "identity")
    for role in sorted(identity):
        result = identity[role]
        extras = {"differing": " ".join(result.differing), "askedAt": result.asked_at, "entry": result.entry}
        known = {name: value for name, value in extras.items() if value}
        _add(persons, "person", role=role, verdict=result.verdict.value, **known)


@cache
def _schema() -> etree.XMLSchema:
    text = resources.files("gateway.sealing").joinpath("hotich-dossier-1.xsd").read_bytes()
    return etree.XMLSchema(parse_xml(text))


def schema_problem(root: XmlElement) -> str | None:
    """Where and how `root` breaks the schema, without quoting any value; None when it is valid."""
    with _SCHEMA_LOCK:  # the log of errors belongs to the schema, which all threads share
        if _schema().validate(root):
            return None
        first = _schema().error_log[0]
    return f"{first.path} ({first.type_name})"


def parse_dossier(xml: bytes) -> DossierDocument:
    """Read a dossier back, signed or not. Says nothing about its signature: see sealing.verify.

    Raises UnreadableMessage (`xml.*` or `dossier.not_valid`) naming the place.
    """
    root: Any = parse_xml(xml)
    if problem := schema_problem(root):
        raise UnreadableMessage("dossier.not_valid", problem, "the document is not a dossier of urn:vn:hotich:1")
    parts = {etree.QName(part).localname: part for part in root.iterchildren()}
    dossier = _read_dossier(root, parts)
    identity = {person.get("role", ""): _read_person(person) for person in parts["identity"]}
    return DossierDocument(_read_envelope(root, parts["header"]), dossier, identity)


def _text(parent: XmlElement, tag: str) -> str:
    return parent.findtext(_IN + tag) or ""


def _read_envelope(root: XmlElement, header: XmlElement) -> Envelope:
    return Envelope(
        code=root.get("code", ""),
        version=int(root.get("version", "0")),
        case_id=_text(header, "caseId"),
        made_at=datetime.fromisoformat(_text(header, "madeAt")),
        facility_code=header.find(_IN + "facility").get("code", ""),
        facility_name=_text(header, "facility"),
    )


def _read_dossier(root: XmlElement, parts: Mapping[str, XmlElement]) -> Dossier:
    header = parts["header"]
    commune, form = header.find(_IN + "commune"), header.find(_IN + "form")
    return Dossier(
        kind=root.get("kind", ""),
        procedure=_text(header, "procedure"),
        form=_text(header, "form"),
        in_force=form.get("inForce", ""),
        wire=form.get("wire", ""),
        module=form.get("module", ""),
        fields={field.get("name", ""): _read_field(field) for field in parts["fields"]},
        owed=tuple(Owed(item.get("field", ""), item.get("by", "")) for item in parts["owed"]),
        missing=(),  # a waiting dossier is not sealed
        commune=CommuneAnswer(_read_commune(commune), basis=commune.get("basis", "")),
        deadlines={day.get("clock", ""): day.text or "" for day in header.iterfind(_IN + "deadline")},
        findings=tuple(
            Finding(item.get("code", ""), item.get("where", ""), item.get("detail", "")) for item in parts["findings"]
        ),
        provenance={
            item.get("field", ""): Provenance(item.get("message", ""), item.get("path", ""), item.get("rule", ""))
            for item in parts["provenance"]
        },
        mapping_hash=_text(header, "mapping"),
        corrections=tuple(_read_correction(item) for item in parts.get("corrections", ())),
        withdrawn=header.get("withdrawn") in ("true", "1"),
    )


def _read_commune(commune: XmlElement) -> Commune:
    return Commune(
        code=commune.get("code", ""),
        name=commune.text or "",
        province_code=commune.get("provinceCode", ""),
        province=commune.get("province", ""),
        list=commune.get("list", ""),
    )


def _read_correction(item: XmlElement) -> Correction:
    return Correction(
        field=item.get("field", ""),
        part=item.get("part", ""),
        old=_text(item, "old"),
        new=_text(item, "new"),
        message=item.get("message", ""),
        path=item.get("path", ""),
    )


def _read_field(field: XmlElement) -> str | dict[str, str]:
    return {part.get("name", ""): part.text or "" for part in field} if len(field) else field.text or ""


def _read_person(person: XmlElement) -> IdentityResult:
    return IdentityResult(
        role=person.get("role", ""),
        verdict=Verdict(person.get("verdict")),
        differing=tuple(person.get("differing", "").split()),
        asked_at=person.get("askedAt", ""),
        entry=person.get("entry", ""),
    )
