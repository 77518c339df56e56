"""A small invented world for tests of pages and API: two communes, one hospital, dossiers on the desk, four people.

Rows are written as the pipeline stores them (docs/decisions/0001-main-path.md, "Stored shapes"). Everybody is invented.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, cast

import orjson
from sqlalchemy import Connection, insert, select

from adapters.hospital.fhir import FhirReader
from gateway.domain.commune import Commune, CommuneAnswer
from gateway.domain.dossier import Dossier, Owed, as_json
from gateway.domain.finding import Finding
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.provenance import Provenance
from gateway.lanes import lanes
from gateway.mapping.forms import load_forms
from gateway.pipeline.cases import StoredCase, add_case
from gateway.pipeline.services import Services
from gateway.ports.hospital import NOWHERE, Answer, Feed, Origin, Reply
from gateway.store.session import Store, now_us
from gateway.store.tables import DeskItem, DossierRow, Entry, Message
from gateway.store.vault import Vault
from gateway.testing.signing import FakeSigningKey
from gateway.web.accounts import create_user
from gateway.web.app import create_app
from gateway.web.site import WebOptions

with warnings.catch_warnings():
    # Starlette announces a successor of httpx that is no dependency of ours yet.
    warnings.simplefilter("ignore")
    from fastapi.testclient import TestClient as TestClient  # noqa: PLC0414 — given on to the tests

FORMS = load_forms(Path(__file__).parents[1] / "mappings" / "forms")
PASSWORD = "mật khẩu rất dài"
HERE = Commune("21583", "Phường Quy Nhơn", "52", "Tỉnh Gia Lai", "2025-07-01")
THERE = Commune("21589", "Phường Quy Nhơn Tây", "52", "Tỉnh Gia Lai", "2025-07-01")
HOSPITAL = Feed("benh-vien-thu", facility_code="99001", facility_name="Bệnh viện Đa khoa Thử Nghiệm")
OTHER_HOSPITAL = Feed("benh-vien-khac", facility_code="99002", facility_name="Bệnh viện Khác")
ON = date(2026, 11, 23)
_DAY = 86_400_000_000

_NAMES = {
    "moj_sex": {"1": "Nam", "2": "Nữ"},
    "ethnicity": {"01": "Kinh", "13": "Ba na"},
    "nationality": {"VN": "Việt Nam"},
    "papers": {"4": "Thẻ căn cước công dân"},
    "residence": {"1": "Thường trú"},
    "birth_kind": {"1": "Đã xác định được cả cha lẫn mẹ"},
    "timeliness": {"1": "Đăng ký đúng hạn"},
    "death_notice_type": {"1": "Giấy báo tử"},
}


@dataclass(frozen=True)
class SmallTable:
    names: Mapping[str, str]

    def get(self, code: str) -> str | None:
        return code if code in self.names else None

    def column(self, code: str, column: str) -> str | None:
        assert column == "name"
        return self.names.get(code)

    def codes(self) -> Sequence[str]:
        return list(self.names)


class SmallUnits:
    def today(self, code: str) -> Commune | None:
        return {place.code: place for place in (HERE, THERE)}.get(code)


class SmallCatalogue:
    """The part of the catalogue that pages look names up in."""

    units = SmallUnits()

    def table(self, name: str, on: date) -> SmallTable:
        return SmallTable(_NAMES[name])


@dataclass
class HeardIntake:
    """An intake that remembers what it was handed and answers at once."""

    heard: list[tuple[bytes, str | None, str | None]] = field(default_factory=list)
    origins: list[Origin] = field(default_factory=list)
    answer: Answer = field(default_factory=lambda: Answer("AA", b"MSA|AA|1", "application/hl7-v2", 200))

    def submit(self, raw: bytes, format: str | None, feed: str | None, reply: Reply, origin: Origin = NOWHERE) -> None:
        self.origins.append(origin)
        self.heard.append((raw, format, feed))
        reply(self.answer)


def add_people(store: Store) -> None:
    """One person a role: can-bo, benh-vien, kiem-tra, quan-tri; and can-bo-khac of the other commune."""
    with store.write() as conn:
        create_user(conn, "can-bo", "officer", "Trần Thị Cán Bộ", PASSWORD, communes=[HERE.code])
        create_user(conn, "can-bo-khac", "officer", "Lê Văn Khác", PASSWORD, communes=[THERE.code])
        create_user(conn, "benh-vien", "hospital", "Phòng Kế hoạch", PASSWORD, facilities=["99001"])
        create_user(conn, "kiem-tra", "auditor", "Ngô Kiểm Tra", PASSWORD)
        create_user(conn, "quan-tri", "admin", "Võ Quản Trị", PASSWORD)


@dataclass
class World:
    """One application with its store; `add_…` put rows there."""

    store: Store
    vault: Vault
    clock: Any
    options: WebOptions = field(default_factory=lambda: WebOptions(environment="development", secure_cookies=False))
    intake: HeardIntake = field(default_factory=HeardIntake)

    def __post_init__(self) -> None:
        self.services = Services(
            store=self.store,
            vault=self.vault,
            clock=self.clock,
            catalogue=cast("Any", SmallCatalogue()),
            readers={"fhir": FhirReader()},
            feeds={feed.name: feed for feed in (HOSPITAL, OTHER_HOSPITAL)},
            population=cast("Any", None),
            communes={},
            signing=FakeSigningKey(),
            writer="test",
        )
        self.app = create_app(self.services, self.intake, FORMS, self.options)

    @property
    def now(self) -> int:
        return now_us(self.clock)

    def add_dossier(
        self, code: str, dossier: Dossier, state: str = "received", feed: Feed = HOSPITAL, *, sealed: bool = True
    ) -> None:
        """A case with its dossier and, once sealed, its place on the desk."""
        with self.store.write() as conn:
            self._add_case(conn, code, dossier, feed)
            xml = f'<dossier xmlns="urn:vn:hotich:1" code="{code}"/>' if sealed else None
            self._add_dossier(conn, code, dossier, xml)
            if xml:
                self._add_item(conn, code, dossier, state, xml)
            lanes.put(conn, f"dossier:{code}", "forward", {"case": code, "version": 1}, self.now)

    def _add_case(self, conn: Connection, code: str, dossier: Dossier, feed: Feed) -> None:
        identity = {
            "mother": IdentityResult("mother", Verdict.MATCHED, asked_at="2026-11-23T02:00:00+00:00", entry="t.1"),
            "father": IdentityResult("father", Verdict.DIFFERS, ("name", "born"), asked_at="2026-11-23T02:00:00+00:00"),
        }
        deceased = {"deceased": IdentityResult("deceased", Verdict.NOT_FOUND, asked_at="2026-11-23T02:00:00+00:00")}
        case = StoredCase(
            id=code,
            kind=dossier.kind,
            facility=feed.facility_code,
            feed=feed.name,
            status="sent",
            version=1,
            identified=1,
            prepared=1,
            commune_code=dossier.commune.commune.code if dossier.commune.commune else "",
            opened_at=self.now,
            changed_at=self.now,
            settle_at=self.now,
            identity=identity if dossier.kind == "birth" else deceased,
        )
        add_case(conn, self.vault, case)

    def _add_dossier(self, conn: Connection, code: str, dossier: Dossier, xml: str | None) -> None:
        conn.execute(
            insert(DossierRow.__table__).values(  # type: ignore[attr-defined]
                case_id=code,
                version=1,
                code=code,
                procedure=dossier.procedure,
                form=dossier.form,
                commune_code=dossier.commune.commune.code if dossier.commune.commune else "",
                mapping_hash="m",
                content_key=b"k",
                status="sent" if xml else "ready",
                register_by=dossier.deadlines.get("register_by", ""),
                made_at=self.now,
                changed_at=self.now,
                sealed=self.vault.seal(orjson.dumps({"dossier": as_json(dossier), "xml": xml})),
            )
        )

    def _add_item(self, conn: Connection, code: str, dossier: Dossier, state: str, xml: str) -> None:
        assert dossier.commune.commune is not None
        content = {"xml": xml, "words": "", "result": {}, "history": []}
        conn.execute(
            insert(DeskItem.__table__).values(  # type: ignore[attr-defined]
                code=code,
                case_id=code,
                kind=dossier.kind,
                commune_code=dossier.commune.commune.code,
                version=1,
                state=state,
                received_at=self.now - _DAY,
                changed_at=self.now,
                register_by=dossier.deadlines["register_by"],
                deliveries=1,
                sealed=self.vault.seal(orjson.dumps(content)),
            )
        )

    def add_message(self, number: int, feed: Feed = HOSPITAL, relevance: str = "birth") -> None:
        """One received message."""
        with self.store.write() as conn:
            conn.execute(
                insert(Message.__table__).values(  # type: ignore[attr-defined]
                    id=f"test.{number}",
                    received_at=self.now + number,
                    feed=feed.name,
                    format="hl7v2",
                    type="ADT^A01",
                    control_key=f"M{number}",
                    content_key=b"c",
                    ack="AA",
                    relevance=relevance,
                )
            )

    def entries(self, kind: str) -> list[dict[str, Any]]:
        """The log's entries of a kind: subject and meta."""
        table = Entry.__table__  # type: ignore[attr-defined]
        with self.store.read() as conn:
            rows = conn.execute(select(table).where(table.c.kind == kind).order_by(table.c.seq)).all()
        return [{"subject": row.subject, **orjson.loads(row.meta)} for row in rows]


