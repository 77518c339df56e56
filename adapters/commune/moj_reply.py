"""What the civil-status exchange answers: one JSON object about any operation.

`status` is 1 for done and 0 for not done, as number or as text; `errorCode` and `errorDescription` say why not; `value`
holds rows. What a code means stands in the table moj_errors. A page of HTML or anything else that is no such object is
nothing we can act on: it becomes Misunderstood, with the answer as evidence.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.http_partner import EVIDENCE_BYTES, HttpReply
from gateway.errors import Misconfigured, Misunderstood
from gateway.ports.hospital import CodeTable

NO_SUCH_ADDRESS = (404, 405, 410)
LONGEST_WORDS = 2_000
"""Characters of the far side's words that are passed on."""

CREDENTIALS, CONFIGURATION, DATA = "credentials", "configuration", "data"
NOT_FOUND, NOT_YET, TAKEN, DONE, UNKNOWN = "not_found", "not_yet", "taken", "done", "unknown"
"""What an answer can mean: the column `meaning` of moj_errors, and the two that need no code. `taken`: it was there
before."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `code` is the error code or "", `description` what is said about it, `details` what is wrong with
    single fields; both may hold personal data. `rows` are what is in `value`; `body` is the answer as it came, at
    most EVIDENCE_BYTES of it."""

    is_done: bool
    code: str
    description: str
    details: tuple[str, ...]
    rows: tuple[Any, ...]
    body: bytes

    @property
    def words(self) -> str:
        """What a person should read."""
        return "\n".join(filter(None, (self.description, *self.details)))[:LONGEST_WORDS]


def read_reply(http: HttpReply) -> Reply:
    """An answer of any operation. Raises Misconfigured when there is no such operation at our address, Misunderstood
    for anything but the exchange's JSON."""
    evidence = http.body[:EVIDENCE_BYTES]
    told = _json_of(http)
    status = str(told.get("status", "")).strip() if isinstance(told, dict) else ""
    if not isinstance(told, dict) or status not in ("0", "1"):
        if http.status in NO_SUCH_ADDRESS:
            words = f"status {http.status}: the exchange has no such operation at this url"
            raise Misconfigured("commune.no_such_address", words, evidence)
        words = f"status {http.status}: the answer is not one of the civil-status exchange"
        raise Misunderstood("commune.not_a_reply", words, evidence)
    is_done = status == "1" and http.status < 300
    value = told.get("value")
    rows = tuple(value) if isinstance(value, list) else (value,) if value else ()
    if is_done and not rows and "trangThai" in told:
        rows = (told,)  # one dossier's answer without a list around it
    description = _text(told.get("errorDescription")) or _text(told.get("statusDescription"))
    details = () if is_done else tuple(dict.fromkeys((*_details(rows), *_details(told.get("errors")))))
    return Reply(is_done, _text(told.get("errorCode")), description, details, rows, evidence)


def meaning_of(reply: Reply, errors: CodeTable) -> str:
    """What an answer means, one of the constants above; `errors` is the table moj_errors. A description that contains
    the words of a `taken` line means that, whatever the code."""
    if reply.is_done:
        return DONE
    said = _folded(reply.description)
    for code in errors.codes():
        if errors.column(code, "meaning") == TAKEN and _folded(code) in said:
            return TAKEN
    meaning = errors.column(reply.code, "meaning") if reply.code else None
    return meaning if meaning and meaning != TAKEN else UNKNOWN


def name_of(reply: Reply, errors: CodeTable) -> str:
    """The error as a message may say it: its code and name as our table has them, never the far side's words."""
    name = errors.column(reply.code, "value") if reply.code else None
    if name:
        return f"{reply.code} {name}"
    return f"code {reply.code}" if re.fullmatch(r"\d{1,5}", reply.code, re.ASCII) else "no code that we know"


def _json_of(http: HttpReply) -> Any:
    """None when it is not JSON."""
    try:
        return orjson.loads(http.body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        return None


def _details(told: Any) -> Iterator[str]:
    """Sentences about fields, however they are laid out: texts, `field: words` objects, or a list of either."""
    for each in told if isinstance(told, (list, tuple)) else (told,):
        if isinstance(each, dict):
            yield ", ".join(f"{name}: {text}" for name, part in each.items() if (text := _text(part)))
        else:
            yield _text(each)


def _text(value: Any) -> str:
    """A scalar as text; "" for none, and for what is not a scalar."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return ""
    return str(value).strip()


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
