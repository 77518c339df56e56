"""What in a FHIR message is a birth, a death, a related fact, or none of our business.

A birth needs evidence that this Patient is a newborn of now:
- stated: the Encounter says newborn, or a Composition (birth certificate or declaration) has the Patient as its child;
- implied: a mother is named (RelatedPerson or contact MTH / NMTH) or multipleBirth is valued, and the Patient is at
  most 28 days old when the message speaks. Laboratory reports (newborn screening) and death certificates imply nothing.
A death needs deceased[x] true or dated, an Encounter discharged `exp`, Observation 81956-5, or a death certificate.
What contradicts itself becomes an event with a finding: a person decides. A Patient with every form of every choice
element filled in is a demonstration, and none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone

from adapters.hospital.fhir_bundle import (
    Entry,
    Resources,
    codes,
    codings,
    handle_of,
    moment_of,
    objects,
    partial_date,
    text,
)
from adapters.hospital.fhir_changes import find_changes, is_withdrawn_document, occurred_at, trigger_of
from adapters.hospital.fhir_paths import FhirScope
from adapters.hospital.fhir_roles import FATHER, MOTHER, OTHER, Role, documented, handles_of, kin_of, roles_of
from gateway.domain.case import Rank
from gateway.domain.finding import Finding
from gateway.ports.hospital import Event, Feed

NEWBORN_DAYS = 28
BIRTH_FACTS = {"8339-4", "11884-4", "57722-1", "73773-4", "73771-8", "93857-1"}
DEATH_FACTS = {"69453-9", "69449-7", "81956-5", "80616-6", "58332-8"}
TIME_OF_DEATH = "81956-5"
CAUSES = {"69453-9", "69441-4"}  # lines a to d of part I, and part II: only the first line goes to the register
_LABORATORY = ("DiagnosticReport", "ServiceRequest", "Specimen")
_STILL = {"P95", "237364002"}  # ICD-10 fetal death, SNOMED CT stillbirth
_TEST = {"HTEST"}  # v3-ActReason: test health data, in meta.security or meta.tag


@dataclass(frozen=True, slots=True)
class _Case:
    """One Patient of the message, with what the rules ask about."""

    resources: Resources
    patient: Entry
    moment: datetime | None
    offset: int
    document: Mapping[Entry, Role]

    @property
    def role(self) -> Role | None:
        return self.document.get(self.patient)

    @property
    def encounters(self) -> list[Entry]:
        return self.resources.about(self.patient, "Encounter", "subject")

    @property
    def observations(self) -> list[Entry]:
        about = self.resources.about(self.patient, "Observation", "subject")
        alone = len(self.resources.of_type("Patient")) == 1
        if not alone:
            return about
        # One Patient only: an observation without a subject can be about nobody else.
        return about + [o for o in self.resources.of_type("Observation") if not objects(o.resource.get("subject"))]

    def age_days(self) -> int | None:
        """Whole days between birth and the moment on the feed's calendar; None when either is unknown."""
        born = partial_date(self.patient.resource.get("birthDate"))
        if born is None or born.date is None or self.moment is None:
            return None
        return (self.moment.astimezone(timezone(timedelta(minutes=self.offset))).date() - born.date).days

    def is_young(self) -> bool:
        # One day of grace below zero: the birth may be dated ahead of a message stamped in another time zone.
        age = self.age_days()
        return age is not None and -1 <= age <= NEWBORN_DAYS


def find_events(resources: Resources, feed: Feed) -> list[Event]:
    """All events of one message: of its Patients in order, then of Patients it only refers to."""
    moment = moment_of(resources, feed.offset)
    document = documented(resources)
    events = find_changes(resources, moment, feed.offset)
    if is_withdrawn_document(resources):
        return events
    for patient in resources.of_type("Patient"):
        case = _Case(resources, patient, moment, feed.offset, document)
        if case.role in (MOTHER, FATHER, OTHER):
            continue  # a parent in a certificate, or a party of another one: it is not about them
        if _is_filled_for_show(patient.resource):
            continue
        events += [_still(case)] if _is_still(case) else _lived(case)
    return events + _about_absent(resources, moment, feed.offset)


def find_facts(resources: Resources, feed: Feed, kind: str) -> list[Event]:
    """What a message without events says of its Patients, as cases of `kind` want it: relevance "other"."""
    moment = moment_of(resources, feed.offset)
    if any(resources.of_type(report) for report in _LABORATORY):
        return []
    mapping = "related_birth" if kind == "birth" else "death"
    patients = (_Case(resources, patient, moment, feed.offset, {}) for patient in resources.of_type("Patient"))
    return [
        _event(case, kind, "other", mapping, []) for case in patients if not _is_filled_for_show(case.patient.resource)
    ]


