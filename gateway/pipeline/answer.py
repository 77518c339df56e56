"""answer: tell a hospital what became of a dossier that its messages made.

A hospital is told what concerns its own messages: its own patient numbers, the tracking ids it was answered with, and
the commune's word. What other hospitals sent about the same birth stays unsaid.

Sending is at-least-once: a notice has one key however often it is sent, and receivers know it by that. A notice that a
newer state overtook is not sent at all. A receiver that refuses us altogether (credentials) is asked again every hour,
as somebody mends that at the hospital; one that refuses the notice makes a dead letter with its words.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import orjson
from sqlalchemy import Connection

from gateway.domain.case import Reading, in_order
from gateway.domain.notice import OutcomeNotice
from gateway.errors import Misconfigured, PortError, Unreachable
from gateway.lanes.lanes import NotYet
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase, find_case
from gateway.pipeline.interpret import facility_of
from gateway.pipeline.quiet_hours import end_of_quiet
from gateway.pipeline.services import Services
from gateway.ports.hospital import Feed
from gateway.store.session import execute, now_us

ASK_AGAIN_SECONDS = 3_600.0
"""Between tries at a receiver that refuses us whatever we say."""

NOT_REGISTERED = ("refused", "cancelled", "merged")
"""States in which numbers that a register once gave are not told any more."""

_PUT = "SELECT state, put_at, sent_at FROM notice WHERE case_id = ? AND feed = ?"
_SENT = "UPDATE notice SET sent_at = ? WHERE case_id = ? AND feed = ? AND put_at = ? AND sent_at IS NULL"
_SPOKEN = """SELECT m.id, m.feed FROM case_message cm JOIN message m ON m.id = cm.message_id WHERE cm.case_id = ?
ORDER BY m.received_at, m.id"""
_SAID = "SELECT state, sealed FROM outcome WHERE case_id = ?"
_NUMBER = "SELECT code FROM dossier_number WHERE case_id = ?"


@dataclass(frozen=True, slots=True)
class Answered:
    """A notice that was sent, or why none was: "overtaken" by a newer state, "sent" before, "unasked" (the feed left
    the settings or wants no answers any more), "gone" (the case)."""

    notice: OutcomeNotice | None
    put_at: int = 0
    why: str = ""


class Answer:
    """Handler of `answer` work: args {"case", "feed", "state"}."""

    kind = "answer"

    def __init__(self, services: Services) -> None:
        self.services = services

    def act(self, args: Mapping[str, Any]) -> Answered:
        feed = self.services.feeds.get(args["feed"])
        if feed is None or not feed.answer:
            return Answered(None, why="unasked")
        with self.services.store.read() as conn:
            found = self._notice(conn, args, feed)
        if found.notice is None:
            return found
        quiet = end_of_quiet(feed, self.services.clock.now())
        if quiet is not None:
            raise NotYet(int(quiet.timestamp() * 1_000_000))
        try:
            self.services.senders[feed.answer].send(found.notice, feed)
        except Misconfigured as error:
            again = max(error.retry_after, ASK_AGAIN_SECONDS)
            raise Unreachable(error.code, error.message, error.evidence, again) from error
        return found

    def _notice(self, conn: Connection, args: Mapping[str, Any], feed: Feed) -> Answered:
        """The notice to send now, if any."""
        case_id = args["case"]
        row = execute(conn, _PUT, (case_id, feed.name)).fetchone()
        if row is None or row[0] != args["state"]:
            return Answered(None, why="overtaken")
        state, put_at, sent_at = row
        if sent_at is not None:
            return Answered(None, why="sent")
        case = find_case(conn, self.services.vault, case_id)
        if case is None:
            return Answered(None, why="gone")
        told = notice_of(conn, self.services, case, facility_of(feed), frozenset((feed.name,)), state)
        key, at = key_of(case_id, feed.name, state, put_at), datetime.fromtimestamp(put_at / 1_000_000, UTC)
        return Answered(replace(told, key=key, at=at), put_at)

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Answered) -> None:
        services, now = self.services, now_us(self.services.clock)
        meta = {"feed": args["feed"], "state": args["state"]}
        if outcome.notice is None:
            entry = NewEntry("not_answered", args["case"], {**meta, "why": outcome.why})
        else:
            execute(conn, _SENT, (now, args["case"], args["feed"], outcome.put_at))
            way = services.feed(args["feed"]).answer
            meta |= {"way": way, "key": outcome.notice.key}
            entry = NewEntry("answered", args["case"], meta, orjson.dumps(outcome.notice))
        append(conn, services.vault, services.chain, now, [entry])

    def gave_up(self, conn: Connection, args: Mapping[str, Any], code: str, error: Exception) -> None:
        """The notice is a dead letter now, with what the receiver answered; an operator can re-drive it."""
        meta = {"feed": args["feed"], "state": args["state"], "code": code}
        evidence = error.evidence if isinstance(error, PortError) else b""
        entry = NewEntry("gave_up", args["case"], meta, evidence or None)
        append(conn, self.services.vault, self.services.chain, now_us(self.services.clock), [entry])


def key_of(case_id: str, feed: str, state: str, put_at: int) -> str:
    """The name of one notice: 16 capital letters and digits, so that it fits MSH-10 of every version of HL7 v2."""
    digest = blake2b(f"{case_id}\n{feed}\n{state}\n{put_at}".encode(), digest_size=10).digest()
    return base64.b32encode(digest).decode()


def notice_of(
    conn: Connection, services: Services, case: StoredCase, facility: str, feeds: frozenset[str] | None, state: str = ""
) -> OutcomeNotice:
    """What may be told of a case in a state, else as it stands; without a key. `facility` (interpret.facility_of) is
    whose patient numbers and papers are named, `feeds` whose tracking ids; None: every feed's."""
    state = state or case.status
    spoken: dict[str, str] = dict(execute(conn, _SPOKEN, (case.id,)).fetchall())
    said = execute(conn, _SAID, (case.id,)).fetchone()
    told = orjson.loads(services.vault.unseal(bytes(said[1]))) if said else {}
    # A correction that is under way leaves the numbers of the register as they are.
    result = {} if state in NOT_REGISTERED else dict(told.get("result", {}))
    personal_id = result.pop("soDinhDanh", "")
    number = execute(conn, _NUMBER, (case.id,)).fetchone()
    theirs = {message for message, feed in spoken.items() if facility_of(services.feed(feed)) == facility}
    patients, paper = _known_by([reading for reading in case.readings if reading.message in theirs])
    return OutcomeNotice(
        key="",
        case_id=case.id,
        kind=case.kind,
        state=state,
        at=datetime.fromtimestamp(case.changed_at / 1_000_000, UTC),
        code=number[0] if number else case.id,
        facility_code="" if facility.startswith("feed:") else facility,
        patients=patients,
        messages=tuple(message for message, feed in spoken.items() if feeds is None or feed in feeds),
        paper_number=paper,
        commune=case.commune_code,
        personal_id=personal_id if case.kind == "birth" else "",
        words=told["words"] if said and said[0] == state else "",
        result=result,
    )


def _known_by(readings: Sequence[Reading]) -> tuple[tuple[str, ...], str]:
    """A facility's handles of the patient and the number of its paper. Numbers come before names in a FHIR server, and
    of merged numbers the one that goes on, which is the last said."""
    newest = sorted(readings, key=lambda reading: reading.occurred, reverse=True)
    handles = dict.fromkeys(handle for reading in newest for handle in reading.patients)
    papers = [number for reading in in_order(readings) if (number := reading.notification.paper.number)]
    return tuple(sorted(handles, key=lambda handle: "/" in handle)), papers[-1] if papers else ""
