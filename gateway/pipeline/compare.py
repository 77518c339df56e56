"""compare: what two rehearsals of the same messages say differently, place by place.

Used to judge a change of mappings before it is in force. Only what becomes of the messages counts: where a value was
read (`provenance`, `unread`) and the set's own hash may differ without a word.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gateway.pipeline.rehearse import Rehearsal, RehearsedCase

NOT_COMPARED = ("provenance", "unread", "mapping_hash", "path", "index", "deadlines")
"""Parts of a told message or case that are its name, no result, or told elsewhere: a deadline is the end of a clock."""

LISTED = {
    "findings": "finding",
    "owed": "owed",
    "missing": "missing",
    "holds": "holds",
    "candidates": "candidate",
}
"""Lists without an order that means anything: each item is a place of its own."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two rehearsals differ. `part` is "field", "finding", "owed", "relevance", "commune", … and
    `place` what of it ("nksNoiSinh.maXa"); `a` and `b` are the values as text, None where there is none."""

    part: str
    place: str
    a: str | None
    b: str | None


@dataclass(frozen=True, slots=True)
class Compared:
    """A message or a case under both sets. `kind` is "message", "birth" or "death"; `subject` the message, for a case
    the messages that speak in it; `only` is "a" or "b" when the other set has no such case."""

    kind: str
    subject: str
    differences: tuple[Difference, ...] = ()
    only: str = ""

    @property
    def equal(self) -> bool:
        return not self.differences and not self.only


@dataclass(frozen=True, slots=True)
class Comparison:
    """Every message and every case of both rehearsals, equal ones too."""

    messages: tuple[Compared, ...]
    cases: tuple[Compared, ...]

    @property
    def equal(self) -> bool:
        return all(one.equal for one in (*self.messages, *self.cases))

    def __add__(self, other: Comparison) -> Comparison:
        return Comparison(self.messages + other.messages, self.cases + other.cases)


def compare(a: Rehearsal, b: Rehearsal) -> Comparison:
    """Compare rehearsals message by message and case by case. Cases are the same when they speak of the same event of
    the same message; twins of one message stay apart."""
    messages = [_message(*pair) for pair in _paired_messages(a.messages, b.messages)]
    return Comparison(tuple(messages), tuple(_case(*pair) for pair in _paired_cases(a.cases, b.cases)))


def leaves(told: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """A told message or case as (part, place) → text, without empty values; two are equal when these are."""
    return {key: text for key, text in _leaves("", "", told) if text}


Told = Mapping[str, Any]


def _paired_messages(a: Sequence[Told], b: Sequence[Told]) -> Iterator[tuple[Told | None, Told | None]]:
    """By path and place in the file, in the order of `a`; the same file may be sent twice."""
    rest = list(b)
    for one in a:
        same = next((other for other in rest if _name(other) == _name(one)), None)
        if same is not None:
            rest.remove(same)
        yield one, same
    yield from ((None, other) for other in rest)


def _paired_cases(
    a: Sequence[RehearsedCase], b: Sequence[RehearsedCase]
) -> Iterator[tuple[RehearsedCase | None, RehearsedCase | None]]:
    rest = list(b)
    for one in a:
        alike = [other for other in rest if other.told["kind"] == one.told["kind"] and other.events & one.events]
        same = max(alike, key=lambda other: len(other.events & one.events), default=None)
        if same is not None:
            rest.remove(same)
        yield one, same
    yield from ((None, other) for other in rest)


def _message(a: Told | None, b: Told | None) -> Compared:
    return Compared("message", _name(a or b or {}), *_difference(a, b))


def _case(a: RehearsedCase | None, b: RehearsedCase | None) -> Compared:
    one = a or b
    assert one is not None
    names = ", ".join(sorted({message for message, _ in one.events}))
    return Compared(one.told["kind"], names, *_difference(a.told if a else None, b.told if b else None))


def _difference(a: Told | None, b: Told | None) -> tuple[tuple[Difference, ...], str]:
    """What differs, and which set alone has it. A message or case that one set lacks has no places to compare."""
    if a is None or b is None:
        return (), "b" if a is None else "a"
    mine, theirs = leaves(a), leaves(b)
    keys = [key for key in dict.fromkeys((*mine, *theirs)) if mine.get(key) != theirs.get(key)]
    return tuple(Difference(*key, mine.get(key), theirs.get(key)) for key in keys), ""


def _name(message: Told) -> str:
    return f"{message['path']}#{message['index']}" if message["index"] else str(message["path"])


def _leaves(part: str, place: str, value: Any) -> Iterator[tuple[tuple[str, str], str]]:
    if isinstance(value, Mapping):
        for name, below in value.items():
            if name in LISTED:
                yield from _items(LISTED[name], below)
            elif name not in NOT_COMPARED:
                yield from _leaves(*_below(part, place, name), below)
    elif isinstance(value, list | tuple):
        for number, below in enumerate(value):
            name = below["name"] if isinstance(below, Mapping) and "name" in below else number
            yield from _leaves(part, f"{place}.{name}" if place else str(name), below)
    elif value is not None:
        yield (part, place), str(value)


def _below(part: str, place: str, name: str) -> tuple[str, str]:
    """dossier.fields.nksNoiSinh.maXa is the part "field", place "nksNoiSinh.maXa"."""
    if not part:
        return {"clocks": "clock"}.get(name, name), ""
    if part == "dossier" and name == "fields":
        return "field", ""
    return part, f"{place}.{name}" if place else name


def _items(part: str, items: Sequence[Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Items of a list by what they are about; two findings of one code at one place are counted."""
    seen: dict[str, int] = {}
    for item in items:
        place, text = _item(item)
        seen[place] = seen.get(place, 0) + 1
        yield (part, place if seen[place] == 1 else f"{place} ({seen[place]})"), text


def _item(item: Any) -> tuple[str, str]:
    """A finding is its code and place with its sentence; a debt its field with who owes it; else the item itself."""
    if not isinstance(item, Mapping):
        return str(item), str(item)
    if "severity" in item:
        return f"{item['code']} {item['where']}", f"{item['severity']}: {item['detail_vi']}"
    if "by" in item:
        return str(item["field"]), str(item["by"])
    name = item.get("code", item.get("name", ""))
    return str(name), ", ".join(str(part) for part in item.values() if part not in (None, ""))