def _is_filled_for_show(resource: Mapping[str, object]) -> bool:
    """Both forms of both choice elements valued: FHIR allows one of each (section 2.6.1.7), so whoever wrote this
    wanted every element shown, and it is true of nobody."""
    forms = ("deceasedBoolean", "deceasedDateTime", "multipleBirthBoolean", "multipleBirthInteger")
    return all(name in resource for name in forms)


def _is_still(case: _Case) -> bool:
    conditions = case.resources.about(case.patient, "Condition", "subject")
    said = any(_STILL & codes(condition.resource.get("code")) for condition in conditions)
    return said or case.role == "fetus"


def _still(case: _Case) -> Event:
    # Neither a birth nor a death of the register: kept with its finding, and it opens no case.
    return _event(case, "birth", "related", "related_birth", [Finding("birth.still", case.patient.place)])


def _lived(case: _Case) -> list[Event]:
    births, deaths = list(_birth(case)), list(_death(case))
    if deaths:
        died = Finding("birth.died", case.patient.place)
        births = [replace(birth, findings=(*birth.findings, died)) for birth in births]
    return births + deaths


def _birth(case: _Case) -> Iterator[Event]:
    stated = case.role == "child"
    newborn = any(_is_newborn_stay(encounter) for encounter in case.encounters)
    implied = case.role != "deceased" and (  # a death certificate names the mother of a child to say who died
        bool(kin_of(case.resources, case.patient, MOTHER, case.document)) or _is_one_of_several(case.patient)
    )
    if newborn and not stated and case.age_days() is not None and not case.is_young():
        too_old = Finding("birth.too_old", f"{case.patient.place}.birthDate")
        yield _event(case, "birth", "related", "related_birth", [too_old])
    elif stated or newborn or (implied and case.is_young() and not _is_laboratory(case)):
        yield _event(case, "birth", "birth", "birth", [])
    elif case.is_young() and _has_facts(case):
        # A newborn, but not reported as a birth here: its facts wait for the message that does.
        yield _event(case, "birth", "related", "related_birth", [])
    elif implied and case.moment is None and not _is_laboratory(case):
        # Perhaps a newborn: without any time in the message nobody can tell, and that must not pass silently.
        undated = Finding("value.missing", "Bundle.timestamp", "the age of the child cannot be told")
        yield _event(case, "birth", "related", "related_birth", [undated])


def _is_newborn_stay(encounter: Entry) -> bool:
    resource = encounter.resource
    admitted = {code for stay in objects(resource.get("hospitalization")) for code in codes(stay.get("admitSource"))}
    kinds = [pair for name in ("type", "serviceType", "priority") for pair in codings(resource.get(name))]
    reasons = codes(resource.get("reasonCode"))
    return (
        "born" in admitted  # terminology.hl7.org admit-source
        or any(code == "N" and "0007" in system for system, code in kinds)  # HL7 v2 table 0007, admission type newborn
        or any(code.startswith("Z38") for code in reasons)  # ICD-10: liveborn infants according to place of birth
    )


def _is_one_of_several(patient: Entry) -> bool:
    resource = patient.resource
    return resource.get("multipleBirthBoolean") is True or isinstance(resource.get("multipleBirthInteger"), int)


def _is_laboratory(case: _Case) -> bool:
    return not case.encounters and any(case.resources.of_type(kind) for kind in _LABORATORY)


def _has_facts(case: _Case) -> bool:
    return not _is_laboratory(case) or any(BIRTH_FACTS & codes(o.resource.get("code")) for o in case.observations)


def _death(case: _Case) -> Iterator[Event]:
    resource = case.patient.resource
    said = resource.get("deceasedBoolean")
    dated = text(resource.get("deceasedDateTime"))
    elsewhere = _discharged_dead(case) or any(TIME_OF_DEATH in codes(o.resource.get("code")) for o in case.observations)
    if not (said is True or dated or elsewhere or case.role == "deceased"):
        return
    findings = []
    if said is False:
        findings.append(Finding("death.contradiction", f"{case.patient.place}.deceasedBoolean"))
    causes = [o for o in case.observations if CAUSES & codes(o.resource.get("code"))]
    if len(causes) > 1:
        findings.append(Finding("death.cause_withheld", causes[1].place))
    yield _event(case, "death", "death", "death", findings)


