"""What became of a dossier, from a row of `layKetQua` or `traTrangThaiHoSo`, or from a call of the exchange.

All three say it with the same names. States stand in the table moj_states, the names of a result's fields in
moj_fields. A result is text or an object; its dates come in several orders and leave here as dd.MM.yyyy.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import orjson

from adapters.commune.moj_wire import Tables
from gateway.domain.registration import RESULT_FIELDS
from gateway.errors import Misunderstood, Unreachable
from gateway.ports.commune import Outcome

CODE_FIELDS = ("maHoSoMCDT", "maHoSo", "maDinhDanhHoSo")
PAPER = "paper"
MAX_PAPER_BYTES = 10_000_000
ERROR = "error"
"""A state of moj_states: the exchange could not tell, ask again."""

_DAY = re.compile(r"(?P<day>\d{1,2})[./-](?P<month>\d{1,2})[./-](?P<year>\d{4})(?:\s.*)?", re.ASCII | re.DOTALL)
_ISO = re.compile(r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})(?:[T\s].*)?", re.ASCII | re.DOTALL)


def the_row(rows: Sequence[Any], code: str, body: bytes, *, named: bool) -> Mapping[str, Any] | None:
    """The one row about `code`; None without any. `named`: it must say whose it is. Raises Misunderstood for a row
    about another dossier or none, and for two that differ."""
    for row in rows:
        if not isinstance(row, dict):
            raise Misunderstood("commune.not_a_reply", "the answer's rows are no objects", body)
        said = next((str(row[name]).strip() for name in CODE_FIELDS if row.get(name)), "" if named else code)
        if said != code:
            raise Misunderstood("commune.another_dossier", "the answer is about another dossier than asked for", body)
    if any(row != rows[0] for row in rows):
        raise Misunderstood("commune.two_answers", "the answer says two things about one dossier", body)
    return rows[0] if rows else None


def read_outcome(row: Mapping[str, Any], code: str, tables: Tables, body: bytes, column: str = "value") -> Outcome:
    """The outcome that a row tells; `column` of moj_states says what its state means. `registered` may come without a
    result. Raises Unreachable when the exchange itself could not tell, Misunderstood (evidence: `body`) for a state, a
    result or a date that makes no sense."""
    state = tables("moj_states").column(str(row.get("trangThai", "")).strip(), column)
    if state == ERROR:
        raise Unreachable("commune.state_unknown", "the exchange says that it could not tell the dossier's state", body)
    if not state:
        raise Misunderstood("commune.state_unknown", "the answer has a state that moj_states.csv does not list", body)
    if state != "registered":
        return Outcome(state, code, _words(row))
    result, paper = _result(row.get("ketQuaXuLy"), tables, body)
    return Outcome(state, code, _words(row), result, paper)


def _words(row: Mapping[str, Any]) -> str:
    """What the far side's officer wrote, and until when the family may supply what is asked for."""
    words = next((text for name in ("noiDungXuLy", "ghiChu") if (text := _text(row.get(name)))), "")
    until = _text(row.get("hanBoSungHoSo"))
    return f"{words} (hạn bổ sung: {until})".strip() if until else words


def _result(told: Any, tables: Tables, body: bytes) -> tuple[dict[str, str], bytes]:
    """Our names of a result's fields, and its paper."""
    fields = _object(told, body)
    names = tables("moj_fields")
    result: dict[str, str] = {}
    paper = b""
    for theirs in names.codes():
        ours = names.column(theirs, "value")
        text = _text(fields.get(theirs))
        if ours == PAPER:
            paper = paper or _pdf(text)
        elif text and ours in RESULT_FIELDS:
            result.setdefault(ours, _date(text, body) if ours == "ngayDangKy" else text)
    return result, paper


def _object(told: Any, body: bytes) -> Mapping[str, Any]:
    """`ketQuaXuLy` as an object: it is JSON text in one direction and an object in the other; none is an empty one."""
    if told is None or told == "":
        return {}
    if isinstance(told, str):
        try:
            told = orjson.loads(told)
        except orjson.JSONDecodeError:
            told = None
    if not isinstance(told, dict):
        raise Misunderstood("commune.result_unreadable", "the registration's result is no JSON object", body)
    return told


def _date(text: str, body: bytes) -> str:
    """A day as dd.MM.yyyy, from day-month-year with dots, slashes or hyphens, or from ISO 8601; a time is dropped."""
    found = _DAY.fullmatch(text) or _ISO.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        day = date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError as error:
        raise Misunderstood("commune.result_unreadable", "the day of registration is no date", body) from error
    return f"{day:%d.%m.}{day.year:04d}"


def _pdf(text: str) -> bytes:
    """A PDF in base64; b"" for anything else. No source says what the field holds, and a registration counts without
    its paper, so what is no PDF (a number, a link) is left out rather than in the way."""
    if len(text) > MAX_PAPER_BYTES * 3 // 2:
        return b""
    try:
        content = b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
    is_pdf = content.startswith(b"%PDF-") and b"%%EOF" in content[-1_024:]
    return content if is_pdf and len(content) <= MAX_PAPER_BYTES else b""


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return ""
    return unicodedata.normalize("NFC", str(value)).strip()
