"""Other people's example messages through every way in: `hotich serve` in a process of its own, real sockets, no mercy.

    python -m benchmarks.corpus [DIRECTORY] [--json]

Each folder of DIRECTORY (default: our own samples) is a hospital with a feed, a port and a token of its own. HL7 v2
goes by MLLP, one frame a message, and files of several also as a whole by POST /hl7v2; FHIR and the ministry's XML are
posted; all else is counted and left. Nothing stops the run. Then, for each source: what was accepted, refused and why,
which births and deaths were recognised, and what must be nothing: failures of ours, silence, lost messages.
"""

from __future__ import annotations

import argparse
import socket
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import orjson
from sqlalchemy import Connection, select

from benchmarks.corpus_files import is_full_of_everything
from benchmarks.corpus_sending import SILENT, Hospital, Source, find_sources
from benchmarks.million import memory_of
from gateway.bootstrap import open_store, open_vault
from gateway.cli.printing import print_json, print_table
from gateway.cli.samples import samples_directory
from gateway.lanes import lanes
from gateway.messagelog.audit import verify_store
from gateway.messagelog.chain import payload_of
from gateway.settings import Settings
from gateway.store.session import Store
from gateway.store.tables import Entry, Lane, Message
from gateway.store.vault import Vault
from tests.serving_child import Server

SETTLING = 300.0
"""Seconds until work that has not settled counts as stuck."""

_ENTRY = Entry.__table__  # type: ignore[attr-defined]
_LANE = Lane.__table__  # type: ignore[attr-defined]
_MESSAGE = Message.__table__  # type: ignore[attr-defined]

STORED = ("AA", "CA", "AE", "CE", "HTTP 200", "HTTP 201", "HTTP 422")
"""Answers that promise the message is in the log."""

UNDECIDED = "undecided"
RELEVANCES = ("birth", "death", "related", "other", "unreadable")


def facility_of(number: int) -> str:
    """A facility's code of its own for each source, so that no case is shared."""
    return str(99100 + number)


def settings_for(sources: list[Source]) -> tuple[str, list[int]]:
    """A feed a source with a port of its own, and the ports."""
    doors = [socket.create_server(("127.0.0.1", 0)) for _ in sources]
    ports = [int(door.getsockname()[1]) for door in doors]
    for door in doors:
        door.close()
    tables = (
        f'[feeds."{source.name}"]\nsenders = ["*"]\nports = [{port}]\ncontrol_id_reuse = "accept"\n'
        f'facility_code = "{facility_of(number)}"\nfacility_name = "{source.name}"\nfacility_commune = "21583"\n'
        for number, (source, port) in enumerate(zip(sources, ports, strict=True))
    )
    return "\n".join(tables), ports


def held(conn: Connection) -> list[str]:
    """Lanes whose work failed and will be tried again: all behind it waits."""
    failed = select(_LANE.c.key, _LANE.c.error).where(_LANE.c.run_at.is_not(None), _LANE.c.tries > 0, ~_LANE.c.dead)
    return [f"{key}: {error}" for key, error in conn.execute(failed).all()]


def settle(store: Store) -> list[str]:
    """Wait until no work is due, and none waits because it failed; what is left of the latter after SETTLING."""
    end = time.monotonic() + SETTLING
    while True:
        with store.read() as conn:
            failed, is_busy = held(conn), lanes.busy(conn)
        if time.monotonic() > end:
            return [*failed, f"{is_busy} lanes still due"]
        if not failed and not is_busy:
            return []
        time.sleep(0.1)


def look_up(source: Source, conn: Connection, vault: Vault, known: dict[str, str | None]) -> None:
    """Compare what was answered with what the log holds. `known`: relevance by message id, as the API tells it."""
    ids = conn.execute(select(_MESSAGE.c.id).where(_MESSAGE.c.feed == source.name)).scalars().all()
    stored = {_core(payload_of(conn, vault, id_)): id_ for id_ in ids}
    source.relevance.update(known.get(id_) or UNDECIDED for id_ in ids)
    refused = _refused(source, conn, vault)
    for answer in source.answers:
        parcel, core = answer.parcel, _core(answer.parcel.raw)
        found = known.get(stored.get(core, ""))
        silently = answer.code == SILENT and core not in refused
        if parcel.number and core not in stored and (answer.code in STORED or silently):
            source.lost.append(f"{parcel.file}#{parcel.number}")
        if parcel.way == "mllp" and is_full_of_everything(parcel.raw):
            source.full[found or answer.code] += 1
        if parcel.number and found in ("birth", "death"):
            source.recognised.append({"file": parcel.file, "number": parcel.number, "relevance": found})


def _refused(source: Source, conn: Connection, vault: Vault) -> set[bytes]:
    """What the log holds of a source's refused messages; counts the reasons."""
    found = set()
    entries = select(_ENTRY.c.writer, _ENTRY.c.seq, _ENTRY.c.meta).where(_ENTRY.c.kind == "refused")
    for writer, seq, meta in conn.execute(entries).all():
        facts = orjson.loads(meta)
        if facts.get("feed") == source.name:
            source.refused[f"{facts['code']} {facts['where']}".strip()] += 1
            found.add(_core(payload_of(conn, vault, f"{writer}.{seq}")))
    return found


