"""Dossiers on a desk to which news comes: corrections and withdrawals, as the commune's system receives them.

Versions are written as the step `advance` writes them and handed over as `forward` does; everybody is invented.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson

from adapters.commune.desk import Desk
from gateway.domain.corrections import corrections_between
from gateway.domain.dossier import Dossier, as_json
from gateway.pipeline.dossiers import StoredDossier, newest_dossier, write_dossier_row
from gateway.ports.commune import Delivery
from gateway.sealing.dossier_xml import Envelope, write_dossier
from gateway.sealing.xades import sign
from gateway.testing.signing import FakeSigningKey
from tests.web_world import HOSPITAL, World


class NewsWorld(World):
    """The pages over the real desk; `deliver` makes and hands over the next version of a case's dossier."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.desk = Desk(self.store, self.vault, self.clock)
        self.key = FakeSigningKey(at=self.clock.now())

    def deliver(self, code: str, dossier: Dossier) -> str:
        """The state the desk answers with."""
        with self.store.write() as conn:
            last = newest_dossier(conn, self.vault, code)
            if last is None:
                self._add_case(conn, code, dossier, HOSPITAL)
            else:
                dossier = replace(dossier, corrections=corrections_between(last.content["dossier"], dossier))
            version = 1 if last is None else last.version + 1
            row = self._version(code, dossier, version)
            write_dossier_row(conn, self.vault, row)
        return self.desk.submit(self._delivery(row, dossier)).state

    def _version(self, code: str, dossier: Dossier, version: int) -> StoredDossier:
        assert dossier.commune.commune is not None
        envelope = Envelope(code, version, code, self.clock.now(), HOSPITAL.facility_code, HOSPITAL.facility_name)
        sealed = sign(write_dossier(dossier, envelope, {}), self.key, self.clock.now())
        return StoredDossier(
            case_id=code,
            version=version,
            code=code,
            procedure=dossier.procedure,
            form=dossier.form,
            commune_code=dossier.commune.commune.code,
            mapping_hash="m",
            content_key=b"k",
            status="sent",
            register_by=dossier.deadlines["register_by"],
            made_at=self.now,
            changed_at=self.now,
            content={"dossier": as_json(dossier), "xml": sealed.decode()},
        )

    def _delivery(self, row: StoredDossier, dossier: Dossier) -> Delivery:
        return Delivery(
            code=row.code,
            case_id=row.case_id,
            kind=dossier.kind,
            commune_code=row.commune_code,
            version=row.version,
            register_by=row.register_by,
            sealed=row.content["xml"].encode(),
            withdrawn=dossier.withdrawn,
        )

    def item(self, code: str) -> tuple[str, dict[str, Any]]:
        """State and news of an item as the desk's column holds them, and what it holds sealed."""
        with self.store.read() as conn:
            found = conn.exec_driver_sql(f"SELECT state, sealed FROM desk_item WHERE code = '{code}'").one()
        return found[0], orjson.loads(self.vault.unseal(found[1]))
