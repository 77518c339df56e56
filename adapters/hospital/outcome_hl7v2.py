r"""Outcomes by HL7 v2.5.1 over MLLP: ADT^A31 (update person information, chapter 3.3.31), for every state.

One message type, so that a hospital sets up one interface. What A31 says of the person it says honestly: PID-3 has the
facility's own patient number and, once a birth is registered, the child's personal identifier; nothing else of the
person is told, as the hospital knows it better. What became of the dossier is in OBX segments, which the structure
(ADT_A05) has for facts about the person; an ORU would claim that somebody ordered an examination, and a Z segment
would be read by nobody.

- OBX-3 is a name of code system 99HOTICH (table 0396: a local one): state, code, so, quyenSo, trangSo, ngayDangKy,
  commune, message, words. The table `outcome_notice` has their Vietnamese words and the types in PID-3.5 (table 0203).
- PID-5 is required, and no name is told: `^^^^^^U`, type unspecified (table 0200). PV1-2 is N, not applicable (0004).
- MSH-5 and MSH-6 are the MSH-3 and MSH-4 by which the feed's sender is known. MSH-10 is the notice's key: the same
  again is the same message, byte for byte. MSH-15 and MSH-16 are empty: original mode, answered once processed.

AA and CA: taken. AE, CE, AR, CR: a person has to look, with the receiver's words as evidence; but where ERR-3 is 206
(locked) or 207 (internal error) the same message is sent again later.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta, timezone

from adapters.hospital.hl7v2_delimiters import STANDARD, escape_text
from adapters.hospital.hl7v2_message import Hl7v2Message, read_msh
from adapters.hospital.outcome_mllp import MllpReceiver
from adapters.http_partner import EVIDENCE_BYTES
from gateway.domain.notice import OutcomeNotice
from gateway.errors import Misunderstood, Refused, Unreachable, UnreadableMessage
from gateway.ports.hospital import CodeTable, Feed

SYSTEM = "99HOTICH"
TABLE = "outcome_notice"
TAKEN, NOT_TAKEN, PASSING = ("AA", "CA"), ("AE", "CE", "AR", "CR"), ("206", "207")


class Hl7v2OutcomeSender:
    """ports.hospital.OutcomeSender."""

    way = "hl7v2"

    def __init__(self, table: Callable[[str], CodeTable]) -> None:
        self._table = table
        self._receivers: dict[tuple[str, str], MllpReceiver] = {}
        self._lock = threading.Lock()

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        """Send the message and read its acknowledgement; implements OutcomeSender."""
        message = write_message(notice, feed, self._table(TABLE))
        check_answer(self._receiver(feed).exchange(message), notice.key)

    def _receiver(self, feed: Feed) -> MllpReceiver:
        key = (feed.answer_to, feed.answer_ca)
        with self._lock:
            if key not in self._receivers:
                self._receivers[key] = MllpReceiver(*key)
            return self._receivers[key]


def write_message(notice: OutcomeNotice, feed: Feed, table: CodeTable) -> bytes:
    """The notice as ADT^A31^ADT_A05 in UTF-8. Equal notices give equal bytes."""
    at = notice.at.astimezone(timezone(timedelta(minutes=feed.offset))).strftime("%Y%m%d%H%M%S%z")
    system, facility = _receiver_names(feed)
    route = ("HOTICH", "HOTICH", _text(system), _text(facility))
    version = ("P", "2.5.1", "", "", "", "", "", "UNICODE UTF-8")
    segments = [
        ["MSH", STANDARD.encoding_characters, *route, at, "", "ADT^A31^ADT_A05", _text(notice.key), *version],
        ["EVN", "A31", at],
        ["PID", "1", "", "~".join(_identifiers(notice, table)), "", "^^^^^^U"],
        ["PV1", "1", "N"],
        *_observations(notice, table),
    ]
    return "".join("|".join(fields) + "\r" for fields in segments).encode("utf-8")


def _receiver_names(feed: Feed) -> tuple[str, str]:
    """MSH-3 and MSH-4 of what the hospital sends us, else nothing and the facility's code."""
    named = next((sender for sender in feed.senders if "|" in sender), f"|{feed.facility_code}")
    system, _, facility = named.partition("|")
    return system, facility


def _identifiers(notice: OutcomeNotice, table: CodeTable) -> Iterator[str]:
    """PID-3 (CX: number, assigning authority, type). A case known by neither number nor paper has its own id there, as
    the field is required."""
    number = next((handle for handle in notice.patients if "/" not in handle), "")
    told = {
        "facility": (number, notice.facility_code),
        f"paper.{notice.kind}": (notice.paper_number, notice.facility_code),
        "personal": (notice.personal_id, table.column("personal", "authority") or ""),
    }
    if not any(value for value, _ in told.values()):
        told = {"case": (notice.case_id, table.column("case", "authority") or "")}
    for what, (value, authority) in told.items():
        if value:
            yield f"{_text(value)}^^^{_text(authority)}^{table.column(what, 'value') or 'U'}"


def _observations(notice: OutcomeNotice, table: CodeTable) -> Iterator[list[str]]:
    state = f"{_text(notice.state)}^{_text(_words(table, f'state.{notice.state}'))}^{SYSTEM}"
    rows = [("CE", "state", "", state), ("ST", "code", "", _text(notice.code))]
    rows += [("ST", name, "", _text(value)) for name, value in notice.result.items()]
    rows.append(("ST", "commune", "", _text(notice.commune)))
    rows += [("ST", "message", str(place), _text(each)) for place, each in enumerate(notice.messages, 1)]
    rows.append(("TX", "words", "", _text(notice.words)))
    valued = [row for row in rows if row[3]]
    for place, (kind, name, part, value) in enumerate(valued, 1):
        what = f"{_text(name)}^{_text(_words(table, name))}^{SYSTEM}"
        yield ["OBX", str(place), kind, what, part, value, "", "", "", "", "", "F"]


def _words(table: CodeTable, code: str) -> str:
    return table.column(code, "name") or code


def _text(value: str) -> str:
    return escape_text(value, STANDARD)


def check_answer(answer: bytes, key: str) -> None:
    """Read the acknowledgement of the message `key` (chapter 2.9.2). Returns when it was taken."""
    evidence = answer[:EVIDENCE_BYTES]
    try:
        message = Hl7v2Message(answer, read_msh(answer))
    except UnreadableMessage as error:
        raise Misunderstood("answer.not_an_ack", "the hospital's receiver answered no HL7 v2", evidence) from error
    msa, err = message.first(b"MSA"), message.first(b"ERR")
    code = msa.text(1) if msa else ""
    if msa is None or code not in (*TAKEN, *NOT_TAKEN):
        raise Misunderstood("answer.not_an_ack", "the hospital's receiver answered no acknowledgement", evidence)
    if msa.text(2) != key:
        words = "the hospital's receiver acknowledged another message (MSA-2)"
        raise Misunderstood("answer.other_message", words, evidence)
    if code in TAKEN:
        return
    # ERR-3 since version 2.5; before, the fourth component of ERR-1.
    if err is not None and (err.text(3) in PASSING or err.text(1, 4) in PASSING):
        raise Unreachable("answer.busy", f"the hospital's receiver answered {code} for the moment", evidence)
    raise Refused("answer.refused", f"the hospital's receiver answered {code}", evidence)
