"""Reading HL7 v2 on one core, 20 fields read with escapes, in one run against the `hl7` package, `hl7apy` and a bare
split, which resolves no escapes and knows one set of separators: the floor of what reading in Python can cost.

The readers take turns and the best turn of each counts, so that other work on the machine falls on all alike.

Run: python -m benchmarks.read_hl7v2
"""

from __future__ import annotations

import time
from collections.abc import Callable

import hl7
from hl7apy.parser import parse_message

from adapters.hospital.hl7v2_charset import choose_charset
from adapters.hospital.hl7v2_message import Hl7v2Message, read_msh
from benchmarks.adt_sample import irrelevant

FIELDS = (
    ("MSH", 3, 1), ("MSH", 4, 1), ("MSH", 9, 2), ("MSH", 10, 1), ("EVN", 2, 1), ("PID", 3, 1), ("PID", 5, 1),
    ("PID", 5, 2), ("PID", 5, 3), ("PID", 7, 1), ("PID", 8, 1), ("PID", 11, 1), ("PID", 11, 4), ("PID", 22, 2),
    ("NK1", 2, 1), ("NK1", 3, 1), ("PV1", 4, 1), ("PV2", 3, 2), ("DG1", 4, 1), ("ZVN", 2, 1),
)  # fmt: skip

TURNS = 4


def read_with_ours(raw: bytes) -> list[str]:
    msh = read_msh(raw)
    message = Hl7v2Message(raw, msh, choose_charset(raw, msh.text(18), None)[0])
    segments = {segment.name: segment for segment in reversed(message.segments())}
    return [segments[name].text(field, component) for name, field, component in FIELDS]


def read_with_hl7(raw: bytes) -> list[str]:
    message = hl7.parse(raw.decode("utf-8"))
    return [
        message.unescape(message.extract_field(name, 1, field, 1, component, 1)) for name, field, component in FIELDS
    ]


def read_with_hl7apy(raw: bytes) -> list[str]:
    message = parse_message(raw.decode("utf-8"), find_groups=False)
    found = []
    for name, field, component in FIELDS:
        segment = getattr(message, name.lower())
        text = getattr(segment, f"{name}_{field}".lower()).to_er7()
        parts = text.split("~")[0].split("^")
        found.append(parts[component - 1] if component <= len(parts) else "")
    return found


def read_with_a_bare_split(raw: bytes) -> list[str]:
    segments: dict[str, list[str]] = {}
    for line in raw.decode("utf-8").split("\r"):
        segments.setdefault(line[:3], line.split("|"))
    found = []
    for name, field, component in FIELDS:
        parts = segments[name][field - 1 if name == "MSH" else field].split("~")[0].split("^")
        found.append(parts[component - 1] if component <= len(parts) else "")
    return found


def per_second(read: Callable[[bytes], object], raws: list[bytes], seconds: float = 2.0) -> float:
    done, start = 0, time.process_time()  # of this core, whatever else the machine does
    while (elapsed := time.process_time() - start) < seconds:
        for raw in raws:
            read(raw)
        done += len(raws)
    return done / elapsed


def main() -> None:
    raws = [irrelevant(f"M{number:05d}") for number in range(200)]
    if read_with_ours(raws[0])[:17] != read_with_hl7(raws[0])[:17]:
        raise SystemExit("the two readers disagree")
    if any(read(raws[0])[:17] != read_with_ours(raws[0])[:17] for read in (read_with_hl7apy, read_with_a_bare_split)):
        raise SystemExit("the readers disagree")
    readers = {
        "ours": read_with_ours,
        "hl7": read_with_hl7,
        "hl7apy": read_with_hl7apy,
        "bare split": read_with_a_bare_split,
    }
    best = dict.fromkeys(readers, 0.0)
    for _ in range(TURNS):
        for name, read in readers.items():
            best[name] = max(best[name], per_second(read, raws[: 200 if name != "hl7apy" else 5], 0.5))
    print(f"message {len(raws[0])} bytes, {len(FIELDS)} fields read")
    for name, rate in best.items():
        print(f"{name}: {rate:,.0f}/s; ours is {best['ours'] / rate:.1f} x as fast")
    print("must reach 30,000/s and 25 x hl7")


if __name__ == "__main__":
    main()
