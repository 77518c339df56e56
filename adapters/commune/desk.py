"""The built-in desk as a commune system: for communes without a system that takes dossiers by wire.

Dossiers lie in the gateway's own database until the officer decides (gateway.pipeline.desk). The same code twice is one
dossier; a newer version of it is a correction that the officer sees beside what was there.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, select, update

from gateway.ports.clock import Clock
from gateway.ports.commune import Delivery, Outcome
from gateway.store.session import Store, execute, now_us
from gateway.store.tables import DeskItem
from gateway.store.vault import Vault

_ITEM = DeskItem.__table__  # type: ignore[attr-defined]
_LAY = """INSERT INTO desk_item (code, case_id, kind, commune_code, version, state, received_at, changed_at,
register_by, deliveries, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (code) DO NOTHING"""


class Desk:
    """Entry point `gateway.commune: desk`."""

    name = "desk"

    def __init__(self, store: Store, vault: Vault, clock: Clock) -> None:
        self.store, self.vault, self.clock = store, vault, clock

    def submit(self, delivery: Delivery) -> Outcome:
        """Lay the dossier on the commune's desk: `pending` until an officer decides; corrections keep the decision."""
        now = now_us(self.clock)
        with self.store.write() as conn:
            if self._lay(conn, delivery, now):
                return Outcome("pending", delivery.code)
            row = conn.execute(select(_ITEM).where(_ITEM.c.code == delivery.code).with_for_update()).mappings().one()
            if delivery.version > row["version"]:
                self._correct(conn, delivery, row, now)
            else:
                again = {"deliveries": row["deliveries"] + 1}
                conn.execute(update(_ITEM).where(_ITEM.c.code == delivery.code).values(again))
        return Outcome(_outcome(row["state"]), delivery.code)

    def _lay(self, conn: Connection, delivery: Delivery, now: int) -> bool:
        """Lay a new dossier down; False when its code lies there already."""
        content = {"xml": delivery.sealed.decode(), "words": "", "result": {}, "history": []}
        what = (delivery.code, delivery.case_id, delivery.kind, delivery.commune_code, delivery.version)
        values = (*what, "received", now, now, delivery.register_by, 1, self.vault.seal(orjson.dumps(content)))
        return bool(execute(conn, _LAY, values).rowcount)

    def _correct(self, conn: Connection, delivery: Delivery, row: Any, now: int) -> None:
        """A correction keeps the officer's decision and says in the history that the dossier changed."""
        content = orjson.loads(self.vault.unseal(row["sealed"]))
        content["previous"] = [*content.get("previous", []), content["xml"]]
        content["xml"] = delivery.sealed.decode()
        at = datetime.fromtimestamp(now / 1_000_000, UTC).isoformat(timespec="seconds")
        words = f"Phiên bản {delivery.version}: bệnh viện gửi thông tin mới sau khi hồ sơ đã chuyển."
        content["history"].append({"at": at, "who": "gateway", "action": "corrected", "words": words})
        marks = {
            "version": delivery.version,
            "commune_code": delivery.commune_code,
            "changed_at": now,
            "register_by": delivery.register_by,
            "deliveries": row["deliveries"] + 1,
            "sealed": self.vault.seal(orjson.dumps(content)),
        }
        conn.execute(update(_ITEM).where(_ITEM.c.code == delivery.code).values(marks))

    def status(self, code: str) -> Outcome | None:
        """What the officer decided; None for an unknown code."""
        with self.store.read() as conn:
            row = conn.execute(select(_ITEM.c.state, _ITEM.c.sealed).where(_ITEM.c.code == code)).first()
        if row is None:
            return None
        content = orjson.loads(self.vault.unseal(row.sealed))
        return Outcome(_outcome(row.state), code, content["words"], content["result"])


def _outcome(state: str) -> str:
    """The port's word for a state of the desk."""
    return "pending" if state == "received" else state
