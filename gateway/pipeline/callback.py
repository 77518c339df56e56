"""callback: a commune's system tells us by itself what became of a dossier."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Refused
from gateway.pipeline.outcomes import Told, write_outcome
from gateway.pipeline.services import Services
from gateway.ports.commune import CallingSystem
from gateway.store.session import execute, now_us

_CASE = """SELECT n.case_id, COALESCE(MAX(CASE WHEN d.system = ? THEN d.version END),
MIN(CASE WHEN d.taken_at IS NULL AND d.status <> 'rejected' THEN d.version END), MAX(d.version))
FROM dossier_number n JOIN dossier d ON d.case_id = n.case_id
WHERE n.code = ? AND n.system = ? AND (d.system = ? OR d.taken_at IS NULL) GROUP BY n.case_id"""
"""Which version a call is about: the newest that the system took, else the one whose answer is still out (they leave in
order), else one that it rejected. A correction that waits meanwhile goes elsewhere and is not taken by this."""
_FORGET = "DELETE FROM callback_seen WHERE at < ?"
KEPT = 86_400_000_000
"""Microseconds: no system's call is taken so long after it was signed."""
_SEEN = "INSERT INTO callback_seen (system, key, at) VALUES (?, ?, ?) ON CONFLICT (system, key) DO NOTHING"


def take_callback(services: Services, system: str, headers: Mapping[str, str], body: bytes) -> str:
    """Take one call: "taken", or "repeated" when the same call was taken before and nothing happens.

    Nothing is written before the system's own adapter has checked the signature. Raises Refused: the call is not the
    partner's (`callback.*`), the system does not call (`callback.no_such_system`) or knows another dossier than we
    (`callback.no_such_dossier`); UnreadableMessage when it makes no sense.
    """
    caller: object = services.communes.get(system)
    if not isinstance(caller, CallingSystem):
        raise Refused("callback.no_such_system", "no commune system of this name calls back")
    call = caller.read_callback(headers, body, services.clock.now())
    now = now_us(services.clock)
    with services.store.write() as conn:
        found = execute(conn, _CASE, (system, call.code, system, system)).fetchone()
        if found is None:
            raise Refused("callback.no_such_dossier", "no dossier of this code was sent to this system")
        if not execute(conn, _SEEN, (system, call.key, now)).rowcount:
            return "repeated"
        execute(conn, _FORGET, (now - KEPT,))
        write_outcome(conn, services, "called", Told(found[0], found[1], system, call.outcome))
    return "taken"
