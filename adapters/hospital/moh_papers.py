"""The single papers in the Ministry of Health's XML: giấy chứng sinh, giấy báo tử, XML9 rows, XML1 deaths.

What is asked of a paper here is only what decides how it is read; all else is in the mapping files.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.dates import PartialDate
from gateway.mapping.safe_xml import XmlElement, local_name

PAPERS = ("GIAYCHUNGSINH", "GIAYBAOTU")
"""Kinds that a facility signs one by one."""
DIED = ("5", "8")  # KET_QUA_DTRI: died; died outside
ISSUED = ("NGAY_CT", "NGAY_CAPGIAYBT")  # day of issue of a birth paper, of a death notice
NEWBORN_DAYS = 28
_STILL = re.compile(r"\b(thai (chết|lưu)|chết lưu|tử thai|thai nhi chết)\b")
_DIED_AFTER = re.compile(r"(?<!không )\b(chết|tử vong)\b")
_GCS_NUMBER = re.compile(r"\d{5}\.GCS\.(\d{5})\.\d{2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """One event's element. `form` is the mapping file; `place` an XPath of the element for people."""

    form: str
    element: XmlElement
    place: str


def papers(root: XmlElement) -> Iterator[Paper]:
    """Every paper of a document without namespaces, in order."""
    tree = root.getroottree()
    for element in root.iter("GIAYCHUNGSINH", "DU_LIEU_GIAY_CHUNG_SINH", "GIAYBAOTU", "TONG_HOP"):
        form = _form_of(element)
        if form:
            yield Paper(form, element, tree.getpath(element))


def _form_of(element: XmlElement) -> str:
    name = local_name(element)
    if name == "TONG_HOP":
        if text_of(element, "KET_QUA_DTRI") not in DIED:
            return ""
        return "xml1_newborn_death" if _is_newborn(element) else "xml1_death"
    if name == "GIAYBAOTU":
        return "giay_bao_tu"
    if is_surrogacy(element):
        return "birth_surrogacy"
    return "giay_chung_sinh" if name == "GIAYCHUNGSINH" else "xml9"


def is_surrogacy(element: XmlElement) -> bool:
    """Whether any field of the commissioning mother's block is filled (Law on marriage and family, article 94)."""
    return any(local_name(child).endswith("_MTH") and (child.text or "").strip("0 \r\n\t") for child in element)


def _is_newborn(summary: XmlElement) -> bool:
    """XML1 of a newborn carries a parent's or the facility's name in HO_TEN, so the name must not be used."""
    born, left = date_of(summary, "NGAY_SINH"), date_of(summary, "NGAY_RA") or date_of(summary, "NGAY_VAO")
    if born is None or born.date is None or left is None or left.date is None:
        return born is None or born.date is None  # unknown age: the name is not known to be the patient's own
    return (left.date - born.date).days <= NEWBORN_DAYS


def is_stillbirth(element: XmlElement) -> bool:
    """TINH_TRANG_CON says the child was not born alive. A bare "chết" may as well mean: died after birth."""
    return bool(_STILL.search(_state(element)))


def died_after_birth(element: XmlElement) -> bool:
    """TINH_TRANG_CON says the child died. SO_CON_SONG is no evidence: it counts the mother's living children."""
    return not is_stillbirth(element) and bool(_DIED_AFTER.search(_state(element)))


def _state(element: XmlElement) -> str:
    return unicodedata.normalize("NFC", text_of(element, "TINH_TRANG_CON")).casefold()


def is_issued_again(element: XmlElement) -> bool:
    """The paper replaces an earlier one: CAP_LAN_DAU is 0, or a death notice gives the number it had first."""
    return text_of(element, "CAP_LAN_DAU") == "0" or bool(text_of(element, "SO_BAOTU_BD"))


def text_of(element: XmlElement, *names: str) -> str:
    """The first valued child text among `names`, trimmed; "" when there is none."""
    return next((found for name in names if (found := (element.findtext(name) or "").strip())), "")


def parse_date(text: str | None) -> PartialDate | None:
    """A date as these papers write it; None when it is none."""
    try:
        return PartialDate.parse(text or "")
    except ValueError:
        return None


def date_of(element: XmlElement, *names: str) -> PartialDate | None:
    """The first valued of `names` as a date; None when absent or not a date."""
    return parse_date(text_of(element, *names))


def facility_of(root: XmlElement) -> str:
    """MACSKCB of the message, else the facility's part of a paper number NNNNN.GCS.FFFFF.YY, else ""."""
    for name in ("MACSKCB", "MA_CSKCB"):
        for element in root.iter(name):
            if element.text and element.text.strip():
                return str(element.text).strip()
    for element in root.iter("MA_GCS", "SO"):
        if match := _GCS_NUMBER.match((element.text or "").strip()):
            return match.group(1)
    return ""
