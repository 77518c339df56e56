"""Deciding that an ADT message is no birth and no death: messages a second on one core.

Run: python -m benchmarks.relevance
"""

from __future__ import annotations

from adapters.hospital.hl7v2 import Hl7v2Reader
from benchmarks.adt_sample import irrelevant
from benchmarks.read_hl7v2 import per_second, read_with_hl7
from gateway.ports.hospital import Feed


def main() -> None:
    reader, feed = Hl7v2Reader(), Feed()
    raws = [irrelevant(f"M{number:05d}") for number in range(200)]
    if any(reader.events(raw, feed) for raw in raws):
        raise SystemExit("the sample is relevant")
    baseline = per_second(read_with_hl7, raws)
    for name, decide in (
        ("relevance", lambda raw: reader.events(raw, feed)),
        ("relevance and patient number", lambda raw: (reader.events(raw, feed), reader.patient_of(raw, feed))),
        ("header, before the ACK", reader.header),
    ):
        rate = per_second(decide, raws)
        print(f"{name}: {rate:,.0f}/s, {rate / baseline:.0f} x reading with hl7 (relevance must reach 60,000/s)")


if __name__ == "__main__":
    main()
