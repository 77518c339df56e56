"""What a record of the national population database becomes, and what is asked for it."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import Any

import pytest

from adapters.population.dancu_question import Question, in_capitals, to_question
from adapters.population.dancu_record import to_answer
from gateway.domain.dates import PartialDate
from gateway.domain.identity import PopulationAnswer, decide_verdict
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.errors import Misunderstood, Refused
from gateway.testing.population import KNOWN, question
from tests.population_world import table

RECORD: dict[str, Any] = {
    "sodinhdanh": KNOWN.personal_id,
    "socmnd": KNOWN.cmnd,
    "hovaten": {"ho": "", "chudem": "", "ten": "ĐẶNG THỊ THÚY HÒA"},
    "gioitinh": "2",
    "dantoc": "01",
    "tongiao": "07",
    "nhommau": "03",
    "ngaythangnamsinh": {"nam": "1996", "ngaythangnam": "19960409"},
    "quoctich": "Việt Nam",
}
BY_ID = to_question(question(personal_id=KNOWN.personal_id))
BY_CMND = to_question(question(cmnd=KNOWN.cmnd))


def answer(record: dict[str, Any], asked: Question = BY_ID) -> PopulationAnswer:
    return to_answer(asked, [record], b"raw", table)


def person(**changed: Any) -> Person:
    found = answer(RECORD | changed).person
    assert found is not None
    return found


def test_a_record_becomes_a_person_with_what_a_dossier_needs_and_nothing_else() -> None:
    assert person() == replace(KNOWN, name=PersonName("ĐẶNG", "THỊ THÚY", "HÒA"))


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ({"ho": "", "chudem": "", "ten": "Y BLƠ K'SƠR"}, ("Y", "BLƠ", "K'SƠR")),
        ({"ho": "Nguyễn Phúc", "chudem": "Bảo", "ten": "Ân"}, ("Nguyễn Phúc", "Bảo", "Ân")),
        ({"ho": "H'", "chudem": "", "ten": "Hen Niê"}, ("H'", "", "Hen Niê")),
        ({"ten": "Hoa"}, ("", "", "Hoa")),
        ("  Trần   Thị Ánh ", ("Trần", "Thị", "Ánh")),
        (unicodedata.normalize("NFD", "Lý Thị Nguyệt"), ("Lý", "Thị", "Nguyệt")),
    ],
)
def test_a_name_in_parts_stays_so_and_a_whole_one_is_split(said: Any, parts: tuple[str, str, str]) -> None:
    assert person(hovaten=said).name == PersonName(*parts)


@pytest.mark.parametrize("said", [{}, "", {"ho": "", "chudem": "", "ten": ""}, None])
def test_no_name_is_no_name(said: Any) -> None:
    assert person(hovaten=said).name is None


@pytest.mark.parametrize(
    ("said", "born"),
    [
        ({"nam": "1950"}, PartialDate(1950)),
        ({"nam": "1950", "ngaythangnam": ""}, PartialDate(1950)),
        ({"ngaythangnam": "19500000"}, PartialDate(1950)),
        ("19960409", PartialDate(1996, 4, 9)),
        ("", None),
        (None, None),
    ],
)
def test_a_birth_date_keeps_the_precision_the_state_knows(said: Any, born: PartialDate | None) -> None:
    assert person(ngaythangnamsinh=said).born == born


@pytest.mark.parametrize(
    ("code", "sex"), [("1", Sex.MALE), ("2", Sex.FEMALE), (2, Sex.FEMALE), ("", None), ("9", None)]
)
def test_sex_is_what_the_dated_table_says(code: Any, sex: Sex | None) -> None:
    assert person(gioitinh=code).sex == sex


@pytest.mark.parametrize(
    "changed",
    [
        {"ngaythangnamsinh": {"ngaythangnam": "19960231"}},
        {"ngaythangnamsinh": "09.04"},
        {"sodinhdanh": "99919600001"},
        {"sodinhdanh": 999196000017.5},
        {"socmnd": "99900001X"},
        {"dantoc": ["01"]},
        {"hovaten": ["Đặng"]},
        {"thuongtru": ["một", "hai"]},
        {"vochong": {"sodinhdanh": "12"}},
    ],
)
def test_a_record_that_cannot_be_read_is_not_half_read(changed: dict[str, Any]) -> None:
    with pytest.raises(Misunderstood) as caught:
        answer(RECORD | changed)
    assert caught.value.code == "population.record_unreadable"
    assert caught.value.evidence == b"raw"


OLD = {"matinhthanh": "52", "maquanhuyen": "540", "maphuongxa": "21550", "chitiet": "Tổ 3", "quocgia": "VN"}


@pytest.mark.parametrize(
    ("said", "address"),
    [
        (OLD, Address("Tổ 3", commune_code="21550", district_code="540", province_code="52", country="VN")),
        ({"matinhthanh": "1", "maquanhuyen": "4", "maphuongxa": 97}, Address("", "", "00097", "", "004", "", "01")),
        (OLD | {"maquanhuyen": "000"}, Address("Tổ 3", commune_code="21550", province_code="52", country="VN")),
        (
            {"madonvihanhchinh": "21583", "chitiet": "Số 9 Trần Phú", "quocgia": "Việt Nam"},
            Address("Số 9 Trần Phú", commune_code="21583", country="VN"),
        ),
        ({"madonvihanhchinh": "H21.30.11", "chitiet": "Số 9"}, Address("Số 9")),
        ("Thôn Đông, xã Nhơn Hải", Address("Thôn Đông, xã Nhơn Hải")),
    ],
)
def test_an_address_keeps_its_codes_and_a_district_tells_the_old_list(said: Any, address: Address) -> None:
    assert person(thuongtru=said).address == replace(address, residence="permanent")


def test_where_someone_lives_now_counts_only_without_a_permanent_residence() -> None:
    now = {"chitiet": "Nhà trọ"}
    assert person(noiohientai=now).address == Address("Nhà trọ")
    assert person(noiohientai=now, thuongtru={"chitiet": "Tổ 3"}).address == Address("Tổ 3", residence="permanent")
    assert person(noiohientai=now, thuongtru={"chitiet": "", "quocgia": "VN"}).address == Address("Nhà trọ")


def test_relatives_are_offered_by_role_and_empty_ones_are_nobody() -> None:
    said = RECORD | {
        "vochong": {"hovaten": {"ho": "", "chudem": "", "ten": "NGUYỄN VĂN AN"}, "sodinhdanh": "999094000033"},
        "cha": {"hovaten": "ĐẶNG VĂN BA", "quoctich": "VN", "sodinhdanh": "", "socmnd": ""},
        "me": {"hovaten": {}, "quoctich": "VN", "sodinhdanh": "", "socmnd": ""},
        "chuho": {"quanhe": "01", "hovaten": "AI ĐÓ"},
    }
    assert answer(said).relatives == {
        "spouse": Person(name=PersonName("NGUYỄN", "VĂN", "AN"), personal_id="999094000033"),
        "father": Person(name=PersonName("ĐẶNG", "VĂN", "BA"), nationality="VN"),
    }


def test_a_person_found_by_an_old_number_may_be_kept_under_the_new_one_alone() -> None:
    found = answer(RECORD | {"socmnd": ""}, BY_CMND).person
    assert found is not None
    assert found.personal_id == KNOWN.personal_id


@pytest.mark.parametrize(
    ("asked", "changed"),
    [
        (BY_ID, {"sodinhdanh": "999196000018"}),
        (BY_ID, {"sodinhdanh": ""}),
        (BY_CMND, {"socmnd": "999000018"}),
        (BY_CMND, {"socmnd": "", "sodinhdanh": ""}),
    ],
)
def test_a_record_that_does_not_carry_the_number_asked_for_is_another_person_s(
    asked: Question, changed: dict[str, str]
) -> None:
    with pytest.raises(Misunderstood) as caught:
        answer(RECORD | changed, asked)
    assert caught.value.code == "population.other_person"


def test_several_persons_are_nobody_s_choice() -> None:
    with pytest.raises(Misunderstood) as caught:
        to_answer(BY_ID, [RECORD, RECORD], b"raw", table)
    assert caught.value.code == "population.several_persons"


def test_a_name_in_capitals_is_the_name_the_hospital_wrote() -> None:
    query = question(personal_id=KNOWN.personal_id)
    assert decide_verdict(query, answer(RECORD)).differing == ()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("name", "capitals"),
    [
        ("Nguyễn Thị  Đức Hạnh", "NGUYỄN THỊ ĐỨC HẠNH"),
        ("h'hen niê", "H'HEN NIÊ"),
        ("đặng thị thuý hoà", "ĐẶNG THỊ THUÝ HOÀ"),
        ("Ưng Hoàng Phúc", "ƯNG HOÀNG PHÚC"),
    ],
)
def test_names_are_asked_in_capitals_with_every_mark(name: str, capitals: str, form: Any) -> None:
    assert in_capitals(unicodedata.normalize(form, name)) == unicodedata.normalize("NFC", capitals)


@pytest.mark.parametrize(
    ("born", "text"),
    [
        (PartialDate(1996, 4, 9), "19960409"),
        (PartialDate(1950), "1950"),
        (PartialDate(1950, 7), "1950"),
        (PartialDate(1996, 4, 8, 20, 30, offset=0), "19960409"),
        (None, ""),
    ],
)
def test_a_birth_date_is_asked_as_far_as_it_is_known(born: PartialDate | None, text: str) -> None:
    assert to_question(question(personal_id=KNOWN.personal_id, born=born)).born == text


@pytest.mark.parametrize(
    ("personal_id", "cmnd", "asked"),
    [
        ("999196000017", "999000017", ("999196000017", "")),
        (None, "999000017", ("", "999000017")),
        (" 999000017 ", None, ("", "999000017")),
        ("99919600001", "999196000017", ("999196000017", "")),
    ],
)
def test_twelve_digits_are_asked_first_and_nine_otherwise(
    personal_id: str | None, cmnd: str | None, asked: tuple[str, str]
) -> None:
    made = to_question(question(personal_id=personal_id, cmnd=cmnd))
    assert (made.personal_id, made.cmnd) == asked


@pytest.mark.parametrize("number", ["", "12345", "９９９196000017", "99919600001A"])
def test_without_a_number_nobody_is_searched_for(number: str) -> None:
    with pytest.raises(Refused) as caught:
        to_question(question(personal_id=number))
    assert caught.value.code == "population.no_number"
