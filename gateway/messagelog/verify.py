"""Checks the evidence log without the gateway: needs Python and the package `cryptography` only.

    python verify.py EXPORT_DIRECTORY [--key PUBLIC_KEY.pem] [--checkpoint FILE]...

Says in plain words what is intact and what is not; exit code 0 intact, 1 not intact, 2 wrong use. `--key` is the
checkpoint key as it was handed over once, `--checkpoint` a checkpoint kept elsewhere: with both, not even somebody who
may write to the database and the export can change the past unnoticed.

How the chain is made. Entries of one writer are numbered without gaps. An entry's hash is SHA-256 over the hash of the
entry before (32 zero bytes before the first), then the lengths (4 bytes each, big-endian) and then the bytes of the
fields writer, seq, at, kind, subject, meta and digest; numbers as decimal text. digest is SHA-256(salt + payload), or
empty when there is no payload. A checkpoint is a compact JWS (RFC 7515) with an Ed25519 signature (RFC 8037) over every
chain's head.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import json
import sqlite3
import struct
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

GENESIS = bytes(32)
ALGORITHMS = ("Ed25519", "EdDSA")  # the second is the older name of the first in JOSE
_LENGTHS = struct.Struct(">7I").pack
SHOWN = 50

Row = Sequence[Any]
"""writer, seq, at, kind, subject, meta, digest, hash, salt, payload; the last two None when there is no payload."""
Heads = Mapping[str, tuple[int, bytes]]
"""By writer: number and hash of an entry."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Entries `first` to `last` are not intact. `kind`: altered | missing | cut_off | rewritten | payload | forged."""

    kind: str
    writer: str
    first: int
    last: int

    def __str__(self) -> str:
        place = f"{self.writer} {self.first}" + (f" to {self.last}" if self.last != self.first else "")
        return {
            "altered": f"ALTERED: entry {place} is not what was written",
            "missing": f"MISSING: {place} was deleted",
            "cut_off": f"CUT OFF: {place} is gone from the end of the chain, though a checkpoint or the head knows it",
            "rewritten": f"REWRITTEN: up to {place} the chain is consistent, but not the one that a checkpoint signed",
            "payload": f"PAYLOAD ALTERED: what is stored for {place} is not what was logged",
            "forged": f"NOT A CHECKPOINT: number {self.first} has no valid signature of the checkpoint key",
        }[self.kind]


