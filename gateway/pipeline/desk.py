"""What people decide: an officer about a dossier on the built-in desk, a coordinator about a case that waits.

Every decision is a log entry with who, what and why; the dossier's state follows through the same `follow` step that
serves every other commune system.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from gateway.domain.case import Edit
from gateway.domain.notification import UNITS, to_json
from gateway.domain.office import OFFICE_ZONE
from gateway.domain.registration import (
    NEWS,
    RESULT_FIELDS,
    check_decision,
    kept_as,
    state_after,
    state_and_news,
)
from gateway.domain.typed import read_typed
from gateway.lanes import lanes
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.cases import StoredCase, find_case, save_case
from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.prepare import HOLDING
from gateway.pipeline.services import Services
from gateway.store.session import now_us
from gateway.store.tables import DeskItem

_ITEM = DeskItem.__table__  # type: ignore[attr-defined]


_ANSWERS = {action for actions in NEWS.values() for action in actions}
_MOVED_ON = "Hồ sơ vừa được sửa theo thông tin mới của cơ sở y tế. Xin xem lại trước khi quyết định."


def decide(
    services: Services,
    code: str,
    action: str,
    who: str,
    words: str,
    result: Mapping[str, str],
    version: int | None = None,
) -> dict[str, str]:
    """Record an officer's decision: action accept | ask | refuse | register, with the reason or the register's numbers;
    or the answer to the facility's news: seen | agree | keep. Whatever is recorded answers a correction.

    Returns what is wrong, field → sentence; empty when the decision is recorded. Nothing is written unless all is
    right. `version` is the one the officer saw: a correction that arrived meanwhile is to be looked at first. The
    caller has checked that `who` may see this commune's dossiers.
    """
    result = {name: str(result.get(name, "")).strip() for name in RESULT_FIELDS} if action == "register" else {}
    now = now_us(services.clock)
    with services.store.write() as conn:
        row = conn.execute(select(_ITEM).where(_ITEM.c.code == code).with_for_update()).mappings().first()
        if row is None:
            return {"action": "Không có hồ sơ này."}
        if version is not None and version != row["version"]:
            return {"action": _MOVED_ON}
        today = services.clock.now().astimezone(OFFICE_ZONE).date()
        state, news = state_and_news(row["state"])
        wrong = check_decision(row["kind"], state, action, words, result, today, news)
        if wrong:
            return wrong
        content = orjson.loads(services.vault.unseal(row["sealed"]))
        at = services.clock.now().isoformat(timespec="seconds")
        event = {"at": at, "who": who, "action": action, "words": words.strip(), "version": row["version"]}
        sealed = services.vault.seal(orjson.dumps(_decided(content, event, result)))
        marks = {"state": kept_as(state_after(state, action)), "changed_at": now, "sealed": sealed}
        conn.execute(update(_ITEM).where(_ITEM.c.code == code).values(marks))
        payload = orjson.dumps({"who": who, "words": words, "result": result})
        meta = {"action": action, "version": row["version"]}
        append(conn, services.vault, services.chain, now, [NewEntry("decided", row["case_id"], meta, payload)])
        follow = {"case": row["case_id"], "version": row["version"]}
        lanes.put(conn, f"dossier:{row['case_id']}", "follow", follow, now)
    return {}


def _decided(content: dict[str, Any], event: Mapping[str, Any], result: Mapping[str, str]) -> dict[str, Any]:
    """What a desk item holds after `event`: an answer to news stands beside the decision, which it leaves as it was."""
    history = [*content["history"], event]
    after = {**content, "history": history, "looked": event["version"]}
    if event["action"] in _ANSWERS:
        return after if event["action"] == "seen" else after | {"answer": event}
    after.pop("answer", None)
    return after | {"words": event["words"], "result": result}


def choose_commune(
    services: Services, case_id: str, commune_code: str, who: str, why: str, version: int | None = None
) -> dict[str, str]:
    """Settle the competent commune of a waiting case (a split or unknown residence). Same answer as `decide`; `version`
    is the case's, as the person saw it."""
    place = services.catalogue.units.today(commune_code)
    if place is None:
        return {"commune": "Không có xã, phường, đặc khu nào mang mã này trong danh mục hiện hành."}
    return _edit(services, case_id, "commune.code", place.code, who, why, version)


def release(
    services: Services, case_id: str, code: str, who: str, why: str, version: int | None = None
) -> dict[str, str]:
    """Let a case go on that a finding held back (`prepare.HOLDING`): a person has looked. Same answer as `decide`;
    `version` is the case's, as the person saw it."""
    if code not in HOLDING:
        return {"code": "Lý do giữ hồ sơ này không có."}
    return _edit(services, case_id, f"hold.{code}", "released", who, why, version)


def complete(
    services: Services, case_id: str, path: str, text: str, who: str, why: str, version: int | None = None
) -> dict[str, str]:
    """Write a required fact that no message brought, as a person typed it: a name, a date, a sex. `path` is the
    notification's. Same answer as `decide`; `version` is the case's, as the person saw it."""
    with services.store.read() as conn:
        case = find_case(conn, services.vault, case_id)
    if case is None or path not in UNITS[case.kind]:
        return {"case": "Không có trường hợp này."}
    value = read_typed(UNITS[case.kind][path], text)
    if value is None:
        return {"value": "Chưa đọc được mục này. Ngày ghi ngày.tháng.năm, hoặc năm; họ tên ghi đủ họ, chữ đệm, tên."}
    return _edit(services, case_id, path, value, who, why, version)


def _edit(
    services: Services, case_id: str, path: str, value: Any, who: str, why: str, version: int | None
) -> dict[str, str]:
    if not why.strip():
        return {"why": "Hãy ghi căn cứ của quyết định."}
    now = now_us(services.clock)
    with services.store.write() as conn:
        case = find_case(conn, services.vault, case_id)
        if case is None:
            return {"case": "Không có trường hợp này."}
        if wrong := _not_to_be_settled(conn, services, case, version):
            return {"case": wrong}
        edit = Edit(value, who, services.clock.now().isoformat(timespec="seconds"), why.strip())
        # Who the persons are did not change, so the population database is not asked again.
        edited = replace(case, edits={**case.edits, path: edit}, identified=case.version + 1)
        save_case(conn, services.vault, edited, now=now, changed=True)
        payload = orjson.dumps({"who": who, "path": path, "value": to_json(value), "why": why})
        append(conn, services.vault, services.chain, now, [NewEntry("decided", case_id, {"action": "edit"}, payload)])
        lanes.put(conn, f"case:{case_id}", "advance", {"case": case_id}, now)
    return {}


def _not_to_be_settled(conn: Connection, services: Services, case: StoredCase, version: int | None) -> str:
    """Why a case takes no coordinator's decision; "" when it waits for one, unchanged since the person looked."""
    newest = newest_dossier(conn, services.vault, case.id)
    if newest is None or newest.status != "waiting":
        return "Hồ sơ này không còn chờ xử lý."
    if version is not None and version != case.version:
        return "Hồ sơ vừa có thông tin hoặc quyết định mới. Xin xem lại trước khi quyết định."
    return ""
