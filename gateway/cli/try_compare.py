"""hotich try --compare A B: what two mapping sets make of the same messages, field by field. Nothing is sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from pathlib import Path
from typing import Any

from sqlalchemy import select

from gateway.bootstrap import open_store, open_vault
from gateway.cli.options import who
from gateway.cli.printing import print_json
from gateway.cli.try_streams import Stream, Workbench
from gateway.cli.try_tables import console, print_differences, summary
from gateway.errors import SettingsError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.overlays import Overlay
from gateway.messagelog.chain import NewEntry, append
from gateway.pipeline.compare import Comparison, compare
from gateway.pipeline.logged import find_last_relevant, read_logged
from gateway.ports.clock import SystemClock
from gateway.settings import Settings
from gateway.store.session import Store, now_us
from gateway.store.tables import MappingSet

NOW = "now"
_SET = MappingSet.__table__  # type: ignore[attr-defined]
_HASH = re.compile(r"[0-9a-f]{4,64}")
_FOLDERS = ("inbound", "outbound", "codes", "units", "forms")

MappingSource = Callable[[Path | None], Catalogue]
"""A mapping set to compare, under a sample folder's own overlay where there is one."""


def compare_sets(bench: Workbench, streams: Sequence[Stream], names: tuple[str, str], json: bool) -> bool:
    """Rehearse the streams under both sets and print what differs; whether they are equal."""
    a, b = (choose_set(bench, name) for name in names)
    found: Comparison = reduce(add, (_compare(bench, stream, a, b) for stream in streams), Comparison((), ()))
    if json:
        hashes = [{"set": name, "hash": chosen(None).hash} for name, chosen in zip(names, (a, b), strict=True)]
        print_json(_document(found, hashes))
        return found.equal
    to = console()
    print_differences(to, (*found.messages, *found.cases), f"A: {names[0]}", f"B: {names[1]}")
    to.print(summary(found), soft_wrap=True)
    return found.equal


def _compare(bench: Workbench, stream: Stream, a: MappingSource, b: MappingSource) -> Comparison:
    one, other = (bench.rehearse(stream, chosen(stream.overlay)).rehearsal for chosen in (a, b))
    return compare(one, other)


def choose_set(bench: Workbench, name: str) -> MappingSource:
    """The set a name stands for: `now`, a directory with a whole set, an overlay directory over the installed set, or
    the hash (or the beginning of one) of a set archived in the database. Raises SettingsError for anything else."""
    directory = Path(name)
    if name == NOW:
        return bench.now
    if not directory.is_dir():
        return _archived(bench, name)
    if not any((directory / folder).is_dir() for folder in _FOLDERS):
        raise SettingsError("use.no_such_set", f"{name} holds no mappings: none of the folders {', '.join(_FOLDERS)}")
    opened: dict[Path | None, Catalogue] = {}
    whole = all((directory / folder).is_dir() for folder in ("inbound", "units"))

    def load(overlay: Path | None) -> Catalogue:
        if overlay not in opened:
            more = [] if overlay is None else [Overlay(overlay)]
            opened[overlay] = (
                Catalogue.load(directory, bench.readers, more) if whole else bench.over(Overlay(directory), *more)
            )
        return opened[overlay]

    return load


def _archived(bench: Workbench, name: str) -> MappingSource:
    if not _HASH.fullmatch(name):
        words = f"{name} is neither `{NOW}`, nor a directory of mappings, nor the hash of an archived set"
        raise SettingsError("use.no_such_set", words)
    with open_log(bench.settings).read() as conn:
        found = conn.execute(select(_SET.c.hash, _SET.c.archive).where(_SET.c.hash.startswith(name)).limit(2)).all()
    if len(found) != 1:
        words = f"{name}: {'several archived sets begin' if found else 'no archived set begins'} with that"
        raise SettingsError("use.no_such_set", words)
    catalogue = Catalogue.from_archive(found[0].archive, bench.readers)

    def load(overlay: Path | None) -> Catalogue:
        if overlay is not None:
            raise SettingsError("use.no_such_set", f"{name} is an archived set: it takes no overlay ({overlay})")
        return catalogue

    return load


def logged_stream(settings: Settings, count: int, reason: str) -> Stream:
    """The newest births, deaths and related messages of the log, as one stream. That somebody reads them, who and why
    is logged before they are read; nothing else is written."""
    store, vault = open_log(settings), open_vault(settings)
    with store.read() as conn:
        lines = find_last_relevant(conn, count)
    told = {"who": who(), "why": "compare"}
    with store.write() as conn:
        entries = [NewEntry("read", line.id, told, reason.encode()) for line in lines]
        append(conn, vault, f"{settings.instance}/desk", now_us(SystemClock()), entries)
    with store.read() as conn:
        return Stream(tuple(read_logged(conn, vault, settings.feeds, lines)))


def open_log(settings: Settings) -> Store:
    """The database, which must be there: looking must not make one."""
    if not settings.database_url and not (settings.data_dir / "hotich.db").exists():
        raise SettingsError("use.no_log", f"{settings.data_dir} holds no hotich.db; name another --data-dir")
    return open_store(settings)


def _document(found: Comparison, sets: Sequence[dict[str, str]]) -> dict[str, Any]:
    differing = [case for case in found.cases if not case.equal]
    return {
        "a": sets[0],
        "b": sets[1],
        "equal": found.equal,
        "messages": [asdict(one) for one in found.messages if not one.equal],
        "cases": [asdict(one) for one in differing],
        "summary": {
            "messages": len(found.messages),
            "messages_differing": sum(not one.equal for one in found.messages),
            "cases": len(found.cases),
            "cases_differing": len(differing),
            "fields_differing": sum(gap.part == "field" for case in differing for gap in case.differences),
            "text": summary(found),
        },
    }
