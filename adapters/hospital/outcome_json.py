"""An outcome notice as JSON, for webhooks and files: one object with every key always there, in one order."""

from __future__ import annotations

import orjson

from gateway.domain.notice import OutcomeNotice

MEDIA_TYPE = "application/json"


def write_json(notice: OutcomeNotice) -> bytes:
    """The notice. Equal notices give equal bytes; `at` is RFC 3339 in UTC, `result` has the register's own names."""
    told = {
        "key": notice.key,
        "kind": notice.kind,
        "state": notice.state,
        "at": notice.at,
        "case": notice.case_id,
        "code": notice.code,
        "facility": notice.facility_code,
        "patients": notice.patients,
        "messages": notice.messages,
        "paper_number": notice.paper_number,
        "commune": notice.commune,
        "personal_id": notice.personal_id,
        "words": notice.words,
        "result": dict(notice.result),
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
