"""Messages of invented people for the tests of the FHIR and MoH XML readers. Personal numbers start with 999."""

from __future__ import annotations

import base64
from datetime import date
from pathlib import Path
from typing import Any

import orjson

from adapters.hospital.fhir import FhirReader
from adapters.hospital.moh_xml import MohReader
from gateway.domain.case import Reading
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.ports.hospital import Event, Feed

ROLE_CODE = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"
LOINC = "http://loinc.org"
GUIDE = "http://fhir.ehealth.gov.vn/core"
COMMUNITY = "http://fhir.hl7.org.vn/core"
FEED = Feed(facility_code="99001")
TODAY = date(2026, 11, 23)
MAPPINGS = Path(__file__).parent.parent / "mappings"


def load_catalogue() -> Catalogue:
    return Catalogue.load(MAPPINGS, {"fhir": FhirReader(), "moh": MohReader()})


def concept(code: str, system: str = "") -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def newborn(number: str = "NB-1", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Patient",
        "id": number.lower(),
        "identifier": [{"type": concept("MR"), "value": number}],
        "name": [{"text": "Con bà Hoa"}],
        "gender": "female",
        "birthDate": "2026-11-20",
        **elements,
    }


def mother_of(patient: str = "Patient/nb-1", code: str = "NMTH", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "RelatedPerson",
        "id": "mother",
        "patient": {"reference": patient},
        "relationship": [concept(code, ROLE_CODE)],
        "name": [{"family": "Nguyễn", "given": ["Thị", "Hoa"]}],
        **elements,
    }


def observation(code: str, patient: str = "Patient/nb-1", **value: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [{"system": "urn:local", "code": "X1"}, {"system": LOINC, "code": code}]},
        "subject": {"reference": patient},
        **value,
    }


def encounter(patient: str = "Patient/nb-1", **elements: Any) -> dict[str, Any]:
    return {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "class": {"code": "IMP"},
        "subject": {"reference": patient},
        **elements,
    }


BORN_HERE = {"hospitalization": {"admitSource": concept("born")}}
DIED_HERE = {"hospitalization": {"dischargeDisposition": concept("exp")}}


def bundle(*resources: dict[str, Any], **elements: Any) -> bytes:
    root = {
        "resourceType": "Bundle",
        "type": "transaction",
        "timestamp": "2026-11-21T08:00:00+07:00",
        "entry": [{"resource": resource} for resource in resources],
        **elements,
    }
    return orjson.dumps({name: value for name, value in root.items() if value is not None})


def fhir_events(raw: bytes, feed: Feed = FEED) -> list[Event]:
    return FhirReader().events(raw, feed)


def moh_events(raw: bytes, feed: Feed = FEED) -> list[Event]:
    return MohReader().events(raw, feed)


def read_all(catalogue: Catalogue, reader: FhirReader | MohReader, raw: bytes, feed: Feed = FEED) -> list[Reading]:
    return [read_event(catalogue, reader.format, event, "m.1", feed, TODAY) for event in reader.events(raw, feed)]


def fields(**values: str | None) -> str:
    return "".join(f"<{tag}>{value}</{tag}>" for tag, value in values.items() if value is not None)


GCS = {
    "MA_GCS": "00012.GCS.99001.26",
    "MA_BN": "BN-7",
    "HOTEN_NND": "Nguyễn Thị Hoa",
    "NGAYSINH_NND": "19980304",
    "MA_DANTOC_NND": "01",
    "LOAI_GIAYTO_NND": "1",
    "SO_CCCD_NND": "999198000001",
    "NOI_CU_TRU_NND": "12 đường Lúa Mới",
    "MATINH_CU_TRU": "52",
    "MAXA_CU_TRU": "21550",
    "HO_TEN_CHA": "Trần Văn Nam",
    "TEN_CON": "Con bà Hoa",
    "GIOI_TINH_CON": "2",
    "SO_CON": "1",
    "SO_CON_SONG": "2",
    "CAN_NANG_CON": "3200",
    "NGAY_SINH_CON": "20261120081500",
    "TINH_TRANG_CON": "Bình thường",
    "NGAY_CT": "20261121",
}
SIGNED = '<CHUKYDONVI><Signature xmlns="http://www.w3.org/2000/09/xmldsig#"><SignatureValue>QQ==</SignatureValue></Signature></CHUKYDONVI>'
XML9 = {
    "MA_LK": "LK-1",
    "HO_TEN_NND": "Nguyễn Thị Hoa",
    "NGAYSINH_NND": "19980304",
    "SO_CCCD_NND": "999198000001",
    "HO_TEN_CON": "Nguyễn Minh An",
    "GIOI_TINH_CON": "1",
    "SO_CON": "2",
    "CAN_NANG_CON": "2500",
    "NGAY_SINH_CON": "2026112008:15",
    "SO": "15",
    "QUYEN_SO": "2026-01",
    "NGAY_CT": "20261121",
}
GBT = {
    "MA_GBT": "GBT-99001-26-7",
    "MA_BN": "BN-9",
    "HO_TEN": "Lê Văn Bình",
    "NGAY_SINH": "19500000",
    "GIOI_TINH": "1",
    "DCHI_THUONGTRU": "Thôn Đông",
    "MATINH_THUONGTRU": "52",
    "MAXA_THUONGTRU": "21550",
    "LOAI_GIAYTO": "1",
    "SO_GIAYTO": "999050000003",
    "NGAY_TV": "202611220430",
    "NGUYENNHAN_TV": "Không rõ",
    "NGAY_CAPGIAYBT": "20261122",
    "MACSKCB": "99001",
}


def birth_paper(signature: str = "", **changes: str | None) -> bytes:
    return f"<HSDLGCS><GIAYCHUNGSINH Id='g1'>{fields(**(GCS | changes))}</GIAYCHUNGSINH>{signature}</HSDLGCS>".encode()


def death_paper(**changes: str | None) -> bytes:
    return f"<HSDLGBT><GIAYBAOTU Id='b1'>{fields(**(GBT | changes))}</GIAYBAOTU></HSDLGBT>".encode()


def xml9(*rows: str) -> str:
    inside = "".join(f"<DU_LIEU_GIAY_CHUNG_SINH>{row}</DU_LIEU_GIAY_CHUNG_SINH>" for row in rows)
    return f"<CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH><DSACH_GIAYCHUNGSINH>{inside}</DSACH_GIAYCHUNGSINH></CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH>"  # noqa: E501


def envelope(**files: str | bytes) -> bytes:
    """GIAMDINHHS with one HOSO; a value of bytes goes in as it is, text is base64-encoded."""
    inside = "".join(
        f"<FILEHOSO><LOAIHOSO>{kind}</LOAIHOSO><NOIDUNGFILE>"
        f"{content.decode() if isinstance(content, bytes) else base64.b64encode(content.encode()).decode()}"
        "</NOIDUNGFILE></FILEHOSO>"
        for kind, content in files.items()
    )
    return (
        "<GIAMDINHHS><THONGTINDONVI><MACSKCB>99001</MACSKCB></THONGTINDONVI><THONGTINHOSO><NGAYLAP>20261122</NGAYLAP>"
        f"<DANHSACHHOSO><HOSO>{inside}</HOSO></DANHSACHHOSO></THONGTINHOSO></GIAMDINHHS>"
    ).encode()
