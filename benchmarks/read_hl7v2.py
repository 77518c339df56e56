"""Reading HL7 v2 on one core, 20 fields read with escapes, against the `hl7` package in the same run.

Run: python -m benchmarks.read_hl7v2
"""

from __future__ import annotations

import time
from collections.abc import Callable

import hl7

from adapters.hospital.hl7v2_charset import choose_charset
from adapters.hospital.hl7v2_message import Hl7v2Message, read_msh
from benchmarks.adt_sample import irrelevant

FIELDS = (
    ("MSH", 3, 1), ("MSH", 4, 1), ("MSH", 9, 2), ("MSH", 10, 1), ("EVN", 2, 1), ("PID", 3, 1), ("PID", 5, 1),
    ("PID", 5, 2), ("PID", 5, 3), ("PID", 7, 1), ("PID", 8, 1), ("PID", 11, 1), ("PID", 11, 4), ("PID", 22, 2),
    ("NK1", 2, 1), ("NK1", 3, 1), ("PV1", 4, 1), ("PV2", 3, 2), ("DG1", 4, 1), ("ZVN", 2, 1),
)  # fmt: skip


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


def per_second(read: Callable[[bytes], object], raws: list[bytes], seconds: float = 2.0) -> float:
    done, start = 0, time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        for raw in raws:
            read(raw)
        done += len(raws)
    return done / elapsed


def main() -> None:
    raws = [irrelevant(f"M{number:05d}") for number in range(200)]
    if read_with_ours(raws[0])[:17] != read_with_hl7(raws[0])[:17]:
        raise SystemExit("the two readers disagree")
    ours, theirs = per_second(read_with_ours, raws), per_second(read_with_hl7, raws)
    print(f"message {len(raws[0])} bytes, {len(FIELDS)} fields read")
    print(f"ours {ours:,.0f}/s, hl7 {theirs:,.0f}/s, ratio {ours / theirs:.1f} (must reach 30,000/s and 25)")


if __name__ == "__main__":
    main()
