"""Calls that tell a change of state by itself (capNhatTrangThaiHoSoDVCLT), signed and repeated until they are taken.

They stand in the book, written with the change itself, so that none is lost with the process. The calls of one dossier
go out in their order; no source says how a call is signed, so it is as adapters of ours expect it:
`x-hotich-signature: t=<unix seconds>,v1=<hexadecimal HMAC-SHA256 of "<t>.<body>">`.
"""

from __future__ import annotations

import asyncio
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from sqlite3 import Connection
from typing import Any

import httpx
import orjson

from gateway.simulators.book import Dossier
from gateway.simulators.group_writer import GroupWriter

LONGEST_SECONDS, IDLE_SECONDS = 60.0, 0.2
CIVIL_STATUS = 5
"""coQuanXuLy: the civil-status leg."""

_NEXT = """SELECT n, body, tries FROM callback c WHERE NOT done AND due_at <= ?
AND n = (SELECT MIN(n) FROM callback WHERE code = c.code AND NOT done) ORDER BY n LIMIT 16"""


def call_later(conn: Connection, dossier: Dossier, row: Mapping[str, Any]) -> None:
    """Write down a call about a dossier's new state, to be made at once."""
    told = {name: row[name] for name in (
        "maHoSo", "trangThai", "thoiGianThucHien", "ghiChu", "nguoiXuLy", "chucDanh", "phongBanXuLy", "noiDungXuLy",
        "hanBoSungHoSo", "ketQuaXuLy",
    )}  # fmt: skip
    body = orjson.dumps({"soHoSoLT": dossier.linked_code, "coQuanXuLy": CIVIL_STATUS, **told}).decode()
    conn.execute("INSERT INTO callback (code, body, due_at) VALUES (?, ?, 0)", (dossier.code, body))


def sign(secret: bytes, body: bytes, now: int) -> str:
    """The value of x-hotich-signature."""
    return f"t={now},v1={hmac.new(secret, str(now).encode() + b'.' + body, sha256).hexdigest()}"


@dataclass(slots=True)
class Caller:
    """Makes the calls that stand in the book."""

    url: str
    secret: bytes
    _client: httpx.AsyncClient = field(init=False)

    async def run(self, writer: GroupWriter) -> None:
        """Until cancelled."""
        async with httpx.AsyncClient(timeout=10.0) as self._client:
            while True:
                waiting = await writer.run(partial(_waiting, now=time.time()))
                if not waiting:
                    await asyncio.sleep(IDLE_SECONDS)
                outcomes = await asyncio.gather(*(self._call(body.encode()) for _, body, _ in waiting))
                for (number, _, tries), is_taken in zip(waiting, outcomes, strict=True):
                    await writer.run(partial(_called, number=number, tries=tries + 1, is_taken=is_taken))

    async def _call(self, body: bytes) -> bool:
        headers = {
            "content-type": "application/json",
            "x-hotich-signature": sign(self.secret, body, int(time.time())),
            "x-simulator": "hotich simulate moj",
        }
        try:
            reply = await self._client.post(self.url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        return reply.is_success


def _waiting(conn: Connection, now: float) -> list[tuple[int, str, int]]:
    return [(row["n"], row["body"], row["tries"]) for row in conn.execute(_NEXT, (now,))]


def _called(conn: Connection, number: int, tries: int, is_taken: bool) -> None:
    due_at = time.time() + min(0.5 * 2**tries, LONGEST_SECONDS)
    conn.execute(
        "UPDATE callback SET done = ?, tries = ?, due_at = ? WHERE n = ?", (int(is_taken), tries, due_at, number)
    )
