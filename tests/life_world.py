"""The gateway from the receive step to the desk, in one process, with every step run by hand."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from gateway.pipeline.dossiers import newest_dossier
from gateway.pipeline.receive import Receiver
from gateway.ports.hospital import Answer
from gateway.store.session import execute
from tests.samples.folders import feed
from tests.stay_messages import Told
from tests.waiting_world import WaitingWorld


class Life(WaitingWorld):
    """The gateway from the receive step to the desk."""

    def take(self, *messages: Told | bytes) -> None:
        """Receive messages one after the other and do all the work that follows."""
        for message in messages:
            raw = message if isinstance(message, bytes) else message.raw
            answer = asyncio.run(self._receive(raw))
            assert answer.code == "AA", answer.body
            self.work()

    async def _receive(self, raw: bytes) -> Answer:
        loop = asyncio.get_running_loop()
        receiver = Receiver(self.services, loop)
        answered: asyncio.Future[Answer] = loop.create_future()
        receiver.submit(raw, None, feed().name, answered.set_result)
        answer = await asyncio.wait_for(answered, 20)
        await receiver.close()
        return answer

    def cases(self) -> dict[str, str]:
        """Kind and state of every case, oldest first."""
        with self.store.read() as conn:
            rows = execute(conn, 'SELECT id, kind, status FROM "case" ORDER BY opened_at, id').fetchall()
        return {row[0]: f"{row[1]} {row[2]}" for row in rows}

    def states(self) -> list[str]:
        return list(self.cases().values())

    def item(self, case_id: str) -> dict[str, Any]:
        """What lies on the desk of one case."""
        with self.store.read() as conn:
            row = conn.exec_driver_sql("SELECT * FROM desk_item").mappings().all()
        found = next(dict(each) for each in row if each["case_id"] == case_id)
        return found | {"content": orjson.loads(self.vault.unseal(found["sealed"]))}

    def dossier(self, case_id: str) -> dict[str, Any]:
        with self.store.read() as conn:
            newest = newest_dossier(conn, self.vault, case_id)
        assert newest is not None
        return {**newest.content["dossier"], "version": newest.version, "row": newest.status}
