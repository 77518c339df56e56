"""What holds for every form, whatever a hospital knows and however it is written."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from lxml import etree

from gateway.domain.dates import PartialDate
from gateway.domain.finding import Finding
from gateway.domain.notification import Death
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.wire import wire_text
from gateway.sealing.dossier_xml import parse_dossier, write_dossier
from gateway.sealing.verify import verify_dossier
from gateway.sealing.xades import sign
from gateway.testing.dossiers import AT, DOSSIER, ENVELOPE, IDENTITY
from gateway.testing.signing import FakeSigningKey
from tests.unit.mapping.notifications import (
    FORMS,
    LINKED,
    LINKED_2025,
    MOTHER,
    ORDINARY,
    TODAY,
    WHOLE_BIRTH,
    WHOLE_DEATH,
    every_form,
    fill,
)

MAPPINGS = Path(__file__).parents[2] / "mappings"
KEY = FakeSigningKey()
SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)

letters = st.one_of(
    st.sampled_from("ĐđƯưỡẵ Hòa'\u0301\u0323\u031b<>&\"]"),
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
)
texts = st.text(letters, max_size=15)
moments = st.builds(
    lambda year, month, day: PartialDate(year, month, day if month else None),
    st.integers(1900, 2100),
    st.none() | st.integers(1, 12),
    st.none() | st.integers(1, 28),
)
persons = st.builds(
    Person,
    name=st.none() | st.builds(PersonName, texts, texts, texts),
    sex=st.none() | st.sampled_from(Sex),
    born=st.none() | moments,
    cmnd=st.none() | texts,
    id_issued_on=st.none() | moments,
    address=st.none() | st.builds(Address, line=texts, commune=texts, country=texts, residence=texts),
    ethnicity=st.none() | texts,
    nationality=st.none() | texts,
)


@pytest.fixture(scope="module")
def shipped() -> Catalogue:
    return Catalogue.load(MAPPINGS, {})


def filled(catalogue: Catalogue, person: Person, form: str) -> list[dict[str, Any]]:
    """A birth and a death of the same person as child, parents and deceased."""
    birth = replace(WHOLE_BIRTH, child=person, mother=person, father=person)
    death = replace(WHOLE_DEATH, deceased=person, death=Death(at=person.born, cause=person.cmnd, place=person.address))
    return [dict(fill(catalogue, told, form).fields) for told in (birth, death)]


def read_back(wire: str, text: str) -> dict[str, Any]:
    if wire == "json":
        told: dict[str, Any] = json.loads(text)
        return told
    root = etree.fromstring(text)
    return {
        field.tag: {part.tag: part.text or "" for part in field} if len(field) else field.text or ""
        for field in root[0]
    }


@SHARED
@given(persons, st.sampled_from([(LINKED, "json"), (LINKED_2025, "json"), (ORDINARY, "xml")]))
def test_what_is_sent_reads_back_and_so_does_what_is_sealed(
    shipped: Catalogue, person: Person, chosen: tuple[str, str]
) -> None:
    form, wire = chosen
    for fields in filled(shipped, person, form):
        assert read_back(wire, wire_text(wire, fields)) == fields
        dossier = replace(DOSSIER, form=form, wire=wire, fields=fields)
        assert parse_dossier(write_dossier(dossier, ENVELOPE, IDENTITY)).dossier == dossier


def test_a_sealed_dossier_of_each_form_verifies_and_reads_back_as_it_was(shipped: Catalogue) -> None:
    sealed = 0
    for kind, form, wire, fields in every_form(shipped):
        module = shipped.form(kind, form, TODAY).module
        dossier = replace(DOSSIER, kind=kind, form=form, wire=wire, module=module, fields=fields)
        report = verify_dossier(sign(write_dossier(dossier, ENVELOPE, IDENTITY), KEY, AT), KEY.certificates)
        assert report.ok, report.words("en")
        assert report.document is not None and report.document.dossier == dossier
        sealed += 1
    assert sealed == 12


@SHARED
@given(persons)
def test_the_shape_of_a_form_does_not_depend_on_what_is_known(shipped: Catalogue, person: Person) -> None:
    for form in FORMS:
        for fields, whole in zip(filled(shipped, person, form), filled(shipped, MOTHER, form), strict=True):
            assert [(name, _shape(value)) for name, value in fields.items()] == [
                (name, _shape(value)) for name, value in whole.items()
            ]


def _shape(value: Any) -> list[str] | None:
    return list(value) if isinstance(value, dict) else None


@SHARED
@given(texts, st.sampled_from(FORMS))
@example("25 ", LINKED)
@example("63001", ORDINARY)
@example(unicodedata.normalize("NFD", "Giáy"), LINKED_2025)
def test_a_code_outside_its_table_leaves_the_field_empty_and_names_it(shipped: Catalogue, code: str, form: str) -> None:
    person = replace(MOTHER, ethnicity=code, nationality=code, address=Address(line="12 Lê Lợi", residence=code))
    told = fill(shipped, replace(WHOLE_BIRTH, mother=person), form)
    for field, table in (("meDanToc", "ethnicity"), ("meQuocTich", "nationality"), ("meLoaiCuTru", "residence")):
        meant = shipped.table(table, TODAY).get(code)
        refused = bool(code) and meant is None
        assert (Finding("value.no_crosswalk", field, table) in told.findings) == refused
        assert told.fields[field] == (meant or ("0" if table == "residence" else ""))


@SHARED
@given(moments)
def test_every_form_keeps_what_its_wire_can_say_of_a_date(shipped: Catalogue, moment: PartialDate) -> None:
    for form in FORMS:
        fields = filled(shipped, replace(MOTHER, born=moment), form)[0]
        if form == LINKED_2025:
            year, month, day = fields["meNgaySinh"].values()
            assert PartialDate(int(year), int(month or 0) or None, int(day or 0) or None) == moment
        else:
            said = fields["meNgaySinh"]
            assert said == (f"{moment.date:%d.%m.}{moment.year}" if moment.date else str(moment.year))
