"""The words of /trung-lap: what is compared between two cases, and how evidence is called."""

from __future__ import annotations

from gateway.domain.person import Sex

SEXES = {Sex.MALE: "Nam", Sex.FEMALE: "Nữ", Sex.UNDETERMINED: "Chưa xác định"}

_PERSON = {"name": "Họ, chữ đệm, tên", "born": "Ngày sinh", "personal_id": "Số định danh", "cmnd": "Số CMND"}
_PERSON |= {"passport": "Số hộ chiếu", "address": "Nơi cư trú"}
_SOURCES = {"facility.name": "Cơ sở y tế"}

FACTS = {
    "birth": {
        "child.name": "Tên trẻ",
        "child.born": "Giờ, ngày sinh của trẻ",
        "child.sex": "Giới tính của trẻ",
        "birth.plurality": "Số con trong lần sinh",
        "birth.order": "Con thứ mấy trong lần sinh",
        "birth.weight_g": "Cân nặng (g)",
        **{f"mother.{name}": f"{label} (mẹ)" for name, label in _PERSON.items()},
        "father.name": "Họ, chữ đệm, tên (cha)",
        "father.personal_id": "Số định danh (cha)",
        "birth.place_name": "Nơi sinh",
        "paper.number": "Số giấy chứng sinh",
        **_SOURCES,
    },
    "death": {
        **{f"deceased.{name}": label for name, label in _PERSON.items()},
        "deceased.sex": "Giới tính",
        "death.at": "Giờ, ngày chết",
        "death.place_name": "Nơi chết",
        "paper.number": "Số giấy báo tử",
        **_SOURCES,
    },
}
"""Per kind: which facts stand side by side, in this order, and what the page calls them."""

EVIDENCE = {
    "mother.personal_id": "số định danh của mẹ",
    "mother.cmnd": "số CMND của mẹ",
    "mother.passport": "số hộ chiếu của mẹ",
    "mother.name": "họ tên mẹ",
    "mother.born": "ngày sinh của mẹ",
    "mother.born_year": "năm sinh của mẹ",
    "born.day": "ngày sinh của trẻ",
    "born.instant": "giờ sinh (chênh không quá 10 phút)",
    "child.sex": "giới tính của trẻ",
    "birth.order": "thứ tự sinh",
    "father.personal_id": "số định danh của cha",
    "paper.number": "số giấy của cơ sở y tế",
    "deceased.personal_id": "số định danh",
    "deceased.cmnd": "số CMND",
    "deceased.passport": "số hộ chiếu",
    "deceased.name": "họ tên",
    "deceased.born": "ngày sinh",
    "deceased.born_year": "năm sinh",
    "deceased.sex": "giới tính",
    "death.day": "ngày chết",
    "death.instant": "giờ chết (chênh không quá 10 phút)",
}
"""Codes of domain.duplicates in a few words; a test compares."""

DIFFERING = {"born.instant": "giờ sinh (chênh hơn 10 phút)", "death.instant": "giờ chết (chênh hơn 10 phút)"}
"""The same where something differs, if it is called otherwise."""
