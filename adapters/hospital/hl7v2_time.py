"""Times in HL7 v2: TS up to 2.5, DTM later (chapter 2A). Until 2.4 the second component of a TS says how much of the
first is meant: 19950101000000^Y is the year 1995, and the rest is filling that must not be taken for a day of birth."""

from __future__ import annotations

import re

TIME_FIELDS: dict[str, frozenset[int]] = {
    "EVN": frozenset((2, 3, 6)),
    "PID": frozenset((7, 29, 33)),
    "NK1": frozenset((8, 9, 16)),
    "PV1": frozenset((44, 45)),
    "OBR": frozenset((7, 8, 22)),
    "OBX": frozenset((5, 14, 19)),
    "DG1": frozenset((5, 19)),
}
"""Fields of type TS or DTM that say when somebody was born or died; OBX-5 is one when OBX-2 says so."""

TIME_TYPES = ("TS", "DTM", "DT")
_DIGITS = {"Y": 4, "L": 6, "D": 8, "H": 10, "M": 12, "S": 14}
_TIME = re.compile(r"(\d{4,14})(?:\.\d+)?([+-]\d{4})?")


def at_precision(time: str, precision: str) -> str:
    """A time cut to the degree of precision (table 0529: Y, L month, D, H, M, S); as it is without one."""
    length = _DIGITS.get(precision.upper(), 0)
    match = _TIME.fullmatch(time) if length else None
    if match is None or len(match[1]) <= length:
        return time
    return match[1][:length] + (match[2] or "" if length > 8 else "")
