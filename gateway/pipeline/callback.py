"""callback: a commune's system tells us by itself what became of a dossier."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.errors import Refused
from gateway.pipeline.outcomes import Told, write_outcome
from gateway.pipeline.services import Services
from gateway.ports.commune import CallingSystem
from gateway.store.session import execute, now_us

_CASE = """SELECT n.case_id, MAX(d.version) FROM dossier_number n JOIN dossier d ON d.case_id = n.case_id
WHERE n.code = ? AND n.system = ? AND (d.system = ? OR d.taken_at IS NULL) GROUP BY n.case_id"""
_SEEN = "INSERT INTO callback_seen (system, key, at) VALUES (?, ?, ?) ON CONFLICT (system, key) DO NOTHING"


def take_callback(services: Services, system: str, headers: Mapping[str, str], body: bytes) -> str:
    """Take one call: "taken", or "repeated" when the same call was taken before and nothing happens.

    Nothing is written before the system's own adapter has checked the signature. Raises Refused: the call is not the
    partner's (`callback.*`), the system does not call (`callback.no_such_system`) or knows another dossier than we
    (`callback.no_such_dossier`); UnreadableMessage when it makes no sense.
    """
    caller: object = services.communes.get(system)
    if not isinstance(caller, CallingSystem):
        raise Refused("callback.no_such_system", f"no commune system {system} that calls back is configured")
    call = caller.read_callback(headers, body, services.clock.now())
    now = now_us(services.clock)
    with services.store.write() as conn:
        found = execute(conn, _CASE, (call.code, system, system)).fetchone()
        if found is None:
            raise Refused("callback.no_such_dossier", "no dossier of this code was sent to this system")
        if not execute(conn, _SEEN, (system, call.key, now)).rowcount:
            return "repeated"
        write_outcome(conn, services, "called", Told(found[0], found[1], system, call.outcome))
    return "taken"
