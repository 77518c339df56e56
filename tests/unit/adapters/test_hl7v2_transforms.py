"""HL7 v2 data types as typed values: every shape that senders give names, addresses, identifiers and measurements."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

import pytest

from gateway.domain.person import Address, PersonName
from gateway.mapping.engine import RowContext
from gateway.mapping.registry import TRANSFORMS
from gateway.ports.hospital import Feed
from tests.hl7v2_messages import READER, events, load_catalogue

CATALOGUE = load_catalogue()


def apply(name: str, field: str, value: str, feed: Feed | None = None, **more: str) -> tuple[Any, list[str]]:
    """What a transform makes of a field's value, and the findings it notes. `OBX_6="g"` sets another field."""
    others = {key.replace("_", "-"): text for key, text in more.items()}
    event = events({"PV1-4": "N", "PID-7": "20261123", field: value, **others})[0]
    context = RowContext(CATALOGUE, feed or Feed(), date(2026, 11, 23))
    items = event.scope.select(READER.compile(field))
    return TRANSFORMS[name](items, context), [finding.code for finding in context.findings]


@pytest.mark.parametrize(
    ("sent", "family", "middle", "given", "whole"),
    [
        ("Nguyễn^Lan^Thị", "Nguyễn", "Thị", "Lan", False),
        ("Nguyễn^Thị Ngọc Lan", "Nguyễn", "Thị Ngọc", "Lan", False),
        ("Nguyễn^Ngọc Lan^Thị", "Nguyễn", "Thị", "Ngọc Lan", False),
        ("Nguyễn^Lan", "Nguyễn", "", "Lan", False),
        ("Nguyễn Thị Lan", "Nguyễn", "Thị", "Lan", True),
        ("^Nguyễn Thị Lan", "Nguyễn", "Thị", "Lan", True),
        ("Nguyễn Thị Lan^Lan", "Nguyễn", "Thị", "Lan", True),
        ("Nguyễn Thị Lan^Lan^Thị", "Nguyễn", "Thị", "Lan", True),
        ("Nguyễn^Nguyễn Thị Lan", "Nguyễn", "Thị", "Lan", True),
        ("Tôn Nữ^Hương^Thị", "Tôn Nữ", "Thị", "Hương", False),
        ("Nguyễn&van&der^Lan^Thị", "Nguyễn", "Thị", "Lan", False),
        ("  NGUYỄN  ^ LAN ^THỊ", "NGUYỄN", "THỊ", "LAN", False),
        ("Y Moan", "Y", "", "Moan", True),
        ("Siu", "", "", "Siu", False),
        ("^^^^^^A~Trần^Nam^Văn^^^^L", "Trần", "Văn", "Nam", False),
        ("Nam^Bí danh^^^^^A~Trần^Nam^Văn^^^^L", "Trần", "Văn", "Nam", False),
        (unicodedata.normalize("NFD", "Nguyễn^Hường^Thị"), "Nguyễn", "Thị", "Hường", False),
    ],
)
def test_a_name_is_rebuilt_in_vietnamese_order(sent: str, family: str, middle: str, given: str, whole: bool) -> None:
    name, noted = apply("xpn_name", "PID-6", sent)
    assert name == PersonName(family, middle, given)
    assert noted == (["name.whole_in_family"] if whole else [])


def test_an_empty_name_is_none() -> None:
    assert apply("xpn_name", "PID-6", "^^^^^^L") == (None, [])


@pytest.mark.parametrize(
    "sent",
    [
        "BB Nguyễn Thị Lan",
        "CB^LAN",
        "Con bà^Lan",
        "CON BÀ NGUYỄN THỊ LAN",
        "Con ông Nam",
        "Bé trai",
        "Bé Nguyễn Thị Hoa",
        "BÉ GÁI^HOA",
        "Sơ sinh^Lan",
        "Baby of Lan",
        "BABY BOY^LAN",
        "Trần^Bé trai",
        "SMITH^BABY GIRL",
        "Trần^BB",
        "Trẻ Lan",
        "BB1 Nguyễn Thị Lan",
        "CB/Nguyễn Thị Lan",
        unicodedata.normalize("NFD", "Bé gái Hoa"),
        "Trần^gái^Bé",
        "Trần^Sinh^Sơ",
    ],
)
def test_a_placeholder_is_no_childs_name(sent: str) -> None:
    assert apply("xpn_child_name", "PID-5", sent) == (None, ["name.placeholder"])


@pytest.mark.parametrize(
    ("sent", "full"),
    [
        ("Bế^Đàn^Văn", "Bế Văn Đàn"),
        ("BẾ^ĐÀN^VĂN", "BẾ VĂN ĐÀN"),
        ("Cao^Bé", "Cao Bé"),
        ("Nguyễn^Bé^Văn", "Nguyễn Văn Bé"),
        ("Nguyễn^Bé Ba", "Nguyễn Bé Ba"),
        ("Béo^An", "Béo An"),
        ("Côn^An", "Côn An"),
        ("Cao^Trẻ", "Cao Trẻ"),
        ("Bùi^Bảo^Con", "Bùi Con Bảo"),
    ],
)
def test_a_real_name_that_looks_like_a_placeholder_is_kept(sent: str, full: str) -> None:
    name, noted = apply("xpn_child_name", "PID-5", sent)
    assert (name.full, noted) == (full, [])


