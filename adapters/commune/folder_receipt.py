"""The receipt a commune puts into the inbox: JSON {"code", "version", "state", "words", "result"}, maybe with a PDF
beside it (docs/folder-exchange.md). Pure: bytes in, receipt or the reason out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from gateway.ports.commune import Outcome

STATES = ("accepted", "needs_more", "registered", "refused", "rejected", "cancelled")
MAX_RECEIPT_BYTES = 256 * 1024
MAX_PAPER_BYTES = 20 * 1024 * 1024

REASONS: Mapping[str, tuple[str, str]] = {
    "too_large": ("Tệp quá lớn", "the file is too large"),
    "not_json": ("Tệp không phải JSON UTF-8 hoàn chỉnh", "the file is not complete JSON in UTF-8"),
    "not_an_object": ("Tệp phải là một đối tượng JSON", "the file must be one JSON object"),
    "other_code": ("`code` khác với tên tệp", "`code` is not the one in the file's name"),
    "other_version": ("`version` khác với tên tệp", "`version` is not the number in the file's name"),
    "unknown_state": (f"`state` phải là một trong: {', '.join(STATES)}", f"`state` must be one of {', '.join(STATES)}"),
    "words_not_text": ("`words` phải là chuỗi", "`words` must be text"),
    "result_not_texts": ("`result` phải là đối tượng gồm các chuỗi", "`result` must be an object of texts"),
    "nothing_withdrawn": (
        "`cancelled` chỉ dùng cho bản xin rút hồ sơ",
        "`cancelled` answers a withdrawal, and this version is none",
    ),
    "not_a_pdf": ("Tệp .pdf đi kèm không phải PDF hoàn chỉnh", "the .pdf beside it is not a complete PDF"),
}
"""What can be wrong with a receipt: for the commune's technicians, and for the log."""


class WrongReceipt(ValueError):
    """A receipt that cannot be understood; `reason` is a key of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a commune says of one version. `words` and `paper` may hold personal data."""

    state: str
    words: str = ""
    result: dict[str, str] = field(default_factory=dict)
    paper: bytes = b""


def read_receipt(raw: bytes, paper: bytes, code: str, version: int, *, withdrawn: bool) -> Receipt:
    """The receipt for a version that was sent, a withdrawal or not. Raises WrongReceipt."""
    if len(raw) > MAX_RECEIPT_BYTES or len(paper) > MAX_PAPER_BYTES:
        raise WrongReceipt("too_large")
    told = _object(raw)
    words, result = told.get("words", ""), told.get("result", {})
    checks = {
        "other_code": told.get("code") == code,
        "other_version": told.get("version") == version and not isinstance(told.get("version"), bool),
        "unknown_state": told.get("state") in STATES,
        "words_not_text": isinstance(words, str),
        "result_not_texts": isinstance(result, dict) and all(isinstance(value, str) for value in result.values()),
        "nothing_withdrawn": told.get("state") != "cancelled" or withdrawn,
        "not_a_pdf": not paper or is_whole_pdf(paper),
    }
    for reason, holds in checks.items():
        if not holds:
            raise WrongReceipt(reason)
    return Receipt(told["state"], words, result, paper)


def _object(raw: bytes) -> dict[str, Any]:
    try:
        told = orjson.loads(raw.removeprefix(b"\xef\xbb\xbf"))  # some editors put a byte order mark first
    except orjson.JSONDecodeError:
        raise WrongReceipt("not_json") from None
    if not isinstance(told, dict):
        raise WrongReceipt("not_an_object")
    return told


def is_whole_json(raw: bytes) -> bool:
    """Whether a file may be complete: half a JSON document is not one."""
    try:
        _object(raw)
    except WrongReceipt as wrong:
        return wrong.reason != "not_json"
    return True


def is_whole_pdf(raw: bytes) -> bool:
    """Whether the bytes begin as a PDF and end as one (ISO 32000-1 section 7.5)."""
    return raw.startswith(b"%PDF-") and b"%%EOF" in raw[-1024:]


def outcome_of(code: str, sent: Mapping[int, bool], receipts: Mapping[int, Receipt]) -> Outcome:
    """What became of a dossier. `sent`: version → whether it is a withdrawal; `receipts`: the last one for a version.

    A correction keeps what was decided, unless that was that nothing of it is there (cancelled, rejected). A withdrawal
    is pending until its own version is answered, or a correction lifts it.
    """
    decided: Receipt | None = None
    unanswered = False
    for version in sorted(sent):
        if sent[version]:
            unanswered = decided is None or decided.state != "cancelled"
        else:
            unanswered = False
            decided = None if decided and decided.state in ("cancelled", "rejected") else decided
        if answer := receipts.get(version):
            decided, unanswered = _decided_after(decided, answer), False
    if decided is None or unanswered:
        return Outcome("pending", code)
    return Outcome(decided.state, code, decided.words, dict(decided.result), decided.paper)


def _decided_after(before: Receipt | None, answer: Receipt) -> Receipt:
    """What is registered stays so, whatever is answered to a later version: the law revokes it in other ways."""
    if before is not None and before.state == "registered" and answer.state != "registered":
        return replace(before, words=answer.words)
    return answer
