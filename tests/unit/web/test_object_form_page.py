"""A dossier of the 2025 form on the officer's pages: people are named and addresses read, no object is printed."""

from __future__ import annotations

from typing import Any

from gateway.domain.dossier import Dossier
from tests.unit.web.conftest import SignIn
from tests.web_world import World, birth, death

HOA = {"Ho": "Nguyễn", "ChuDem": "Thị", "Ten": "Hoa"}
NOBODY = {"Ho": "", "ChuDem": "", "Ten": ""}
HERE = {"maTinh": "52", "maXa": "21583", "dcChiTiet": "12 Lê Lợi", "quocGia": "VN"}


def in_parts(year: str, month: str = "", day: str = "") -> dict[str, str]:
    return {"namSinh": year, "thangSinh": month, "ngaySinh": day}


def objects() -> Dossier:
    return birth(
        nksHoTen=NOBODY,
        nksNgaySinh=in_parts("2026", "11", "03"),
        meHoTen=HOA,
        meNgaySinh=in_parts("1950"),
        meNoiCuTru=HERE,
        chaHoTen=NOBODY,
        chaNgaySinh=in_parts("1949", "07"),
    )


def page_of(world: World, sign_in: SignIn, dossier: Dossier, path: str) -> str:
    world.add_dossier("hs-2025", dossier)
    page: Any = sign_in("can-bo").get(path)
    assert page.status_code == 200
    return str(page.text)


def test_the_desk_names_the_person_of_an_object_form(world: World, sign_in: SignIn) -> None:
    page = page_of(world, sign_in, objects(), "/")
    assert "Con bà Nguyễn Thị Hoa" in page
    assert "ChuDem" not in page


def test_the_dossier_page_reads_names_dates_and_addresses_of_an_object_form(world: World, sign_in: SignIn) -> None:
    page = page_of(world, sign_in, objects(), "/ho-so/hs-2025")
    for words in (
        "<h1>Con bà Nguyễn Thị Hoa</h1>",
        ">Nguyễn Thị Hoa</span>",
        ">03.11.2026</span>",
        ">năm 1950</span>",
        ">tháng 7 năm 1949</span>",
        ">12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai</span>",
    ):
        assert words in page
    for part in ("ChuDem", "namSinh", "dcChiTiet", "{"):
        assert part not in page


def test_a_death_of_an_object_form_is_named_too(world: World, sign_in: SignIn) -> None:
    page = page_of(
        world, sign_in, death(nktHoTen=HOA, nktNgaySinh=in_parts("1950"), nktNoiCuTru=HERE), "/ho-so/hs-2025"
    )
    assert "<h1>Nguyễn Thị Hoa</h1>" in page
    assert "năm 1950" in page and "namSinh" not in page