_HOSPITAL_SAID = {
    "nksNgaySinh": ("20.11.2026", "PID-7"),
    "nksNgaySinhBangChu": ("Ngày hai mươi tháng mười một năm hai nghìn không trăm hai mươi sáu", "PID-7"),
    "nksGioiTinh": ("2", "PID-8"),
    "nksNoiSinh": (
        {"maTinh": "52", "maHuyen": "", "maXa": "21583", "dcChiTiet": "Bệnh viện Đa khoa Thử Nghiệm"},
        "PV1-3",
    ),
    "meHoTen": ("Nguyễn Thị Thu Hòa", "NK1[NK1-3.1 = MTH]-2"),
    "meNgaySinh": ("12.04.1997", "NK1[NK1-3.1 = MTH]-16"),
    "meSoDDCN": ("999197000123", "NK1[NK1-3.1 = MTH]-33"),
    "chaHoTen": ("Đặng Văn Khánh", "NK1[NK1-3.1 = FTH]-2"),
    "chaNgaySinh": ("1995", "NK1[NK1-3.1 = FTH]-16"),
    "maGCS": ("00123.GCS.99001.26", "NK1-33"),
}
_STATE_KNEW = {
    "meDanToc": "01",
    "meQuocTich": "VN",
    "meLoaiCuTru": "1",
    "meNoiCuTru": {"maTinh": "52", "maHuyen": "", "maXa": "21583", "dcChiTiet": "12 đường Thử Nghiệm"},
    "meLoaiGiayToTuyThan": "4",
    "meSoGiayToTuyThan": "999197000123",
}
_FAMILY_OWES = ("nksHoTen", "nksQueQuan", "nksDanToc", "nycHoTen", "nycQuanHe", "nycSoGiayToTuyThan", "soLuongBanSao")


