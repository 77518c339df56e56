"""FHIR XML is the same message as FHIR JSON."""

from __future__ import annotations

import unicodedata
from typing import Any

import orjson
import pytest
from lxml import etree

from adapters.hospital.fhir import FhirReader
from adapters.hospital.fhir_types import UNKNOWN, elements_of
from adapters.hospital.fhir_xml import read_xml, write_xml
from gateway.errors import UnreadableMessage
from tests.hospital_messages import (
    BORN_HERE,
    FEED,
    bundle,
    encounter,
    load_catalogue,
    mother_of,
    newborn,
    observation,
    read_all,
)

BIRTH_TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
NEWBORN = """<Patient xmlns="http://hl7.org/fhir">
  <!-- invented -->
  <id value="nb-1"/>
  <text><status value="generated"/><div xmlns="http://www.w3.org/1999/xhtml"><p id="p">Trẻ</p></div></text>
  <identifier><type><coding><code value="MR"/></coding></type><value value="NB-1"/></identifier>
  <active value="true"/>
  <name id="n1"><family value="Trần"/><given value="Thị"/><given value="Lúa"/></name>
  <name><given><extension url="urn:x"><valueBoolean value="true"/></extension></given><given value="Mai"/></name>
  <gender value="female"/>
  <birthDate value="2026-11-20">
    <extension url="urn:t"><valueDateTime value="2026-11-20T08:15:00+07:00"/></extension>
  </birthDate>
  <multipleBirthInteger value="2"/>
  <contained><Organization><id value="o"/><name value="Khoa Sản"/></Organization></contained>
  <thuốc-nam value="giữ lại"/>
</Patient>"""


def test_what_repeats_is_a_list_and_primitives_have_their_json_types() -> None:
    found = read_xml(NEWBORN.encode())
    assert found["identifier"] == [{"type": {"coding": [{"code": "MR"}]}, "value": "NB-1"}]
    assert found["name"][0] == {"id": "n1", "family": "Trần", "given": ["Thị", "Lúa"]}
    assert (found["active"], found["multipleBirthInteger"], found["gender"]) == (True, 2, "female")
    assert found["contained"] == [{"resourceType": "Organization", "id": "o", "name": "Khoa Sản"}]
    assert found["text"]["div"].startswith("<div xmlns=")


def test_extensions_of_primitives_stand_beside_them_and_lists_keep_step() -> None:
    found = read_xml(NEWBORN.encode())
    assert found["_birthDate"] == {"extension": [{"url": "urn:t", "valueDateTime": "2026-11-20T08:15:00+07:00"}]}
    assert found["name"][1]["given"] == [None, "Mai"]
    assert found["name"][1]["_given"] == [{"extension": [{"url": "urn:x", "valueBoolean": True}]}, None]


def test_what_the_definitions_do_not_know_is_kept() -> None:
    assert read_xml(NEWBORN.encode())["thuốc-nam"] == "giữ lại"
    twice = read_xml(b'<Patient xmlns="http://hl7.org/fhir"><x><y value="1"/></x><x><y value="2"/></x></Patient>')
    assert twice["x"] == [{"y": "1"}, {"y": "2"}]
    assert elements_of("__import__", "R4") == elements_of("Nothing", "R4") == UNKNOWN


def test_a_prefixed_namespace_is_fhir_too() -> None:
    raw = b'<f:Patient xmlns:f="http://hl7.org/fhir"><f:gender value="male"/></f:Patient>'
    assert FhirReader().recognises(raw)
    assert read_xml(raw) == {"resourceType": "Patient", "gender": "male"}


@pytest.mark.parametrize(("value", "read"), [("3.20", 3.2), ("3", 3), ("-1", -1.0), ("rất nặng", "rất nặng"), ("", "")])
def test_a_decimal_is_a_number_where_it_is_one(value: str, read: Any) -> None:
    quantity = f'<valueQuantity><value value="{value}"/></valueQuantity>'
    raw = f'<Observation xmlns="http://hl7.org/fhir">{quantity}</Observation>'
    assert read_xml(raw.encode())["valueQuantity"]["value"] == read


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><Patient xmlns="http://hl7.org/fhir"/>', "xml.has_dtd"),
        (b'<Patient xmlns="http://hl7.org/fhir"><a></Patient>', "xml.malformed"),
        (b'<Patient xmlns="http://hl7.org/fhir">' + b"<a>" * 80 + b"</a>" * 80 + b"</Patient>", "xml.too_deep"),
        (b'<Patient xmlns="http://hl7.org/fhir"><a b="\xff"/></Patient>', "xml.malformed"),
        (b'<Patient xmlns="http://hl7.org"/>', "fhir.not_a_resource"),
    ],
)
def test_hostile_or_broken_xml_is_refused_with_its_place(raw: bytes, code: str) -> None:
    with pytest.raises(UnreadableMessage) as caught:
        FhirReader().header(raw)
    assert caught.value.code == code
    assert caught.value.where


def message(name: str) -> dict[str, Any]:
    header = {"resourceType": "MessageHeader", "id": "m1", "eventUri": "urn:birth", "source": {"endpoint": "urn:his"}}
    child = newborn(
        name=[{"use": "official", "text": name}],
        multipleBirthInteger=2,
        _birthDate={"extension": [{"url": BIRTH_TIME, "valueDateTime": "2026-11-20T08:15:00+07:00"}]},
    )
    mother = mother_of(identifier=[{"type": {"coding": [{"code": "NI"}]}, "value": "999198000001"}])
    weight = observation("8339-4", valueQuantity={"value": 3.2, "unit": "kg", "code": "kg"})
    told: dict[str, Any] = orjson.loads(bundle(header, child, mother, encounter(**BORN_HERE), weight, type="message"))
    return told


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_message_in_xml_reads_as_the_same_message_in_json(form: str) -> None:
    sent = message(unicodedata.normalize(form, "Lò Văn Mẩy"))
    reader, catalogue = FhirReader(), load_catalogue()
    as_json, as_xml = orjson.dumps(sent), write_xml(sent)
    assert reader.header(as_xml) == reader.header(as_json)
    assert reader.patient_of(as_xml, FEED) == reader.patient_of(as_json, FEED)
    first, second = (read_all(catalogue, reader, raw) for raw in (as_json, as_xml))
    assert first[0].relevance == "birth"
    assert [reading.notification for reading in first] == [reading.notification for reading in second]
    assert [reading.unread for reading in first] == [reading.unread for reading in second]


def test_xml_is_written_in_the_order_of_the_definitions() -> None:
    told = {
        "birthDate": "2026-11-20",
        "resourceType": "Patient",
        "name": [{"given": ["Mai"], "family": "Lò"}],
        "id": "1",
    }
    names = [etree.QName(element).localname for element in etree.fromstring(write_xml(told)).iter()]
    assert names == ["Patient", "id", "name", "family", "given", "birthDate"]
