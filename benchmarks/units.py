"""Communes: building the index of both lists, and addresses resolved a second, on one core.

Run: python -m benchmarks.units
The baseline of the same run is merely reading the same files with the csv module.
"""

from __future__ import annotations

import csv
import io
import time
import tracemalloc
from collections.abc import Callable
from datetime import date
from pathlib import Path

from gateway.domain.person import Address
from gateway.mapping.units import Units

FILES = {path.name: path.read_bytes() for path in (Path(__file__).parents[1] / "mappings/units").glob("*.csv")}
TODAY = date(2026, 11, 23)
ADDRESSES = {
    "code and province": Address(commune_code="21583", province_code="52"),
    "code, name, province": Address(commune_code="21583", commune="Phường Quy Nhơn", province="Tỉnh Gia Lai"),
    "old names in fields": Address(commune="Phường Trần Phú", district="TP. Quy Nhơn", province="Bình Định"),
    "new names, no marks": Address(commune="phuong quy nhon", province="tinh gia lai"),
    "one line": Address(line="12 Lê Lợi, P. Trần Phú, TP Quy Nhơn, Bình Định"),
}


def read_files() -> int:
    """Every line of every file, kept by nobody."""
    return sum(1 for raw in FILES.values() for _ in csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


def seconds(work: Callable[[], object]) -> float:
    """One run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def main() -> None:
    first = seconds(lambda: Units(FILES))  # nothing remembered yet: what a start pays
    again = min(seconds(lambda: Units(FILES)) for _ in range(5))
    baseline = min(seconds(read_files) for _ in range(5))
    print(f"csv alone {baseline:.3f} s; index {first:.3f} s at start ({first / baseline:.1f} x), {again:.3f} s again")
    tracemalloc.start()
    units = Units(FILES)
    print(f"memory of the index: {tracemalloc.get_traced_memory()[0] / 1e6:.1f} MB")
    tracemalloc.stop()
    for what, address in ADDRESSES.items():
        answer = units.resolve(address, TODAY)
        if answer.commune is None or answer.commune.code != "21583":
            raise SystemExit(f"{what}: not resolved")
        rounds = 3000
        took = min(seconds(lambda: [units.resolve(address, TODAY) for _ in range(rounds)]) for _ in range(3))  # noqa: B023
        print(f"{what}: {rounds / took:,.0f}/s")


if __name__ == "__main__":
    main()
