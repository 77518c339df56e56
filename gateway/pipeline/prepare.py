"""prepare: case + identity → dossier in the dated national form, what is owed, competent commune, legal clocks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any

from gateway.domain.case import Case
from gateway.domain.clocks import clocks, ends_of, timeliness
from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.dossier import Dossier, Owed
from gateway.domain.finding import Finding
from gateway.domain.notification import BirthNotification, flatten
from gateway.domain.person import Address, Person
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import fill_form
from gateway.mapping.rules import RuleSet
from gateway.ports.hospital import Feed

HOLDING = ("death.contradiction", "birth.surrogate")
"""Findings that only a person can settle: the dossier waits for one."""


def prepare_dossier(case: Case, feed: Feed, catalogue: Catalogue, now: datetime) -> Dossier:
    """The dossier of a folded case at the instant `now` (aware). Pure: no store, no clock."""
    today = now.astimezone(timezone(timedelta(minutes=feed.offset))).date()
    catalogue = catalogue.within(feed.name)
    view: dict[str, Any] = dict(flatten(case.notification))
    sources = dict(case.provenance)
    _add_facility(view, sources, feed, catalogue)
    written = {path: _written_on(path, case, sources, feed, today) for path, it in view.items() if type(it) is Address}
    places = {view[path]: catalogue.units.resolve(view[path], on, feed.unit_list) for path, on in written.items()}
    commune = _competent(catalogue.outbound(case.kind, today), case, view, places, catalogue)
    if commune.commune is not None:
        catalogue = catalogue.within(feed.name, commune.commune.province_code)
    rules = catalogue.outbound(case.kind, today, commune.commune)
    running = clocks(
        case.kind,
        view.get("child.born" if case.kind == "birth" else "death.at"),
        view.get("paper.issued_on"),
        now,
        catalogue,
        commune=_places(commune.commune),
        facility=_places(catalogue.units.today(feed.facility_commune)),
    )
    _add_computed(view, sources, case, commune, timeliness(ends_of(running), today))
    filled = fill_form(rules, view, sources, catalogue, feed, today, places)
    findings = (*case.findings, *filled.findings, *_commune_findings(commune), *_short_life(view, catalogue, today))
    return Dossier(
        kind=case.kind,
        procedure=rules.procedure,
        form=rules.form,
        in_force=rules.in_force.isoformat(),
        wire=rules.wire,
        module=rules.module,
        fields=filled.fields,
        owed=(*filled.owed, *(Owed("commune", "officer") for _ in (1,) if commune.commune is None)),
        missing=tuple(filled.missing),
        commune=commune,
        deadlines=ends_of(running),
        clocks=running,
        withdrawn=case.withdrawn,
        findings=tuple(dict.fromkeys(findings)),
        provenance=filled.provenance,
        mapping_hash=catalogue.hash,
        holds=tuple(
            code
            for code in HOLDING
            if f"hold.{code}" not in case.edits and any(finding.code == code for finding in case.findings)
        ),
    )


def _add_facility(view: dict[str, Any], sources: dict[str, Provenance], feed: Feed, catalogue: Catalogue) -> None:
    """A feed's settings say whose facility it is and where; a message that says so itself wins."""
    told: dict[str, Any] = {"facility.code": feed.facility_code, "facility.name": feed.facility_name}
    unit = catalogue.units.today(feed.facility_commune)
    if unit is not None:
        told["facility.address"] = Address(
            commune=unit.name, commune_code=unit.code, province=unit.province, province_code=unit.province_code
        )
    for path, value in told.items():
        if value and path not in view:
            view[path] = value
            sources[path] = Provenance("settings", f"feeds.{feed.name}", "feed")
    name, address = view.get("facility.name"), view.get("facility.address")
    if name and address:  # for forms that want a place in one line
        view["computed.facility_place"] = replace(address, line=", ".join(filter(None, (name, address.line))))
        sources["computed.facility_place"] = sources["facility.name"]


