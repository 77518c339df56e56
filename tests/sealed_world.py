"""Many sealed dossiers in a store, ready to be forwarded: everything up to the seal by the real functions, once.

Everybody is invented. All dossiers say the same of different cases: what is tried with them is delivery.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from gateway.domain.case import Reading, fold
from gateway.domain.dossier import Dossier, as_json
from gateway.lanes import lanes
from gateway.pipeline.cases import StoredCase, add_case
from gateway.pipeline.correlate import read_message
from gateway.pipeline.dossiers import StoredDossier, write_dossier_row
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.seal import seal
from gateway.pipeline.services import Services
from gateway.pipeline.systems import system_name_of
from gateway.store.session import now_us
from tests.stay_messages import Newborn

GROUP = 500


PLACES = (("Phường Quy Nhơn", "21583"), ("Phường Quy Nhơn Nam", "21592"))
"""Two communes in turn: an agency has 9,999 numbers a day."""


def _dossiers(services: Services, feed: str, now: datetime) -> list[tuple[tuple[Reading, ...], Dossier]]:
    reader, made = services.readers["hl7v2"], []
    for name, code in PLACES:
        raw = Newborn(1, "A01", "BN1").raw.replace("Phường Quy Nhơn".encode(), name.encode())
        raw = raw.replace(b"^21583", f"^{code}".encode())
        readings = tuple(read_message(reader, raw, services.feed(feed), "sealed.1", services.catalogue, now.date()))
        folded = fold("birth", readings, {}, {})
        made.append((readings, prepare_dossier(folded, services.feed(feed), services.catalogue, now)))
    return made


def put_sealed(
    services: Services, count: int, feed: str, *, corrected_every: int = 0, places: Sequence[int] = (0, 1)
) -> list[str]:
    """Add `count` cases with a sealed dossier and its `forward` work each; every `corrected_every`th has a second
    version in the same lane. `places` are PLACES in turn. Returns the ids."""
    now = services.clock.now()
    made, at = _dossiers(services, feed, now), now_us(services.clock)
    ids = [f"ks-{places[0]}{n:011d}" for n in range(count)]
    for start in range(0, count, GROUP):
        with services.store.write() as conn:
            for n, case_id in enumerate(ids[start : start + GROUP], start):
                readings, dossier = made[places[n % len(places)]]
                told = as_json(dossier)
                case = StoredCase(
                    id=case_id,
                    kind="birth",
                    facility=services.feed(feed).facility_code,
                    feed=feed,
                    status="ready",
                    version=1,
                    identified=1,
                    prepared=1,
                    commune_code=dossier.commune.commune.code if dossier.commune.commune else "",
                    opened_at=at,
                    changed_at=at,
                    settle_at=at,
                    readings=readings,
                )
                add_case(conn, services.vault, case)
                versions = 2 if corrected_every and n % corrected_every == 0 else 1
                for version in range(1, versions + 1):
                    _put(conn, services, case, told, seal(services, case, dossier, version, now), version)
    return ids


def _put(conn: Any, services: Services, case: StoredCase, told: Any, xml: bytes, version: int) -> None:
    row = StoredDossier(
        case_id=case.id,
        version=version,
        code=case.id,
        procedure=told["dossier"]["procedure"],
        form=told["dossier"]["form"],
        commune_code=case.commune_code,
        mapping_hash=told["mapping_hash"],
        content_key=f"{case.id}/{version}".encode(),
        status="ready",
        register_by=told["deadlines"].get("register_by", ""),
        made_at=case.opened_at,
        changed_at=case.opened_at,
        content={"dossier": told, "xml": xml.decode()},
    )
    write_dossier_row(conn, services.vault, row)
    args = {"case": case.id, "version": version}
    name = system_name_of(services.catalogue, case.commune_code, told["commune"]["province_code"], date(2026, 11, 23))
    lanes.put(conn, f"dossier:{case.id}", "forward", args, case.opened_at, partner=name)
