"""The exchange's catalogues (danhMuc) beside our code tables: where a code would be refused, or mean something else.

Which catalogue belongs to which table stands in moj_catalogues; the names of an entry's fields in moj_fields.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.commune.moj_reply import Reply
from adapters.commune.moj_wire import Tables
from gateway.errors import Misunderstood
from gateway.ports.hospital import CodeTable


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a catalogue of the exchange."""

    code: str
    name: str


def read_entries(reply: Reply, tables: Tables) -> list[Entry]:
    """A catalogue. Raises Misunderstood for an entry without a code."""
    names = tables("moj_fields")
    found = []
    for row in reply.rows:
        entry = {"code": "", "name": ""}
        for theirs in names.codes():
            ours = names.column(theirs, "value") or ""
            if isinstance(row, dict) and ours in entry and not entry[ours] and row.get(theirs) is not None:
                entry[ours] = str(row[theirs]).strip()
        if not entry["code"]:
            raise Misunderstood("commune.not_a_catalogue", "an entry of the catalogue has no code", reply.body)
        found.append(Entry(entry["code"], entry["name"]))
    return found


def differences(kind: str, name: str, table: CodeTable, entries: Sequence[Entry]) -> list[str]:
    """Sentences on where catalogue `kind` and our code table `name` differ: codes on one side only, other names."""
    ours: dict[str, list[str]] = {}
    for code in table.codes():
        value = table.column(code, "value")
        if value:
            ours.setdefault(value, []).extend((table.column(code, "name") or "", code))
    theirs = {entry.code: entry.name for entry in entries}
    where = f"danhMuc {kind} and {name}.csv"
    said = [f"{where}: we send {code} ({ours[code][0]}), which it does not list" for code in ours if code not in theirs]
    said += [f"{where}: it lists {code} ({theirs[code]}), which we never send" for code in theirs if code not in ours]
    for code, called in theirs.items():
        if code in ours and called and _folded(called) not in {_folded(each) for each in ours[code]}:
            said.append(f"{where}: {code} is {called} there and {ours[code][0]} here")
    return said


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().replace("-", " ").split())