def test_a_feed_may_add_its_own_placeholders() -> None:
    habit = Feed(placeholder_names=("Em của",))
    assert apply("xpn_child_name", "PID-5", "Em của Lan", habit) == (None, ["name.placeholder"])
    assert apply("xpn_child_name", "PID-5", "Em^Lan", habit)[0].full == "Em Lan"


@pytest.mark.parametrize(
    ("sent", "address"),
    [
        (
            "12 Lê Lợi^^Phường Quy Nhơn^52^^VNM^H^^21583",
            Address("12 Lê Lợi", "Phường Quy Nhơn", "21583", province_code="52", country="VNM"),
        ),
        ("12 Lê Lợi^^Quy Nhơn^Tỉnh Gia Lai", Address("12 Lê Lợi", "Quy Nhơn", province="Tỉnh Gia Lai")),
        (
            "12 Lê Lợi^Phường Hải Cảng^Thành phố Quy Nhơn^Bình Định",
            Address("12 Lê Lợi", "Phường Hải Cảng", district="Thành phố Quy Nhơn", province="Bình Định"),
        ),
        (
            "12 Lê Lợi^^TP Quy Nhơn^Bình Định^^^^Phường Hải Cảng",
            Address("12 Lê Lợi", "Phường Hải Cảng", district="TP Quy Nhơn", province="Bình Định"),
        ),
        (
            "12 Lê Lợi^Hải Cảng^Thành phố Quy Nhơn^Bình Định",
            Address("12 Lê Lợi", "Hải Cảng", district="Thành phố Quy Nhơn", province="Bình Định"),
        ),
        ("Thôn 3^Tổ 5^Xã Nhơn Lý^Tỉnh Gia Lai", Address("Thôn 3, Tổ 5", "Xã Nhơn Lý", province="Tỉnh Gia Lai")),
        ("12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai", Address("12 Lê Lợi, Phường Quy Nhơn, Tỉnh Gia Lai")),
        ("^^^52^^^^^123", Address(commune_code="00123", province_code="52")),
        (
            "Thôn 3^^Xã Nhơn Lý^52^^^^540^21616",
            Address("Thôn 3", "Xã Nhơn Lý", "21616", district_code="540", province_code="52"),
        ),
        ("12 Lê Lợi^^^^^^^^Phường Quy Nhơn", Address("12 Lê Lợi", "Phường Quy Nhơn")),
    ],
)
def test_an_address_is_read_in_every_shape(sent: str, address: Address) -> None:
    assert apply("xad_address", "PID-11", sent) == (address, [])


def test_the_permanent_address_comes_first_and_places_that_are_no_residence_never() -> None:
    lines = [("Nơi sinh", "N"), ("Tạm trú", "C"), ("Nhà", "H"), ("Thường trú", "P")]
    sent = "~".join(f"{line}^^Xã A^52^^^{kind}" for line, kind in lines)
    assert apply("xad_address", "PID-11", sent)[0].line == "Thường trú"
    assert apply("xad_address", "PID-11", "Nơi sinh^^Xã A^52^^^N~Sai^^Xã B^52^^^BA") == (None, [])


NUMBERS = (
    "BN001^^^BV^MR~999 123.456-789^^^BCA^NI~123456789^^^CA^CMND~c1234567^^^XNC^PPN~DN4999^^^BHXH^HC"
    "~00001.GCS.99001.26^^^BV^BCT"
)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("cx_personal_id", "999123456789"),
        ("cx_cmnd", "123456789"),
        ("cx_passport", "C1234567"),
        ("cx_insurance", "DN4999"),
        ("cx_facility_id", "BN001"),
        ("cx_paper_number", "00001.GCS.99001.26"),
    ],
)
def test_each_number_is_found_by_its_type(name: str, number: str) -> None:
    assert apply(name, "PID-3", NUMBERS) == (number, [])


@pytest.mark.parametrize("kind", ["NI", "NNVNM", "CCCD", "NIN", "CC", "ni"])
def test_a_personal_number_has_exactly_twelve_digits(kind: str) -> None:
    assert apply("cx_personal_id", "PID-3", f"999123456789^^^BCA^{kind}") == ("999123456789", [])
    for wrong in ("99912345678", "9991234567890", "99912345678X", "000000000000"):
        assert apply("cx_personal_id", "PID-3", f"{wrong}^^^BCA^{kind}") == (None, ["id.not_12_digits"])


def test_nine_digits_where_a_personal_number_was_expected_are_an_old_card() -> None:
    assert apply("cx_personal_id", "PID-3", "123456789^^^BCA^NI") == (None, [])
    assert apply("cx_cmnd", "PID-3", "123456789^^^BCA^NI") == ("123456789", [])


