"""Cases that wait for a person, made by the real steps from the sample messages, with pages and a worker to run.

Everybody is invented, as in sample_messages.
"""

from __future__ import annotations

from typing import Any

from adapters.commune.desk import Desk
from gateway.lanes import lanes
from gateway.lanes.worker import Worker
from gateway.pipeline.cases import StoredCase, add_case
from gateway.pipeline.correlate import read_message
from gateway.pipeline.services import Services
from gateway.pipeline.steps import handlers
from gateway.store.session import Store
from gateway.testing.population import FakePopulation
from gateway.testing.signing import FakeSigningKey
from gateway.web.accounts import create_user
from gateway.web.app import create_app
from tests.samples.folders import FOLDERS, catalogue, feed, readers
from tests.web_world import FORMS, ON, PASSWORD, World, add_people

VAN_CANH, CANH_VINH, QUY_NHON_NAM = "21994", "22006", "21592"
SAMPLES = {
    "cho-chia-tach": "birth/commune-split-waits-for-a-person",
    "cho-khong-ro": "birth/commune-unknown-waits-for-a-person",
    "cho-mang-thai-ho": "birth/surrogate-birth-waits-for-a-person",
    "cho-mau-thuan": "death/death-time-but-indicator-says-no",
    "cho-thieu": "death/discharge-disposition-expired",
}
"""Case id → the sample whose first message opens it."""


def add_settlers(store: Store) -> None:
    """The people of tests.web_world, a coordinator of all communes, and an officer of each candidate commune."""
    add_people(store)
    with store.write() as conn:
        create_user(conn, "dieu-phoi", "officer", "Cán bộ Điều Phối", PASSWORD, communes=["*"])
        create_user(conn, "can-bo-van-canh", "officer", "Cán bộ Vân Canh", PASSWORD, communes=[VAN_CANH])
        create_user(conn, "can-bo-nam", "officer", "Cán bộ Nam", PASSWORD, communes=[QUY_NHON_NAM])


class WaitingWorld(World):
    """The pages over the steps as they run in life, with a population database that knows nobody."""

    def __post_init__(self) -> None:
        self.services = Services(
            store=self.store,
            vault=self.vault,
            clock=self.clock,
            catalogue=catalogue(),
            readers=readers(),
            feeds={feed().name: feed()},
            population=FakePopulation(),
            communes={"desk": Desk(self.store, self.vault, self.clock)},
            signing=FakeSigningKey(at=self.clock.now()),
            writer="test",
        )
        self.app = create_app(self.services, self.intake, FORMS, self.options)

    def open_cases(self, *ids: str) -> None:
        """Open cases of SAMPLES a second apart and make their dossiers."""
        for case_id in ids:
            self.clock.pass_seconds(1)
            self._open(case_id, SAMPLES[case_id])
            self.work()

    def work(self) -> None:
        """Do all the work that is due."""
        Worker(self.store, handlers(self.services), threads=1, clock=self.clock).run_until_idle()

    def _open(self, case_id: str, sample: str) -> None:
        raw = FOLDERS[sample].messages[0][1]
        reader = next(reader for reader in readers().values() if reader.recognises(raw))
        readings = read_message(reader, raw, feed(), "test.1", catalogue(), ON)
        case = StoredCase(
            id=case_id,
            kind=readings[0].kind,
            facility=feed().facility_code,
            feed=feed().name,
            status="collecting",
            version=1,
            identified=0,
            prepared=0,
            commune_code="",
            opened_at=self.now,
            changed_at=self.now,
            settle_at=self.now,
            readings=tuple(readings),
        )
        with self.store.write() as conn:
            add_case(conn, self.vault, case)
            lanes.put(conn, f"case:{case_id}", "advance", {"case": case_id}, self.now)

    def desk(self) -> dict[str, Any]:
        """Case → commune of everything that lies on a desk."""
        with self.store.read() as conn:
            return {row.case_id: row.commune_code for row in conn.exec_driver_sql("SELECT * FROM desk_item")}