@dataclass(slots=True)
class Report:
    """What was found. `signed` counts entries that a valid checkpoint covers; `heads` is where each chain ends."""

    entries: int = 0
    payloads: int = 0
    erased: int = 0
    unread: int = 0
    checkpoints: int = 0
    signed: int = 0
    newest_checkpoint_at: int | None = None
    heads: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    @property
    def intact(self) -> bool:
        return not self.faults

    def lines(self) -> list[str]:
        """The report for people."""
        said = [f"{self.entries} entries in {len(self.heads)} chains were read."]
        said.append(f"{self.payloads} payloads are what was logged; {self.erased} were erased.")
        if self.unread:
            said.append(f"{self.unread} payloads were not looked into.")
        if self.newest_checkpoint_at is None:
            said.append("No checkpoint: if the newest entries had been cut off, it would not show.")
        else:
            at = datetime.fromtimestamp(self.newest_checkpoint_at // 1_000_000, UTC).isoformat()
            said.append(f"{self.checkpoints} checkpoints are valid, the newest of {at}, signing {self.signed} entries.")
            if rest := self.entries - self.signed:
                said.append(f"{rest} entries are newer than that; had more been cut off, it would not show.")
        said += [str(fault) for fault in self.faults[:SHOWN]]
        if len(self.faults) > SHOWN:
            said.append(f"... and {len(self.faults) - SHOWN} more faults")
        said.append("INTACT" if self.intact else f"NOT INTACT: {len(self.faults)} faults")
        return said


def verify_rows(
    rows: Iterable[Row],
    checkpoints: Iterable[str] = (),
    key: Ed25519PublicKey | None = None,
    *,
    before: Heads | None = None,
    until: int | None = None,
    heads: Heads | None = None,
    look_into: bool = True,
) -> Report:
    """Check entries, in the order of writer and number, against their hashes and against checkpoints.

    For a part of the log, `before` is, by writer, the entry just before the first one given, and `until` the end of
    the period (microseconds since 1970 UTC): later checkpoints may sign entries that are not here. `heads` is where the
    store says that its chains end. Without `look_into`, rows need no salt and payload.
    """
    report, starts = Report(), dict(before or {})
    wanted: dict[str, dict[int, set[bytes]]] = {}
    ends: dict[str, int] = {}
    signed: dict[str, int] = {}
    for writer, (seq, digest) in (heads or {}).items():
        wanted[writer], ends[writer] = {seq: {digest}}, seq
    for content in _valid(checkpoints, key, report):
        for writer, head in content["heads"].items():
            wanted.setdefault(writer, {}).setdefault(head["seq"], set()).add(bytes.fromhex(head["hash"]))
            signed[writer] = max(signed.get(writer, 0), head["seq"])
            if until is None or content["at"] < until:
                ends[writer] = max(ends.get(writer, 0), head["seq"])
    for writer, chain in groupby(rows, itemgetter(0)):
        start = starts.get(writer, (0, GENESIS))
        report.heads[writer] = _follow(writer, chain, start, wanted.get(writer, {}), report, look_into)
    _look_at_ends(starts, wanted, ends, signed, report)
    return report


def _follow(
    writer: str,
    rows: Iterable[Row],
    start: tuple[int, bytes],
    marks: Mapping[int, set[bytes]],
    report: Report,
    look_into: bool,
) -> tuple[int, bytes]:
    """Walk one chain; returns where it ends. A faulty entry is told once: the walk goes on from the hash stored."""
    lengths, faults, name = _LENGTHS, report.faults, writer.encode()
    seq, previous = start
    for row in rows:
        _, number, at, kind, subject, meta, digest, stored = row[:8]
        report.entries += 1
        try:
            parts = (name, b"%d" % number, b"%d" % at, kind.encode(), subject.encode(), meta.encode(), digest)
            linked = sha256(previous + lengths(*map(len, parts)) + b"".join(parts)).digest() == stored
        except (TypeError, AttributeError):  # SQLite stores a value of any type in any column: such a one is not ours
            linked, stored = False, stored if isinstance(stored, bytes) else b""
        if number != seq + 1:
            faults.append(Fault("missing", writer, seq + 1, number - 1))
        elif not linked:
            faults.append(Fault("altered", writer, number, number))
        if number in marks and marks[number] != {stored}:
            faults.append(Fault("rewritten", writer, number, number))
        if not look_into:
            report.unread += digest != b""
        elif row[9] is None:
            report.erased += digest != b""
        elif isinstance(row[9], bytes) and isinstance(row[8], bytes) and sha256(row[8] + row[9]).digest() == digest:
            report.payloads += 1
        else:
            faults.append(Fault("payload", writer, number, number))
        seq, previous = number, stored
    return seq, previous


def _look_at_ends(
    starts: Heads,
    wanted: Mapping[str, Mapping[int, set[bytes]]],
    ends: Mapping[str, int],
    signed: Mapping[str, int],
    report: Report,
) -> None:
    """Is the part given the one that was signed, at its beginning and at its end?"""
    for writer in sorted({*wanted, *starts}):
        begin, digest = starts.get(writer, (0, GENESIS))
        last = report.heads.get(writer, (begin, digest))[0]
        if any(mark != digest for mark in wanted.get(writer, {}).get(begin, ())):
            report.faults.append(Fault("rewritten", writer, begin, begin))
        if ends.get(writer, 0) > last:
            report.faults.append(Fault("cut_off", writer, last + 1, ends[writer]))
        report.signed += max(0, min(last, signed.get(writer, 0)) - begin)


def _valid(checkpoints: Iterable[str], key: Ed25519PublicKey | None, report: Report) -> Iterator[Any]:
    for number, jws in enumerate(checkpoints, start=1):
        content = None if key is None else read_checkpoint(jws, key)
        if content is None:
            report.faults.append(Fault("forged", "checkpoint", number, number))
            continue
        report.checkpoints += 1
        report.newest_checkpoint_at = max(report.newest_checkpoint_at or 0, content["at"])
        yield content


def read_checkpoint(jws: str, key: Ed25519PublicKey) -> Any:
    """What a checkpoint says, or None when the key did not sign it."""
    try:
        header, payload, signature = jws.strip().split(".")
        if json.loads(_decoded(header)).get("alg") not in ALGORITHMS:
            return None
        key.verify(_decoded(signature), f"{header}.{payload}".encode("ascii"))
        return json.loads(_decoded(payload))
    except (ValueError, binascii.Error, InvalidSignature):
        return None


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def read_key(pem: bytes) -> Ed25519PublicKey:
    """The checkpoint key's public half. Raises ValueError when the file holds none."""
    key = load_pem_public_key(pem)
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("not an Ed25519 public key")
    return key


def verify_export(directory: Path, key: Ed25519PublicKey, more: Iterable[str] = ()) -> Report:
    """Check an export directory, also against checkpoints kept elsewhere.

    An export covers a period; checkpoints of other times sign entries outside it, which cannot be looked at here.
    """
    with closing(sqlite3.connect(f"file:{directory / 'log.sqlite'}?mode=ro", uri=True)) as database, database:
        starts = database.execute("SELECT writer, seq, hash FROM before")
        before = {writer: (seq, digest) for writer, seq, digest in starts}
        ((until,),) = database.execute("SELECT until FROM period").fetchall()
        rows = database.execute(
            "SELECT entry.writer, entry.seq, at, kind, subject, meta, digest, hash, salt, body FROM entry "
            "LEFT JOIN payload USING (writer, seq) ORDER BY entry.writer, entry.seq"
        )
        checkpoints = [jws for (jws,) in database.execute("SELECT jws FROM checkpoint ORDER BY at")]
        return verify_rows(rows, [*checkpoints, *more], key, before=before, until=until)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Checks an export of the evidence log.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", type=Path, help="the checkpoint key as handed over; else the one in the export")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept elsewhere")
    given = parser.parse_args(arguments)
    try:
        key = read_key((given.key or given.export / "checkpoint-key.pem").read_bytes())
        more = [file.read_text(encoding="ascii") for file in given.checkpoint]
        report = verify_export(given.export, key, more)
    except (OSError, ValueError, sqlite3.Error) as error:
        print(f"cannot read the export: {error}", file=sys.stderr)
        return 2
    if given.key is None:
        print("The key is the export's own: compare it with the one that was handed over (--key).")
    print("\n".join(report.lines()))
    return 0 if report.intact else 1


if __name__ == "__main__":
    sys.exit(main())