def birth(commune: Commune = HERE, register_by: str = "2027-01-19", **changed: Any) -> Dossier:
    """A birth dossier as prepared from an ADT and a population record. `changed` overrides fields."""
    blank = {leaf.name: "" for section in FORMS["birth"].sections for leaf in section.fields}
    fields: dict[str, Any] = blank | {name: value for name, (value, _) in _HOSPITAL_SAID.items()} | _STATE_KNEW
    fields |= {"nksQuocTich": "VN", "nksLoaiKhaiSinh": "1", "loaiDangKy": "1", "noiDangKy": commune.code} | changed
    said = {name: Provenance("test.7", path, f"adt_birth.toml#{name}") for name, (_, path) in _HOSPITAL_SAID.items()}
    rule = "identity#matched > birth.toml#"
    knew = {name: Provenance("population:test.8", "mother", rule + name) for name in _STATE_KNEW}
    return Dossier(
        kind="birth",
        procedure="1.001193",
        form="nhanHoSoDKHT",
        in_force="2025-07-01",
        fields=fields,
        owed=tuple(Owed(name, "family") for name in _FAMILY_OWES if not fields[name]),
        missing=(),
        commune=CommuneAnswer(commune, (), "mother.address"),
        deadlines={"register_by": register_by, "send_paper_by": "2026-11-23"},
        findings=(Finding("name.placeholder", "nksHoTen"), Finding("identity.differs", "father", "name, born")),
        provenance=said | knew,
    )


def death(commune: Commune = HERE, register_by: str = "2026-11-25", **changed: Any) -> Dossier:
    """A death dossier of a person the population database does not know."""
    blank = {leaf.name: "" for section in FORMS["death"].sections for leaf in section.fields}
    facts = {
        "nktHoTen": "Phạm Văn Thử",
        "nktNgaySinh": "1950",
        "nktGioiTinh": "1",
        "nktNgayChet": "10.11.2026",
        "nktGioPhutChet": "04:30",
        "nktNguyenNhanChet": "không rõ",
        "gbtLoai": "1",
        "noiDangKy": commune.code,
    }
    return replace(
        birth(commune, register_by),
        kind="death",
        procedure="1.000656",
        fields=blank | facts | changed,
        owed=(Owed("nycHoTen", "family"), Owed("nktNoiCuTru", "officer")),
        findings=(Finding("identity.not_found", "deceased"), Finding("death.contradiction", "PID-30")),
        provenance={name: Provenance("test.9", "PID-29", "adt_death.toml#death.at") for name in facts},
    )
