"""The dossier's XML form."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from gateway.domain.commune import CommuneAnswer
from gateway.domain.dossier import Correction, Owed
from gateway.domain.person import Person, PersonName
from gateway.errors import GatewayError, UnreadableMessage
from gateway.sealing.dossier_xml import parse_dossier, write_dossier
from gateway.testing.dossiers import DOSSIER, ENVELOPE, IDENTITY, sample_dossier_xml


def test_a_dossier_reads_back_as_it_was_written() -> None:
    document = parse_dossier(sample_dossier_xml())
    assert document.dossier == DOSSIER
    assert document.envelope == ENVELOPE
    assert document.identity == IDENTITY


def test_a_correction_and_a_withdrawal_read_back_as_they_were_written() -> None:
    changed = (
        Correction("meHoTen", "", "Đặng Thị Hòa", "Đặng Thị Thúy Hòa", "w.3", "NK1-2"),
        Correction("meNoiCuTru", "maXa", "21553", ""),
    )
    for told in (replace(DOSSIER, corrections=changed), replace(DOSSIER, withdrawn=True)):
        document = parse_dossier(write_dossier(told, replace(ENVELOPE, version=2), IDENTITY))
        assert document.dossier == told


def test_a_first_version_carries_no_word_of_corrections() -> None:
    assert b"corrections" not in sample_dossier_xml()
    assert b"withdrawn" not in sample_dossier_xml()


def test_a_withdrawal_is_written_even_if_something_required_is_missing() -> None:
    withdrawn = replace(DOSSIER, withdrawn=True, missing=("nksNgaySinh",), holds=("death.contradiction",))
    assert parse_dossier(write_dossier(withdrawn, ENVELOPE, IDENTITY)).dossier.withdrawn
    with pytest.raises(GatewayError) as refused:
        write_dossier(replace(withdrawn, commune=CommuneAnswer(None)), ENVELOPE, IDENTITY)
    assert refused.value.code == "dossier.unsealable"


def test_equal_dossiers_are_equal_bytes() -> None:
    turned = dict(reversed(IDENTITY.items()))
    assert write_dossier(DOSSIER, ENVELOPE, turned) == sample_dossier_xml()


def test_the_bytes_are_canonical_xml() -> None:
    xml = sample_dossier_xml()
    assert etree.tostring(etree.fromstring(xml), method="c14n") == xml


def test_the_population_record_is_not_in_the_dossier() -> None:
    record = Person(name=PersonName("Lê", "Bí", "Mật"), personal_id="999196000099")
    identity = {"mother": replace(IDENTITY["mother"], person=record)}
    xml = write_dossier(DOSSIER, ENVELOPE, identity)
    assert b"999196000099" not in xml
    assert "Bí" not in xml.decode()


@pytest.mark.parametrize(
    "waiting", [{"commune": CommuneAnswer(None)}, {"missing": ("nksNgaySinh",)}, {"holds": ("commune.unknown",)}]
)
def test_a_waiting_dossier_is_not_written(waiting: dict[str, object]) -> None:
    with pytest.raises(GatewayError) as refused:
        write_dossier(replace(DOSSIER, **waiting), ENVELOPE, IDENTITY)
    assert refused.value.code == "dossier.unsealable"


@pytest.mark.parametrize("bad", ["\x00", "\x0b", "\x1f", "\ufffe", "\uffff", "\ud800"])
def test_a_character_xml_cannot_carry_is_refused_naming_the_field_not_the_value(bad: str) -> None:
    fields = {"meHoTen": f"Đặng Thị{bad}Hòa"}
    with pytest.raises(GatewayError) as refused:
        write_dossier(replace(DOSSIER, fields=fields), ENVELOPE, IDENTITY)
    assert refused.value.code == "dossier.unsealable"
    assert "meHoTen" in str(refused.value)
    assert f"U+{ord(bad):04X}" in str(refused.value)
    assert "Đặng" not in str(refused.value)


def test_what_breaks_the_schema_is_refused_without_quoting_it() -> None:
    with pytest.raises(GatewayError) as refused:
        write_dossier(replace(DOSSIER, owed=(Owed("nksHoTen", "Đặng Thị Hòa"),)), ENVELOPE, IDENTITY)
    assert refused.value.code == "dossier.unsealable"
    assert "Đặng" not in str(refused.value)


def test_a_field_that_is_neither_text_nor_object_is_refused() -> None:
    with pytest.raises(GatewayError) as refused:
        write_dossier(replace(DOSSIER, fields={"soLuongBanSao": 2}), ENVELOPE, IDENTITY)
    assert "soLuongBanSao" in str(refused.value)


@pytest.mark.parametrize(
    ("change", "into"),
    [
        ("<owed>", "<owed><extra></extra>"),
        ('kind="birth"', 'kind="wedding"'),
        ('version="1"', 'version="0"'),
        ('name="meHoTen"', 'name="nksHoTen"'),
        ('list="2025-07-01"', 'list="today"'),
        ("2026-11-23T08:15:00Z", "2026-11-23T08:15:00"),
        ("urn:vn:hotich:1", "urn:vn:hotich:2"),
    ],
)
def test_another_shape_is_not_read(change: str, into: str) -> None:
    text = sample_dossier_xml().decode()
    assert change in text
    with pytest.raises(UnreadableMessage) as refused:
        parse_dossier(text.replace(change, into, 1).encode())
    assert refused.value.code == "dossier.not_valid"