def _written_on(path: str, case: Case, sources: Mapping[str, Provenance], feed: Feed, today: date) -> date:
    """When an address was written, which tells the list its codes are of: the day on the paper it stands on, else the
    day of the message; the population database and the desk write today's."""
    message, issued = sources[path].message, case.notification.paper.issued_on
    if issued and issued.date and sources["paper.issued_on"].message == message:
        return issued.date
    said = case.said.get(message)
    return datetime.fromisoformat(said).astimezone(timezone(timedelta(minutes=feed.offset))).date() if said else today


def _competent(
    rules: RuleSet, case: Case, view: Mapping[str, Any], places: Mapping[Address, CommuneAnswer], catalogue: Catalogue
) -> CommuneAnswer:
    """The commune that registers (Luật 60/2014 articles 13 and 32), by the outbound file's paths in their order."""
    chosen = case.edits.get("commune.code")
    if chosen is not None:
        return CommuneAnswer(catalogue.units.today(chosen.value), (), "desk")
    unresolved: CommuneAnswer | None = None
    for path in rules.competent_commune:
        if path not in view:
            continue
        answer = replace(places[view[path]], basis=path)
        if answer.commune is not None:
            return answer
        unresolved = unresolved or answer
        if rules.first_valued_decides:
            break
    return unresolved or CommuneAnswer(None)


def _short_life(view: Mapping[str, Any], catalogue: Catalogue, on: date) -> tuple[Finding, ...]:
    """A child who lived less than the law's hours is registered when the parents ask: the officer has to know."""
    born, died = view.get("deceased.born"), view.get("death.at")
    hours = catalogue.table("thresholds", on).get("short_life")
    if hours is None or born is None or died is None or None in (born.hour, died.hour):
        return ()
    lived = died.instant() - born.instant()
    return (
        (Finding("death.short_life", "death.at", hours),) if timedelta() <= lived < timedelta(hours=int(hours)) else ()
    )


def _commune_findings(answer: CommuneAnswer) -> tuple[Finding, ...]:
    if answer.commune is not None:
        return ()
    unknown = Finding("commune.unknown", answer.basis or "address")
    if not answer.candidates:
        return (unknown,)
    return Finding("commune.split", answer.basis, str(len(answer.candidates))), unknown


def _places(unit: Commune | None) -> tuple[str, ...]:
    """Whose working hours count: the commune's, else its province's."""
    return (unit.code, unit.province_code) if unit else ()


def _add_computed(
    view: dict[str, Any], sources: dict[str, Provenance], case: Case, answer: CommuneAnswer, in_time: str
) -> None:
    """What follows from the facts by rule rather than being read: each says so in its provenance."""
    computed: dict[str, Any] = {"computed.timeliness": in_time}
    if isinstance(case.notification, BirthNotification):
        computed["computed.parents"] = _parents(case.notification)
    if answer.commune is not None:
        place = answer.commune
        computed |= {
            "commune.code": place.code,
            "commune.name": place.name,
            "commune.province_code": place.province_code,
            "commune.list": place.list,
        }
    computed |= {f"identity.{role}": result.verdict.value for role, result in case.identity.items()}
    for path, value in computed.items():
        view[path] = value
        sources[path] = Provenance(_origin(path, answer, sources), path, f"prepare#{answer.basis or path}")


def _origin(path: str, answer: CommuneAnswer, sources: Mapping[str, Provenance]) -> str:
    """Who said it: for the commune the message that gave the address, or the desk; else the gateway's own rule."""
    if not path.startswith("commune."):
        return "gateway"
    source = sources.get(answer.basis)
    return source.message if source else answer.basis or "gateway"


def _parents(told: BirthNotification) -> str:
    """Which parents are known, in the words of the code table birth_kind."""
    if told.birth.abandoned:
        return "abandoned"
    if told.birth.surrogate:
        return ""  # who the parents are is for the officer to say (Luật Hôn nhân và gia đình 2014, article 94)
    known = {role for role, person in (("mother", told.mother), ("father", told.father)) if _known(person)}
    return "both" if len(known) == 2 else next(iter(known), "none")


def _known(person: Person) -> bool:
    return bool(person.name or person.personal_id or person.cmnd or person.passport)
