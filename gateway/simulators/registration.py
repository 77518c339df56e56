"""What a commune's register would give a dossier: number, book, page, date, identifier, and a paper that says it is a
simulation.

Nothing here could be taken for real: identifiers begin with 999, which is no province's part (DOMAIN 6), and the
paper's only words are that nothing was registered.
"""

from __future__ import annotations

import base64
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from gateway.simulators.book import Dossier, count
from gateway.simulators.moj_facts import Facts

RESULT = ("so", "quyenSo", "trangSo", "ngayDangKy", "soDinhDanh")
RESERVED, REGISTERED = "999", 4
PAGES = 200
"""Of one volume of a register."""


def register(conn: sqlite3.Connection, dossier: Dossier, now: datetime) -> dict[str, str]:
    """Numbers of a dossier that is registered on a day: counted by commune, module and year; the identifier, for births
    only, counted over the whole book."""
    number = count(conn, f"{dossier.agency}/{dossier.module}/{now.year}")
    volume, page = divmod(number - 1, PAGES)
    given = {
        "so": f"{number}/{now.year}",
        "quyenSo": f"{volume + 1:02d}/{now.year}",
        "trangSo": str(page + 1),
        "ngayDangKy": f"{now:%d.%m.%Y}",
    }
    return given | ({"soDinhDanh": f"{RESERVED}{count(conn, 'identifier'):09d}"} if dossier.kind == "birth" else {})


def result_text(dossier: Dossier, facts: Facts) -> str:
    """ketQuaXuLy as JSON text; "" for a dossier that is not registered."""
    if dossier.state != REGISTERED:
        return ""
    about = facts.results[dossier.kind]
    fields: Mapping[str, Any] = orjson.loads(dossier.fields)
    given = orjson.loads(dossier.result)
    told = {name: fields[name] for name in about["repeats"] if name in fields}
    told |= {"soDangKy" if name == "so" else name: value for name, value in given.items()}
    told[about["paper"]] = base64.b64encode(paper(dossier.code)).decode()
    return orjson.dumps(told).decode()


def paper(code: str) -> bytes:
    """A PDF that says MÔ PHỎNG / SIMULATION; no two dossiers' are alike, because the code follows as a comment."""
    return _page() + f"%{code}\n".encode()


@cache
def _page() -> bytes:
    return Path(__file__).with_name("simulation.pdf").read_bytes()