def _discharged_dead(case: _Case) -> bool:
    return any(is_discharged_dead(encounter) for encounter in case.encounters)


def is_discharged_dead(encounter: Entry) -> bool:
    """Encounter.hospitalization.dischargeDisposition `exp` (terminology.hl7.org discharge-disposition)."""
    stays = objects(encounter.resource.get("hospitalization"))
    return any("exp" in codes(stay.get("dischargeDisposition")) for stay in stays)


def _event(case: _Case, kind: str, relevance: str, mapping: str, findings: Sequence[Finding]) -> Event:
    encounters, observations = case.encounters, case.observations
    roles = roles_of(case.resources, case.patient, encounters, observations, case.document)
    speaking = (case.patient, *encounters, *observations)
    return Event(
        kind,
        relevance,
        mapping,
        Rank.MESSAGE,
        handles_of(case.patient),
        occurred_at(speaking, case.moment, case.offset),
        FhirScope(case.resources, roles),
        tuple(findings) + _test_finding(case.resources),
        trigger=trigger_of(_evidence(case, kind)),
    )


def _evidence(case: _Case, kind: str) -> Entry:
    """The resource that states the event: withdrawing it withdraws the event. The Patient, where that is enough."""
    about = case.resources.about(case.patient, "Composition", "subject")
    documents = (about or case.resources.of_type("Composition")) if case.role else []
    if kind == "birth":
        stays = [encounter for encounter in case.encounters if _is_newborn_stay(encounter)]
    elif case.patient.resource.get("deceasedBoolean") is True or text(case.patient.resource.get("deceasedDateTime")):
        stays = []
    else:
        stays = [encounter for encounter in case.encounters if is_discharged_dead(encounter)]
        stays += [o for o in case.observations if TIME_OF_DEATH in codes(o.resource.get("code"))]
    return next(iter([*documents, *stays]), case.patient)


def _test_finding(resources: Resources) -> tuple[Finding, ...]:
    root = resources.root
    return (Finding("message.not_production", f"{root.get('resourceType')}.meta"),) if is_test(root) else ()


def is_test(root: object) -> bool:
    """Whether the message is marked as test data."""
    metas = [meta for resource in objects(root) for meta in objects(resource.get("meta"))]
    return any(_TEST & codes(meta.get(name)) for meta in metas for name in ("security", "tag"))


def _about_absent(resources: Resources, moment: datetime | None, offset: int) -> list[Event]:
    """Resources that name a Patient of another message: facts for its case.

    An Encounter discharged `exp` is more than a fact: the death itself may never be said again.
    """
    events = []
    for entry in (entry for kind in ("RelatedPerson", "Observation", "Encounter") for entry in resources.of_type(kind)):
        subject = next(iter(objects(entry.resource.get("patient" if entry.type == "RelatedPerson" else "subject"))), {})
        handle = handle_of(subject)
        # A urn: names an entry of this very message; when it is not there, nothing else can be meant.
        if not handle or handle.startswith("urn:") or resources.resolve(subject):
            continue
        for kind, relevance, rank, roles in _single(entry, resources):
            scope = FhirScope(resources, roles)
            mapping = f"related_{kind}" if relevance == "related" else kind
            found = _test_finding(resources)
            occurred = occurred_at([entry], moment, offset)
            event = Event(kind, relevance, mapping, rank, (handle,), occurred, scope, found, trigger_of(entry))
            events.append(event)
    return events


def _single(entry: Entry, resources: Resources) -> Iterator[tuple[str, str, Rank, Mapping[str, Sequence[Entry]]]]:
    if entry.type == "RelatedPerson":
        for role, wanted in (("mother", MOTHER), ("father", FATHER)):
            if wanted & codes(entry.resource.get("relationship")):
                yield "birth", "related", Rank.MESSAGE, {role: [entry]}
    elif entry.type == "Observation":
        found = codes(entry.resource.get("code"))
        if found & BIRTH_FACTS:
            yield "birth", "related", Rank.OBSERVATION, {"observations": [entry]}
        if found & DEATH_FACTS:
            yield "death", "related", Rank.OBSERVATION, {"observations": [entry]}
    else:
        roles = roles_of(resources, None, [entry], [], {})
        if _is_newborn_stay(entry):
            yield "birth", "related", Rank.MESSAGE, roles
        if is_discharged_dead(entry):
            yield "death", "death", Rank.MESSAGE, roles
