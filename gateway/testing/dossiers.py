"""An invented dossier, ready to be sealed, for tests of everything that handles sealed dossiers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.dossier import Dossier, Owed
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.provenance import Provenance
from gateway.sealing.dossier_xml import Envelope, write_dossier

AT = datetime(2026, 11, 23, 8, 15, tzinfo=UTC)
ENVELOPE = Envelope("HT99-261123-0001", 1, "ks-0001", AT, "99001", "Bệnh viện Đa khoa Thử Nghiệm")
IDENTITY = {
    "mother": IdentityResult("mother", Verdict.DIFFERS, ("name", "born"), asked_at=AT.isoformat(), entry="w.7"),
    "father": IdentityResult("father", Verdict.NOT_ASKED),
}
DOSSIER = Dossier(
    kind="birth",
    procedure="1.001193",
    form="nhanHoSoDKHT",
    in_force="2026-09-01",
    fields={
        "nksHoTen": "",
        "nksNgaySinh": "23.11.2026",
        "meHoTen": "Đặng Thị Thúy Hòa",
        "meNoiCuTru": {"maTinh": "52", "maHuyen": "", "maXa": "21553", "dcChiTiet": "tổ 3, <khu> A & B"},
    },
    owed=(Owed("nksHoTen", "family"),),
    missing=(),
    commune=CommuneAnswer(Commune("21553", "Phường Quy Nhơn", "52", "Gia Lai", "2025-07-01"), (), "mother.address"),
    deadlines={"register_by": "2027-01-22"},
    findings=(Finding("identity.differs", "mother", "name, born"),),
    provenance={"meHoTen": Provenance("w.3", "NK1[NK1-3.1 = MTH]-2", "birth.toml#mother.name")},
    mapping_hash="0123abcd",
)


def sample_dossier_xml(code: str = ENVELOPE.code, version: int = 1, *, withdrawn: bool = False) -> bytes:
    """The invented dossier as unsigned XML, or its withdrawal."""
    envelope = replace(ENVELOPE, code=code, version=version)
    return write_dossier(replace(DOSSIER, withdrawn=withdrawn), envelope, IDENTITY)
