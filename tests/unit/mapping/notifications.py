"""Whole and empty notifications of invented people, and every shipped form filled from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from gateway.domain.dates import PartialDate
from gateway.domain.notification import (
    Birth,
    BirthNotification,
    Death,
    DeathNotification,
    Facility,
    Notification,
    Paper,
    flatten,
)
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import Filled, fill_form
from gateway.ports.hospital import Feed

TODAY = date(2026, 11, 23)
LINKED, LINKED_2025, ORDINARY = "nhanHoSoDKHT", "nhanHoSoDKHT-2025", "dangKyHoTich"
FORMS = (LINKED, LINKED_2025, ORDINARY)
KINDS = ("birth", "death")
HOME = Address(
    line="12 Lê Lợi", commune="Phường Quy Nhơn", commune_code="21583", province_code="52", residence="permanent"
)
MOTHER = Person(
    name=PersonName("Trần", "Thị", "Thử"),
    born=PartialDate(1995, 5, 1),
    personal_id="999195000001",
    ethnicity="01",
    nationality="VN",
    address=HOME,
)
FATHER = Person(
    name=PersonName("Siu", "", "H'Nghiệm"),
    born=PartialDate(1990),
    passport="C9990002",
    ethnicity="10",
    nationality="LA",
    address=Address(line="bản Không Có & <xa>", country="LA", residence="temporary"),
)
FACILITY = Facility("99001", "Bệnh viện Thử Nghiệm", Address(commune_code="21583"))
BIRTH = BirthNotification(
    child=Person(sex=Sex.FEMALE, born=PartialDate(2026, 11, 23, 8, 15)),
    mother=MOTHER,
    birth=Birth(weight_g=3200),
    paper=Paper(number="00001.GCS.99001.26", issued_on=PartialDate(2026, 11, 23)),
    facility=FACILITY,
)
WHOLE_BIRTH = BirthNotification(
    child=Person(
        name=PersonName("Trần", "Bảo", "An"),
        sex=Sex.FEMALE,
        born=PartialDate(2026, 11, 3, 8, 15),
        ethnicity="01",
        nationality="VN",
    ),
    mother=MOTHER,
    father=FATHER,
    birth=Birth(place_name='Khoa sản "Số 1" & <phụ>', weight_g=3200),
    paper=BIRTH.paper,
    facility=FACILITY,
)
DEATH = DeathNotification(
    deceased=Person(name=PersonName("Lê", "Văn", "Mẫu"), sex=Sex.MALE, born=PartialDate(1950), passport="C9990001"),
    death=Death(at=PartialDate(2026, 11, 20, 23, 5), cause="Tuổi già"),
    paper=Paper(number="BT-99001-7", issued_on=PartialDate(2026, 11, 21)),
    facility=FACILITY,
)
WHOLE_DEATH = DeathNotification(
    deceased=Person(
        name=PersonName("Lê", "Văn", "Mẫu"),
        sex=Sex.MALE,
        born=PartialDate(1950, 7),
        cmnd="999000111",
        id_issued_on=PartialDate(2010, 2, 28),
        id_issued_by="Công an <tỉnh> & huyện",
        ethnicity="01",
        nationality="VN",
        address=HOME,
    ),
    death=Death(at=PartialDate(2026, 11, 20, 23, 5), cause='Ngã "từ trên cao" & <không rõ>'),
    paper=DEATH.paper,
    facility=FACILITY,
)
WHOLE: dict[str, Notification] = {"birth": WHOLE_BIRTH, "death": WHOLE_DEATH}
EMPTY: dict[str, Notification] = {"birth": BirthNotification(), "death": DeathNotification()}
ADDED = {
    "commune.code": "21583",
    "computed.timeliness": "on_time",
    "computed.parents": "mother",
    "identity.mother": "matched",
}


def fill(
    catalogue: Catalogue, told: Notification, form: str = LINKED, known: dict[str, Any] = ADDED, **added: Any
) -> Filled:
    """A form filled as `prepare` does; `added` are further paths of the view, `.` written `__`."""
    kind = "birth" if isinstance(told, BirthNotification) else "death"
    view = flatten(told) | known | {path.replace("__", "."): value for path, value in added.items()}
    sources = {path: Provenance("m", path, f"in#{path}") for path in view}
    return fill_form(catalogue.form(kind, form, TODAY), view, sources, catalogue, Feed(), TODAY)


def every_form(catalogue: Catalogue) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """(kind, form, wire, fields) of each form, filled from the whole and from the empty notification."""
    for kind in KINDS:
        for form in FORMS:
            for told, known in ((WHOLE[kind], ADDED), (EMPTY[kind], {})):
                wire = catalogue.form(kind, form, TODAY).wire
                yield kind, form, wire, dict(fill(catalogue, told, form, known).fields)