def test_a_number_without_a_type_is_the_facilitys_and_an_unknown_type_is_nobodys() -> None:
    assert apply("cx_facility_id", "PID-3", "BN007") == ("BN007", [])
    assert apply("cx_facility_id", "PID-3", "BN007~BN001^^^BV^MR") == ("BN001", [])
    for name in ("cx_facility_id", "cx_personal_id", "cx_passport"):
        assert apply(name, "PID-3", "999123456789^^^X^XX") == (None, [])


def test_ten_zeros_are_no_insurance_number() -> None:
    assert apply("cx_insurance", "PID-3", "0000000000^^^BHXH^SS~DN1^^^BHXH^BHYT") == ("DN1", [])


@pytest.mark.parametrize(
    ("sent", "unit", "grams"),
    [
        ("3200", "g", 3200),
        ("3.2", "kg^kilogram^UCUM", 3200),
        ("3,25", "KG", 3250),
        ("3200", "", 3200),
        ("^3200", "g", 3200),
        ("3.2", "", None),
        ("3200", "lb", None),
        ("50", "g", None),
        ("32000", "g", None),
        ("nặng", "g", None),
        ("NaN", "g", None),
    ],
)
def test_a_birth_weight_is_grams_or_a_finding(sent: str, unit: str, grams: int | None) -> None:
    noted = [] if grams else ["value.unreadable"]
    assert apply("obx_grams", "OBX-5", sent, OBX_6=unit, OBX_3="8339-4") == (grams, noted)


@pytest.mark.parametrize(
    ("sent", "unit", "weeks"),
    [
        ("39", "wk", 39),
        ("276", "d", 39),
        ("39", "", 39),
        ("39w4d", "", 39),
        ("39+4", "", 39),
        ("39.6", "tuần", 39),
        ("8", "wk", None),
        ("39", "mo", None),
        ("đủ tháng", "", None),
    ],
)
def test_a_gestation_is_completed_weeks_or_a_finding(sent: str, unit: str, weeks: int | None) -> None:
    noted = [] if weeks else ["value.unreadable"]
    assert apply("obx_weeks", "OBX-5", sent, OBX_6=unit, OBX_3="11884-4") == (weeks, noted)


@pytest.mark.parametrize(
    ("sent", "iso", "noted"),
    [
        ("202611230730+0700", "2026-11-23T07:30+07:00", []),
        ("1950", "1950", []),
        ("195007", "1950-07", []),
        ("19500000", "1950", []),
        ("20261332", "None", ["value.unreadable"]),
        ("00000000", "None", []),
        ("", "None", []),
    ],
)
def test_a_time_keeps_the_precision_it_came_in(sent: str, iso: str, noted: list[str]) -> None:
    value, found = apply("hl7_datetime", "PID-33", sent)
    assert (str(value), found) == (iso, noted)


@pytest.mark.parametrize(
    ("sent", "code", "noted"),
    [
        ("01^Kinh^QD121", "01", []),
        ("KINH^Dân tộc Kinh^DANTOC", "01", []),
        ("X^Dân tộc Ê Đê", "12", []),
        ("99^Người sao Hỏa^X", None, ["value.no_crosswalk"]),
        ("", None, []),
    ],
)
def test_an_ethnic_group_is_found_by_code_or_name(sent: str, code: str | None, noted: list[str]) -> None:
    assert apply("ethnic_code", "PID-22", sent) == (code, noted)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ("I21.9^Nhồi máu cơ tim cấp^ICD10", "Nhồi máu cơ tim cấp"),
        ("Tuổi già", "Tuổi già"),
        ("I21.9^^ICD10", None),
        ("I21.9", None),
        ("I21.9^Mã^ICD10^^^^^^Nhồi máu cơ tim", "Nhồi máu cơ tim"),
    ],
)
def test_words_are_taken_and_bare_codes_are_not(sent: str, words: str | None) -> None:
    assert apply("cwe_words", "PID-15", sent) == (words, [])


@pytest.mark.parametrize(
    ("sent", "number"),
    [
        ("0912000111^PRN^CP", "0912000111"),
        ("^PRN^CP^^84^91^2000111", "+84 91 2000111"),
        ("^^^^^^^^^^^0912000111", "0912000111"),
    ],
)
def test_a_telephone_number_is_read_from_either_form(sent: str, number: str) -> None:
    assert apply("xtn_phone", "PID-13", sent) == (number, [])


def test_only_five_digits_are_a_facility_code() -> None:
    assert apply("facility_code", "PID-18", "99001") == ("99001", [])
    assert apply("facility_code", "PID-18", "BV_MAU") == (None, [])


def test_a_path_to_a_component_where_a_field_is_needed_is_a_mistake_of_the_file() -> None:
    with pytest.raises(TypeError, match=r"PID-5, not PID-5\.1"):
        TRANSFORMS["xpn_name"](["Nguyễn"], RowContext(CATALOGUE, Feed(), date(2026, 11, 23)))
