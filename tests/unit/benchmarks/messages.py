"""Small invented HL7 v2 messages for the benchmarks' own tests."""

from __future__ import annotations


def message(control_id: str, name: str = "Trần^Lan^Thị", end: str = "\r", more: str = "", modes: str = "") -> bytes:
    """An ADT^A01. `name` is PID-5, `more` what follows it, `modes` what follows MSH-12."""
    header = f"MSH|^~\\&|HIS|BV|GW|UB|20261123081500||ADT^A01|{control_id}|P|2.5{modes}"
    return (end.join([header, "EVN|A01|20261123081500", f"PID|1||BN1||{name}{more}"]) + end).encode()
