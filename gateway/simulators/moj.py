"""The civil-status exchange, simulated: its operations over a book of its own, with faults when asked for.

`nhanHoSoDKHT`, `dangKyHoTich`, `traTrangThaiHoSo`, `layKetQua`, `danhMuc`. Where the facts leave room both ways are
taken: a state is asked for by `maHoSo`, `maHoSoMCDT` or `maDinhDanhHoSo`, a list or a text, with or without `maDonVi`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from gateway.simulators import book
from gateway.simulators.access import Access
from gateway.simulators.book import Dossier
from gateway.simulators.callbacks import Caller, call_later
from gateway.simulators.faults import Attempts, Faults
from gateway.simulators.group_writer import GroupWriter
from gateway.simulators.moj_answers import Answer, known_error, row_of, rows, taken
from gateway.simulators.moj_envelopes import Examiner, Refusal
from gateway.simulators.moj_facts import Facts, load_facts
from gateway.simulators.moj_fields import Problem, wire_forms
from gateway.simulators.walk import Walk, change, next_state

OPERATIONS = ("nhanHoSoDKHT", "dangKyHoTich", "traTrangThaiHoSo", "layKetQua", "danhMuc")
ASKED_BY = ("maHoSo", "maHoSoMCDT", "maDinhDanhHoSo")
"""Names under which a dossier's code may stand in an envelope or a question."""


@dataclass(frozen=True, slots=True)
class Catalogues:
    """What danhMuc tells: kind → entries {ma, ten}; and the codes of provinces."""

    entries: Mapping[str, Sequence[Mapping[str, str]]]
    provinces: frozenset[str]


@dataclass(slots=True)
class Moj:
    """One simulated exchange."""

    facts: Facts
    examiner: Examiner
    catalogues: Catalogues
    writer: GroupWriter
    access: Access = field(default_factory=Access)
    faults: Faults = field(default_factory=Faults)
    walk: Walk = field(default_factory=Walk)
    caller: Caller | None = None
    attempts: Attempts = field(default_factory=Attempts)

    async def do(self, operation: str, told: Mapping[str, Any], fault: str = "") -> Answer:
        """The answer to one question or dossier. `fault` "duplicate" and "state_0" change what is told."""
        if operation in self.facts.operations:
            return await self._take(operation, told, fault)
        if operation == "danhMuc":
            kind = str(told.get("loaiDanhMuc", ""))
            entries = self.catalogues.entries.get(kind)
            return known_error(self.facts, 0, "302") if entries is None else rows(1, entries)
        return await self._tell(operation, told, fault)

    async def _take(self, operation: str, told: Mapping[str, Any], fault: str) -> Answer:
        examined = self.examiner.examine(operation, told)
        if isinstance(examined, Refusal):
            await self.writer.run(partial(_note_refused, code=code_in(told), now=time.time()))
            return known_error(self.facts, "0", examined.error, examined.problems)
        verdict = await self.writer.run(partial(book.take, handed=examined, now=time.time()))
        return taken("repeat" if fault == "duplicate" else verdict)

    async def _tell(self, operation: str, told: Mapping[str, Any], fault: str) -> Answer:
        status: int | str = 1 if operation == "layKetQua" else "1"
        no: int | str = 0 if operation == "layKetQua" else "0"
        wrong = self._question_error(operation, told, no)
        if wrong is not None:
            return wrong
        found = await self.writer.run(partial(self._look, codes=codes_in(told)))
        if not found:
            return known_error(self.facts, no, "201")
        told_rows = [row_of(dossier, self.facts) for dossier in found]
        if operation == "layKetQua":
            told_rows = [{"maTinh": told["maTinh"], **row} for row in told_rows]
        if fault == "state_0":
            words = self.facts.states["0"]
            told_rows = [row | {"trangThai": 0, "ghiChu": words, "ketQuaXuLy": ""} for row in told_rows]
        return rows(status, told_rows * 2 if fault == "duplicate" else told_rows)

    def _question_error(self, operation: str, told: Mapping[str, Any], no: int | str) -> Answer | None:
        """What is wrong with a question; None when nothing is."""
        codes = codes_in(told)
        if not codes or len(codes) > self.facts.limits["codes"]:
            problem = Problem("maDinhDanhHoSo", f"phải có từ 1 đến {self.facts.limits['codes']} mã hồ sơ")
            return known_error(self.facts, no, "500", [problem])
        if operation == "layKetQua" and str(told.get("maTinh")) not in self.catalogues.provinces:
            return known_error(self.facts, no, "108")
        agency = told.get("maDonVi", "")
        text = f"{agency:05d}" if isinstance(agency, int) else str(agency)
        if text and text not in self.examiner.communes:
            return known_error(self.facts, no, "106")
        return None

    def _look(self, conn: Connection, codes: Sequence[str]) -> list[Dossier]:
        """The dossiers of those codes that are known; being asked about makes them walk."""
        found = [dossier for code in codes if (dossier := book.find(conn, code)) is not None]
        return [self._asked(conn, dossier) for dossier in found] if self.walk.polls else found

    def _asked(self, conn: Connection, dossier: Dossier) -> Dossier:
        if dossier.state in book.ENDS:
            return dossier
        if dossier.polls + 1 < self.walk.polls:
            book.poll(conn, dossier.code)
            return dossier
        return self.move(conn, dossier, next_state(dossier, self.faults))

    def walk_due(self, conn: Connection) -> int:
        """Move on every dossier that has been in its state for long enough; how many there were."""
        waiting = book.due(conn, time.time() - self.walk.seconds)
        for dossier in waiting:
            self.move(conn, dossier, next_state(dossier, self.faults))
        return len(waiting)

    def move(self, conn: Connection, dossier: Dossier, state: int, words: str = "", by: str = "") -> Dossier:
        """A dossier's new state, with a call to whoever wants to be called; nothing when it is in it already."""
        if state == dossier.state:
            return dossier
        changed = change(conn, dossier, state, datetime.now(UTC), words, by)
        if self.caller is not None:
            call_later(conn, changed, row_of(changed, self.facts))
        return changed


