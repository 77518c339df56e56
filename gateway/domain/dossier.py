"""The dossier (hồ sơ) handed to a commune: national field names, what is owed and by whom, deadlines, provenance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from gateway.domain.clocks import Clock
from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.finding import Finding
from gateway.domain.provenance import Provenance


@dataclass(frozen=True, slots=True)
class Owed:
    """A field nobody has supplied yet: `by` is "family", "facility", "commune" or "officer" (a person must decide)."""

    field: str
    by: str


@dataclass(frozen=True, slots=True)
class Correction:
    """What a version says otherwise than the version that left before it. `part` names the part of an object (an
    address, a name, a date), "" when the field is text; `old` or `new` is "" where there was or is no value. `message`
    and `path` tell where the new value was read, as in Provenance. The competent commune is the field "commune"."""

    field: str
    part: str
    old: str
    new: str
    message: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Dossier:
    """`procedure` is the national procedure code (1.001193 khai sinh, 1.000656 khai tử); `form` the wire form's name;
    `in_force` the date of the outbound mapping used, `wire` its text on the wire (json or xml, see
    gateway.mapping.wire) and `module` the exchange's name for the kind of registration. `fields` maps national field
    names to text, or to an object of texts: an address, in some forms also a name or a date. `deadlines` maps clock
    names to ISO dates; `clocks` are all of them with their rules, also those that do not run yet. `missing` lists
    required fields and `holds` codes of findings that hold the dossier back ("waiting"); a family's debts are in `owed`
    and hold nothing back. After a version left, `corrections` say what the next one changed, and `withdrawn` that the
    facility took it all back: then the fields are those that were said before."""

    kind: str
    procedure: str
    form: str
    in_force: str
    fields: Mapping[str, Any]
    owed: tuple[Owed, ...]
    missing: tuple[str, ...]
    commune: CommuneAnswer
    deadlines: Mapping[str, str]
    findings: tuple[Finding, ...] = ()
    provenance: Mapping[str, Provenance] = field(default_factory=dict)
    mapping_hash: str = ""
    holds: tuple[str, ...] = ()
    wire: str = "json"
    module: str = ""
    clocks: tuple[Clock, ...] = ()
    corrections: tuple[Correction, ...] = ()
    withdrawn: bool = False

    @property
    def status(self) -> str:
        """ "ready" to be sealed and sent, "waiting" for a person or a further message, or "withdrawn"."""
        if self.withdrawn:
            return "withdrawn"
        return "ready" if self.commune.commune and not self.missing and not self.holds else "waiting"


def as_json(dossier: Dossier) -> dict[str, Any]:
    """The dossier as outsiders see it (`hotich try`, the API) and as it is stored."""
    answer = dossier.commune
    place = answer.commune
    return {
        "kind": dossier.kind,
        "status": dossier.status,
        "dossier": {
            "procedure": dossier.procedure,
            "form": dossier.form,
            "in_force": dossier.in_force,
            "wire": dossier.wire,
            "module": dossier.module,
            "fields": dict(dossier.fields),
        },
        "owed": [asdict(owed) for owed in dossier.owed],
        "missing": list(dossier.missing),
        "holds": list(dossier.holds),
        "commune": {
            "code": place.code if place else None,
            "name": place.name if place else None,
            "province_code": place.province_code if place else None,
            "province": place.province if place else None,
            "list": place.list if place else None,
            "basis": answer.basis,
            "candidates": [asdict(candidate) for candidate in answer.candidates],
        },
        "deadlines": dict(dossier.deadlines),
        "clocks": [clock.as_json() for clock in dossier.clocks],
        "findings": [finding.as_json() for finding in dossier.findings],
        "provenance": {
            name: {"message": source.message, "path": source.path, "rule": source.rule}
            for name, source in dossier.provenance.items()
        },
        "mapping_hash": dossier.mapping_hash,
        "corrections": [asdict(correction) for correction in dossier.corrections],
        "withdrawn": dossier.withdrawn,
    }


def from_json(told: Mapping[str, Any]) -> Dossier:
    """The reverse of `as_json`."""
    place, form = told["commune"], told["dossier"]
    names = ("code", "name", "province_code", "province", "list")
    commune = Commune(*(place[name] for name in names)) if place["code"] else None
    candidates = tuple(Commune(**candidate) for candidate in place["candidates"])
    return Dossier(
        kind=told["kind"],
        procedure=form["procedure"],
        form=form["form"],
        in_force=form["in_force"],
        wire=form.get("wire", "json"),
        module=form.get("module", ""),
        fields=form["fields"],
        owed=tuple(Owed(**owed) for owed in told["owed"]),
        missing=tuple(told["missing"]),
        commune=CommuneAnswer(commune, candidates, place["basis"]),
        deadlines=told["deadlines"],
        clocks=tuple(
            Clock.from_json(clock) for clock in told.get("clocks", ())
        ),  # none in dossiers of earlier versions
        findings=tuple(Finding.from_json(finding) for finding in told["findings"]),
        provenance={name: Provenance(**source) for name, source in told["provenance"].items()},
        mapping_hash=told["mapping_hash"],
        holds=tuple(told["holds"]),
        corrections=tuple(Correction(**correction) for correction in told.get("corrections", ())),
        withdrawn=told.get("withdrawn", False),
    )