def _core(raw: bytes) -> bytes:
    """A message as the gateway compares it with a resend."""
    return raw.strip(b"\r\n\x0b\x1c ")


def all_of(client: httpx.Client, path: str) -> Iterator[dict[str, Any]]:
    """Every item of a paged list of the API."""
    after: str | None = ""
    while after is not None:
        page = client.get(path, params={"limit": 200} | ({"after": after} if after else {})).raise_for_status().json()
        yield from page["items"]
        after = page["next"]


def send(server: Server, sources: list[Source], ports: list[int]) -> str:
    """Hand everything in; the token of an auditor who may look at all of it."""
    for number, (source, port) in enumerate(zip(sources, ports, strict=True)):
        reach = ("--feed", source.name, "--facility", facility_of(number))
        token = server.right("token", "create", "--role", "hospital", *reach)
        Hospital(source, port, server.http, token.strip()).send_all()
    return server.right("token", "create", "--role", "auditor").strip()


def run(server: Server, sources: list[Source], ports: list[int]) -> dict[str, Any]:
    """Send, wait, ask. What concerns no single source comes back."""
    server.start()
    assert server.process is not None
    auditor = send(server, sources, ports)
    store, vault = open_store(Settings(data_dir=server.data)), open_vault(Settings(data_dir=server.data))
    unsettled = settle(store)
    with httpx.Client(base_url=server.http, headers={"Authorization": f"Bearer {auditor}"}, timeout=60) as client:
        known = {item["id"]: item["relevance"] for item in all_of(client, "/api/messages")}
        cases = list(all_of(client, "/api/cases"))
    with store.read() as conn:
        for source in sources:
            look_up(source, conn, vault, known)
            source.cases.update(f"{case['kind']} {case['status']}" for case in cases if case["feed"] == source.name)
        dead = [f"{lane.key}: {lane.error}" for lane in lanes.dead_lanes(conn)]
    most, verified = memory_of(server.process.pid).most, verify_store(store, vault)
    store.close()
    code = server.stop()
    return {
        "unsettled": unsettled,
        "dead_lanes": dead,
        "errors_said": errors_of(server.log.read_text(encoding="utf-8", errors="replace")),
        "log_intact": verified.intact,
        "log_entries": verified.entries,
        "peak_mb": round(most, 1),
        "exit_code": code,
    }


def errors_of(said: str) -> list[str]:
    """Lines of standard error that tell of a failure of ours: errors, and what is no line of the log at all."""
    found = []
    for line in said.splitlines():
        try:
            level = orjson.loads(line).get("level", "")
        except (orjson.JSONDecodeError, AttributeError):
            level = "not a log line"
        if line.strip() and level not in ("debug", "info", "warning"):
            found.append(line)
    return found


def is_clean(sources: list[Source], whole: dict[str, Any]) -> bool:
    """Whether nothing of ours failed."""
    failed = any(source.broken() or source.lost or source.relevance[UNDECIDED] for source in sources)
    silent = not whole["dead_lanes"] and not whole["errors_said"] and whole["exit_code"] == 0
    return bool(not failed and silent and not whole["unsettled"] and whole["log_intact"])


def show(sources: list[Source], whole: dict[str, Any]) -> None:
    rows = []
    for each in sources:
        codes = each.codes()
        http = {code: count for code, count in sorted(codes.items()) if code.startswith("HTTP")}
        rest = {
            code: count for code, count in sorted(codes.items()) if code[1:] not in ("A", "E", "R") and code not in http
        }
        rows.append(
            (
                each.name,
                each.files,
                sum(each.left.values()),
                len(each.parcels),
                *(codes[f"A{end}"] + codes[f"C{end}"] for end in "AER"),
                _counts(http | rest),
                _counts(each.refused),
                *(each.relevance[kind] for kind in RELEVANCES),
                _counts(each.full),
                len(each.broken()),
                len(each.lost),
            )
        )
    columns = ("source", "files", "left", "sent", "AA", "AE", "AR", "other answers", "refused: why", *RELEVANCES)
    print_table("", (*columns, "full of everything", "failed", "lost"), rows)
    print_table("", ("source", "cases"), [(each.name, _counts(each.cases)) for each in sources])
    for each in sources:
        for line in (*each.broken(), *(f"lost: {name}" for name in each.lost)):
            print(line)
    for name, value in whole.items():
        print(f"{name:<16} {value}")


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))


def as_json(source: Source) -> dict[str, Any]:
    """One source for machines."""
    plain = ("name", "files", "left", "refused", "relevance", "cases", "recognised", "full", "lost")
    return {name: getattr(source, name) for name in plain} | {"answers": source.codes(), "failed": source.broken()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, nargs="?", default=samples_directory())
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    sources = find_sources(options.directory)
    if not sources:
        raise SystemExit(f"{options.directory} has no folder with messages")
    settings, ports = settings_for(sources)
    with tempfile.TemporaryDirectory() as directory:
        server = Server(Path(directory), settings)
        try:
            whole = run(server, sources, ports)
        finally:
            server.end()
    if options.json:
        print_json({"sources": [as_json(source) for source in sources], **whole})
    else:
        show(sources, whole)
    sys.exit(0 if is_clean(sources, whole) else 1)


if __name__ == "__main__":
    main()