def make_moj(mappings: Path, path: Path, **parts: Any) -> Moj:
    """A simulator that takes what a directory of mappings says, on the book at `path`. `parts`: access, faults, walk,
    caller. Raises MappingError."""
    facts = load_facts()
    today = datetime.now(UTC).date()
    forms, catalogue = wire_forms(mappings, facts, today)
    communes = catalogue.units.communes()
    provinces = {unit.province_code: unit.province for unit in communes}
    tables = {name: catalogue.table(name, today) for name in set(facts.catalogues.values()) - {"provinces"}}
    entries = {
        kind: [{"ma": code, "ten": name} for code, name in provinces.items()]
        if name == "provinces"
        else _entries(tables[name])
        for kind, name in facts.catalogues.items()
    }
    examiner = Examiner(facts, forms, frozenset(unit.code for unit in communes))
    lists = Catalogues(entries, frozenset(provinces))
    return Moj(facts, examiner, lists, GroupWriter(path, book.SCHEMA), **parts)


def _entries(table: Any) -> list[dict[str, str]]:
    """A code table's values, each once, under the name of its first line."""
    named: dict[str, str] = {}
    for code in table.codes():
        value = table.get(code)
        if value:
            named.setdefault(value, table.column(code, "name") or "")
    return [{"ma": value, "ten": name} for value, name in named.items()]


def codes_in(told: Mapping[str, Any]) -> list[str]:
    """The dossier codes that an envelope or a question names, each once."""
    codes: list[str] = []
    for name in ASKED_BY:
        value = told.get(name)
        codes += [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return list(dict.fromkeys(code for code in codes if isinstance(code, str) and code))


def code_in(told: Mapping[str, Any]) -> str:
    """The first dossier code of an envelope or a question, else what else it asks for."""
    return next(iter(codes_in(told)), str(told.get("loaiDanhMuc", ""))[:20])


def _note_refused(conn: Connection, code: str, now: float) -> str:
    return book.note(conn, code[:60], "", "refused", now)
