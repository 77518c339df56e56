"""The built-in desk as a commune system: for communes without a system that takes dossiers by wire.

Dossiers lie in the gateway's own database until the officer decides (gateway.pipeline.desk). The same code twice is one
dossier. A newer version of it is a correction that the officer sees beside what was there, or a withdrawal that the
officer agrees to or not; neither changes what was decided. A correction lifts a withdrawal that came before it; if
that was agreed to, the dossier begins anew.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from gateway.domain.registration import CORRECTED, WITHDRAWING, kept_as, state_and_news
from gateway.ports.clock import Clock
from gateway.ports.commune import Delivery, Outcome
from gateway.store.session import Store, execute, now_us
from gateway.store.tables import DeskItem
from gateway.store.vault import Vault

_ITEM = DeskItem.__table__  # type: ignore[attr-defined]
_WORDS = {
    "corrected": "Bản {version}: cơ sở y tế gửi thông tin mới sau khi hồ sơ đã chuyển.",
    "withdrawn": "Bản {version}: cơ sở y tế xin rút hồ sơ.",
    "restored": "Bản {version}: cơ sở y tế gửi lại thông tin, không xin rút hồ sơ nữa.",
}
"""What the history says of a version that came after the first; the officer reads it."""
_LAY = """INSERT INTO desk_item (code, case_id, kind, commune_code, version, state, received_at, changed_at,
register_by, deliveries, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO NOTHING"""


class Desk:
    """Entry point `gateway.commune: desk`."""

    name = "desk"
    takes_corrections = True
    poll_seconds = 0.0

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.store, self.vault, self.clock = store, vault, clock

    def submit(self, delivery: Delivery) -> Outcome:
        """Lay the dossier on the commune's desk: `pending` until an officer decides; corrections keep the decision."""
        now = now_us(self.clock)
        with self.store.write() as conn:
            if self._lay(conn, delivery, now):
                return Outcome("pending", delivery.code)
            row = conn.execute(select(_ITEM).where(_ITEM.c.code == delivery.code).with_for_update()).mappings().one()
            kept, content = row["state"], orjson.loads(self.vault.unseal(row["sealed"]))
            if delivery.version > row["version"]:
                kept, content = self._renew(conn, delivery, row, content, now)
            else:
                again = {"deliveries": row["deliveries"] + 1}
                conn.execute(update(_ITEM).where(_ITEM.c.code == delivery.code).values(again))
        return _told(delivery.code, kept, content)

    def _lay(self, conn: Connection, delivery: Delivery, now: int) -> bool:
        """Lay a new dossier down; False when its code lies there already."""
        xml = delivery.sealed.decode()
        content = {"xml": xml, "words": "", "result": {}, "history": [], "looked": delivery.version}
        state = kept_as("received", WITHDRAWING if delivery.withdrawn else "")
        what = (delivery.code, delivery.case_id, delivery.kind, delivery.commune_code, delivery.version)
        values = (*what, state, now, now, delivery.register_by, 1, self.vault.seal(orjson.dumps(content)))
        return bool(execute(conn, _LAY, values).rowcount)

    def _renew(
        self, conn: Connection, delivery: Delivery, row: Any, content: dict[str, Any], now: int
    ) -> tuple[str, dict[str, Any]]:
        """Lay a newer version over the one that was there, which stays; the officer's decision and the history too."""
        kept = _kept_after(row["state"], delivery)
        content.setdefault("looked", row["version"])
        content["versions"] = {**content.get("versions", {}), str(row["version"]): content["xml"]}
        content["xml"] = delivery.sealed.decode()
        if state_and_news(row["state"])[0] == "cancelled":
            content |= {"words": "", "result": {}, "answer": {}}
        content["history"].append(_event(delivery, row["state"], now))
        marks = {
            "version": delivery.version,
            "commune_code": delivery.commune_code,
            "state": kept,
            "changed_at": now,
            "register_by": delivery.register_by,
            "deliveries": row["deliveries"] + 1,
            "sealed": self.vault.seal(orjson.dumps(content)),
        }
        conn.execute(update(_ITEM).where(_ITEM.c.code == delivery.code).values(marks))
        return kept, content

    def status(self, delivery: Delivery) -> Outcome | None:
        """What the officer decided; None for an unknown code."""
        code = delivery.code
        with self.store.read() as conn:
            row = conn.execute(select(_ITEM.c.state, _ITEM.c.sealed).where(_ITEM.c.code == code)).first()
        return None if row is None else _told(code, row.state, orjson.loads(self.vault.unseal(row.sealed)))


def _kept_after(kept: str, delivery: Delivery) -> str:
    """State and news of an item once a newer version lies there. What was taken back with the officer's consent is not
    asked about twice, and comes back as new."""
    state, _ = state_and_news(kept)
    if delivery.withdrawn:
        return state if state == "cancelled" else kept_as(state, WITHDRAWING)
    return kept_as("received" if state == "cancelled" else state, CORRECTED)


def _event(delivery: Delivery, before: str, now: int) -> dict[str, Any]:
    """A newer version as the history tells it."""
    state, news = state_and_news(before)
    was_withdrawn = state == "cancelled" or news == WITHDRAWING
    action = "withdrawn" if delivery.withdrawn else "restored" if was_withdrawn else "corrected"
    at = datetime.fromtimestamp(now / 1_000_000, UTC).isoformat(timespec="seconds")
    words = _WORDS[action].format(version=delivery.version)
    return {"at": at, "who": "gateway", "action": action, "words": words, "version": delivery.version}


def _told(code: str, kept: str, content: dict[str, Any]) -> Outcome:
    """What the desk says to whoever asks: a dossier that the officer keeps is taken over."""
    state, news = state_and_news(kept)
    if news == WITHDRAWING:
        return Outcome("pending", code)
    answer = content.get("answer", {})
    if state == "received":
        state = "accepted" if answer.get("action") == "keep" else "pending"
    return Outcome(state, code, answer.get("words") or content["words"], content["result"])
