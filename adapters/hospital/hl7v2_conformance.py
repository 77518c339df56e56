"""Does an HL7 v2 message keep to its version's structure? Asked of hl7apy, for people who set up a feed.

It takes milliseconds to seconds a message and nobody bounds it, so it runs in a process of its own with limits of time
and memory, and never before an answer. Its sentences quote the message's values: only sentences known here come out,
and of them only names of segments, fields, structures and tables. Nothing is written to disk.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys

from adapters.hospital.hl7v2_charset import LATIN_1, UTF_8, is_utf_8
from adapters.hospital.hl7v2_message import LEADING, TRAILING, read_msh
from gateway.ports.hospital import Nonconformity

SECONDS = 10.0
MEMORY_BYTES = 1024 * 1024 * 1024
MAX_BYTES = 1024 * 1024

_CHILD = r"(\w+)\.(\w+)"
_SENTENCES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (rf"Error: Missing required child {_CHILD}", "required in {parent}, and missing"),
        (rf"Error: Child limit exceeded {_CHILD}", "comes more often than {parent} allows"),
        (rf"Error: Datatype \w+ is not correct for {_CHILD} .*", "its content does not fit the data type"),
        (rf"Warning: Exceeded max length \((\d+)\) of {_CHILD}", "longer than {0}"),
        (rf"Warning: Value .* not in table (\w+) in element {_CHILD}", "the value is not in table {0}"),
    )
)
_STRANGERS = re.compile(r"Error: (?:Invalid children detected for|Unknown element found|Invalid element found)")
_ELEMENT = re.compile(r"\b([A-Z][A-Z0-9]{1,2})_(\d+)\b")
_FAILURES = {
    "UnsupportedVersion": ("MSH-12", "the checker does not know this version"),
    "AttributeError": ("MSH-9", "this version has no message structure of that name"),
    "InvalidName": ("MSH-9", "this version has no message structure of that name"),
    "ChildNotFound": ("message", "holds an element that this version does not have"),
    "ChildNotValid": ("message", "holds an element where the structure has none"),
    "MemoryError": ("message", "the check needs too much memory"),
}


def conformance_of(raw: bytes, seconds: float = SECONDS) -> list[Nonconformity]:
    """Departures from the structure, by place, each once. Takes at most `seconds`; a check that does not end in time is
    the one row told. Raises UnreadableMessage when the bytes do not begin like a message."""
    read_msh(raw)
    if len(raw) > MAX_BYTES:
        return [Nonconformity("message", f"larger than {MAX_BYTES} bytes: not checked")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONIOENCODING": UTF_8}
    command = [sys.executable, "-m", __spec__.name if __spec__ else __name__]
    try:
        done = subprocess.run(command, input=raw, capture_output=True, timeout=seconds, env=environment, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        return [Nonconformity("message", f"not checked to the end within {seconds:g} seconds")]
    if done.returncode:
        return [Nonconformity("message", "the check failed, perhaps for want of memory")]
    rows = {row for line in done.stdout.decode(UTF_8, "replace").splitlines() if (row := _row(line))}
    return sorted(rows, key=_order)


def _row(line: str) -> Nonconformity | None:
    """A row for a sentence of hl7apy; None for what is no sentence (the rest of a value with a line end in it)."""
    for pattern, words in _SENTENCES:
        if match := pattern.fullmatch(line):
            *extra, parent, child = match.groups()
            return Nonconformity(_place(parent, child), words.format(*extra, parent=parent))
    if line.startswith("Failed: "):
        place, problem = _FAILURES.get(line.removeprefix("Failed: "), ("message", "cannot be read as this structure"))
        return Nonconformity(place, problem)
    if _STRANGERS.match(line):
        found = _ELEMENT.findall(line)
        place = f"{found[-1][0]}-{found[-1][1]}" if found else "message"
        return Nonconformity(place, "holds an element where the structure has none")
    return None


def _place(parent: str, child: str) -> str:
    """`PID` and `PID_3` are PID-3; `PID_5` and `XPN_2` are PID-5.2; `ADT_A01` and `PV1` are PV1."""
    owner, number = _ELEMENT.fullmatch(parent), _ELEMENT.fullmatch(child)
    if number is None:
        return f"{parent}.{child}" if "_" in child else child
    if parent == number[1]:
        return f"{number[1]}-{number[2]}"
    return f"{owner[1]}-{owner[2]}.{number[2]}" if owner else f"{parent}.{number[2]}"


def _order(row: Nonconformity) -> tuple[list[tuple[int, str]], str]:
    parts = re.findall(r"\d+|\D+", row.place)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts], row.problem


def main() -> None:
    """The process of its own: a message on standard input, hl7apy's report on standard output."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    from hl7apy.consts import VALIDATION_LEVEL
    from hl7apy.parser import parse_message

    raw = sys.stdin.buffer.read().lstrip(LEADING).rstrip(TRAILING)
    text = "\r".join(raw.decode(UTF_8 if is_utf_8(raw) else LATIN_1).splitlines())
    try:
        parsed = parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True)
        parsed.validate(report_file="/dev/stdout")
    except Exception as error:  # noqa: BLE001 - whatever it stumbles over is a statement about the message
        if type(error).__name__ != "ValidationError":  # raised after the report was written
            sys.stdout.write(f"Failed: {type(error).__name__}\n")


if __name__ == "__main__":
    main()
