"""The path language of HL7 v2 mapping rows, and the scope it is evaluated against.

    PID-5                          every repetition of a field, as composites
    PID-5.1   PID-11.1.2           text of a component or subcomponent, one per repetition
    NK1[2]-5                       the second NK1
    NK1[NK1-3.1 = MTH]-2           the first NK1 whose NK1-3.1 is MTH
    OBX[OBX-3.1 = 69453-9][OBX-4 = 1]-5   several conditions, all must hold

Without a bracket the first segment of that name is meant. Conditions compare the first repetition, ignoring case.
Numbers are the standard's own (chapter 2.5: fields, components and subcomponents from 1).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.hospital.hl7v2_message import DELETE, Composite, Segment
from adapters.hospital.hl7v2_time import TIME_FIELDS, TIME_TYPES, at_precision

_PATH = re.compile(r"([A-Z][A-Z0-9]{2})((?:\[[^\]]*\])*)-([1-9]\d*)(?:\.([1-9]\d*))?(?:\.([1-9]\d*))?")
_CONDITION = re.compile(r"([A-Z][A-Z0-9]{2})-([1-9]\d*)(?:\.([1-9]\d*))?(?:\.([1-9]\d*))? = (\S.*)")

SET_IDS = ("PID", "NK1", "OBX", "PV1", "DG1", "AL1", "IN1", "IN2", "IN3", "GT1", "OBR", "NTE", "PR1", "PDA", "FT1")
"""Segments whose first field only counts them: never reported as unread."""

ENVELOPE = ("MSH", "EVN")
"""The header reads these before any mapping row."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One bracket: the field of the same segment that must hold `value` (case-folded)."""

    field: int
    component: int
    subcomponent: int
    value: str

    def holds(self, segment: Segment) -> bool:
        segment.read.add(self.field)
        return segment.text(self.field, self.component, self.subcomponent).casefold() == self.value


@dataclass(frozen=True, slots=True)
class Hl7v2Path:
    """A compiled path. `component` 0: the whole repetition as a composite."""

    segment: str
    occurrence: int
    conditions: tuple[Condition, ...]
    field: int
    component: int
    subcomponent: int


def compile_path(path: str) -> Hl7v2Path:
    """Compile a mapping path. Raises ValueError saying what is wrong and how it should look."""
    match = _PATH.fullmatch(path.strip())
    if match is None:
        raise ValueError(f"{path!r} is not an HL7 v2 path; it should look like PID-5.1 or NK1[NK1-3.1 = MTH]-2")
    name, brackets, field, component, subcomponent = match.groups()
    occurrence, conditions = 1, []
    for inside in re.findall(r"\[([^\]]*)\]", brackets):
        if inside.isdecimal() and int(inside) > 0 and brackets == f"[{inside}]":
            occurrence = int(inside)
        else:
            conditions.append(_compile_condition(inside, name))
    return Hl7v2Path(name, occurrence, tuple(conditions), int(field), int(component or 0), int(subcomponent or 1))


def _compile_condition(inside: str, segment: str) -> Condition:
    match = _CONDITION.fullmatch(inside.strip())
    if match is None:
        raise ValueError(f"[{inside}] is not a condition; it should look like [{segment}-3.1 = MTH]")
    name, field, component, subcomponent, value = match.groups()
    if name != segment:
        raise ValueError(f"[{inside}] must name a field of {segment}")
    return Condition(int(field), int(component or 1), int(subcomponent or 1), value.strip().casefold())


class Hl7v2Scope:
    """What the rows of one event see: the segments about one patient. Keeps account of what was asked for."""

    __slots__ = ("_by_name", "_found", "_segments")

    def __init__(self, segments: Sequence[Segment]) -> None:
        self._segments = segments
        self._by_name: dict[str, list[Segment]] = {}
        for segment in segments:
            self._by_name.setdefault(segment.name, []).append(segment)
        self._found: dict[tuple[str, int, tuple[Condition, ...]], Segment | None] = {}

    def select(self, path: Hl7v2Path) -> list[str] | list[Composite]:
        """Values at a path, in order; [] when absent."""
        segment = self._segment(path)
        if segment is None:
            return []
        segment.read.add(path.field)
        repetitions = segment.repetitions(path.field)
        if path.field in TIME_FIELDS.get(segment.name, ()):
            repetitions = [_at_precision(repetition, segment, path.field) for repetition in repetitions]
        if not path.component:
            return repetitions
        texts = [repetition.sub(path.component, path.subcomponent) for repetition in repetitions]
        return [text for text in texts if text]

    def asks_to_delete(self) -> bool:
        """Whether there are two quotes anywhere: few messages have them, and the rows of the others are not asked."""
        return any(segment.holds(DELETE) for segment in self._segments)

    def deletes(self, path: Hl7v2Path) -> bool:
        """Whether the sender asks to delete what is at a path: two quotes and nothing else in its field."""
        segment = self._segment(path)
        return segment is not None and segment.deletes(path.field)

    def segments(self, name: str) -> list[Segment]:
        """All segments of a name, in order."""
        return self._by_name.get(name, [])

    def first(self, name: str) -> Segment | None:
        """The first segment of a name."""
        found = self._by_name.get(name)
        return found[0] if found else None

    def unread(self) -> list[str]:
        """Fields that carry a value and that nobody asked for: `ZPD-3`, `NK1[2]-5`."""
        return [
            f"{segment.label}-{number}"
            for segment in self._segments
            if segment.name not in ENVELOPE
            for number in range(2 if segment.name in SET_IDS else 1, len(segment.fields))
            if number not in segment.read and segment.raw(number)
        ]

    def _segment(self, path: Hl7v2Path) -> Segment | None:
        # Rows share few segment selectors, so the search is done once for each.
        key = (path.segment, path.occurrence, path.conditions)
        if key not in self._found:
            self._found[key] = self._find(path)
        return self._found[key]

    def _find(self, path: Hl7v2Path) -> Segment | None:
        candidates = self._by_name.get(path.segment, [])
        if path.occurrence > 1:
            candidates = candidates[path.occurrence - 1 : path.occurrence]
        for segment in candidates:
            if all(condition.holds(segment) for condition in path.conditions):
                return segment
        return None


def _at_precision(time: Composite, segment: Segment, field: int) -> Composite:
    if (segment.name, field) == ("OBX", 5) and segment.text(2) not in TIME_TYPES:
        return time
    text, precision = time.text, time[2]
    return Composite(at_precision(text, precision), segment) if precision else time
