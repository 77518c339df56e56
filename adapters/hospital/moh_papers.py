"""The Ministry of Health's XML opened down to single papers: giấy chứng sinh, giấy báo tử, XML9 rows, XML1 deaths.

Known are HSDLGCS and HSDLGBT (documents of one or more papers, Circulars 22/2025 and 25/2025/TT-BYT), GIAMDINHHS (the
health-insurance envelope of Decision 130/QĐ-BYT with its amendments, whose files are base64), and a paper or the XML9
table on its own. The decoded files of the envelope are hung into its tree, so that one XPath reaches from a row to it.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from gateway.domain.dates import PartialDate
from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import XmlElement, local_name, parse_xml

ROOTS = ("HSDLGCS", "GIAYCHUNGSINH", "HSDLGBT", "GIAYBAOTU", "GIAMDINHHS", "CHI_TIEU_DU_LIEU_GIAY_CHUNG_SINH")
DIED = ("5", "8")  # KET_QUA_DTRI: died; died outside
NEWBORN_DAYS = 28
_OPENED = ("XML1", "XML9")
_STILL = re.compile(r"\b(thai (chết|lưu)|chết lưu|tử thai|thai nhi chết)\b")
_DIED_AFTER = re.compile(r"(?<!không )\b(chết|tử vong)\b")
_GCS_NUMBER = re.compile(r"\d{5}\.GCS\.(\d{5})\.\d{2}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Paper:
    """One event's element. `form` is the mapping file; `place` an XPath of the element for people."""

    form: str
    element: XmlElement
    place: str


def read_document(raw: bytes) -> XmlElement:
    """The message as one tree without namespaces, the envelope's XML1 and XML9 files opened in place.

    Raises UnreadableMessage of `safe_xml`, or `moh.root_unknown`, `moh.file_not_base64`, `moh.no_paper`; `where` is an
    XPath or a line and column.
    """
    root = _without_namespaces(parse_xml(raw))
    name = local_name(root)
    if name not in ROOTS:
        raise UnreadableMessage("moh.root_unknown", "/*", f"the root element is none of {', '.join(ROOTS)}", "200")
    if name == "GIAMDINHHS":
        _open_files(root)
    elif not any(True for _ in papers(root)):
        raise UnreadableMessage("moh.no_paper", f"/{name}", "the document holds no paper", "101")
    return root


def _without_namespaces(root: XmlElement) -> XmlElement:
    # Senders differ in default namespaces and the papers define none. Signatures are checked on the bytes, not here.
    for element in root.iter("{*}*"):
        element.tag = local_name(element)
    return root


def _open_files(root: XmlElement) -> None:
    files = root.findall(".//FILEHOSO")
    if not files:
        raise UnreadableMessage("moh.no_file", "/GIAMDINHHS", "the envelope holds no FILEHOSO", "101")
    for file in files:
        content = file.find("NOIDUNGFILE")
        if content is None or text_of(file, "LOAIHOSO").upper() not in _OPENED or len(content):
            continue
        where = root.getroottree().getpath(content)
        try:
            inner = base64.b64decode("".join((content.text or "").split()), validate=True)
        except (binascii.Error, ValueError):
            raise UnreadableMessage("moh.file_not_base64", where, "the file's content is not base64", "102") from None
        try:
            opened = parse_xml(inner)
        except UnreadableMessage as error:
            raise UnreadableMessage(error.code, f"{where}: {error.where}", error.message, error.hl7_code) from None
        content.text = None
        content.append(_without_namespaces(opened))


def papers(root: XmlElement) -> Iterator[Paper]:
    """Every paper of a document of `read_document`, in order."""
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


def text_of(element: XmlElement, *names: str) -> str:
    """The first valued child text among `names`, trimmed; "" when there is none."""
    return next((found for name in names if (found := (element.findtext(name) or "").strip())), "")


def date_of(element: XmlElement, *names: str) -> PartialDate | None:
    """The first of `names` as a date; None when absent or not a date."""
    try:
        return PartialDate.parse(text_of(element, *names))
    except ValueError:
        return None


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
