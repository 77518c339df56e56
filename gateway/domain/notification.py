"""The typed middle between hospital messages and dossiers: what a facility notifies about a birth or a death.

Mapping rows name these fields by dotted path (`mother.name`, `birth.weight_g`, `mother.address.commune_code`); `FIELDS`
lists every path with its type, so that a row with an unknown target is refused at start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import NoneType
from typing import Any, get_args, get_type_hints

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, Person, PersonName, Sex


@dataclass(frozen=True, slots=True)
class Birth:
    """The delivery as the facility recorded it."""

    place: Address | None = None
    place_name: str | None = None  # nơi sinh as written on the paper
    plurality: int | None = None  # số con trong lần sinh này
    order: int | None = None  # 1 for the first-born
    multiple: bool | None = None
    weight_g: int | None = None
    gestation_weeks: int | None = None
    live: bool | None = None  # False: thai chết, no birth registration
    abandoned: bool | None = None
    surrogate: bool | None = None  # mang thai hộ: the legal mother is the commissioning one
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Death:
    """The death as the facility recorded it."""

    at: PartialDate | None = None
    indicated: bool | None = None  # PID-30 / deceasedBoolean as sent; False with a death time is a contradiction
    place: Address | None = None
    place_name: str | None = None
    cause: str | None = None  # the one cause statement of the giấy báo tử, never the medical chain
    manner: str | None = None
    on_the_way: bool | None = None
    informant: str | None = None  # người thân thích as written on the paper


@dataclass(frozen=True, slots=True)
class Paper:
    """The facility's paper: giấy chứng sinh (TT 22/2025/TT-BYT) or giấy báo tử (TT 25/2025/TT-BYT)."""

    number: str | None = None
    book: str | None = None
    issued_on: PartialDate | None = None
    issued_by: str | None = None
    reissue: bool | None = None
    original_number: str | None = None
    signature: str | None = None  # valid | invalid | absent | untrusted | unchecked


@dataclass(frozen=True, slots=True)
class Facility:
    """The health facility (cơ sở khám chữa bệnh)."""

    code: str | None = None  # 5 digits, MACSKCB
    name: str | None = None
    address: Address | None = None


@dataclass(frozen=True, slots=True)
class BirthNotification:
    """What one or several messages say about one live-born child."""

    child: Person = Person()
    mother: Person = Person()
    father: Person = Person()
    birth: Birth = Birth()
    paper: Paper = Paper()
    facility: Facility = Facility()


@dataclass(frozen=True, slots=True)
class DeathNotification:
    """What one or several messages say about one deceased person."""

    deceased: Person = Person()
    mother: Person = Person()  # of a newborn who died; links the birth case
    death: Death = Death()
    paper: Paper = Paper()
    facility: Facility = Facility()


Notification = BirthNotification | DeathNotification
KINDS: dict[str, type[BirthNotification] | type[DeathNotification]] = {
    "birth": BirthNotification,
    "death": DeathNotification,
}


def _plain(hint: Any) -> Any:
    options = [option for option in get_args(hint) if option is not NoneType]
    return options[0] if options else hint


def _unit_types(kind: type) -> dict[str, Any]:
    return {
        f"{part}.{name}": _plain(hint)
        for part, section in get_type_hints(kind).items()
        for name, hint in get_type_hints(section).items()
    }


UNITS: dict[str, dict[str, Any]] = {kind: _unit_types(cls) for kind, cls in KINDS.items()}
"""Per kind: two-part path → type. Cases merge at this grain, so an address never mixes two sources."""

FIELDS: dict[str, dict[str, Any]] = {
    kind: units
    | {
        f"{path}.{leaf.name}": str
        for path, unit in units.items()
        if unit in (Address, PersonName)
        for leaf in fields(unit)
    }
    for kind, units in UNITS.items()
}
"""Per kind: every path a mapping row may name → type; UNITS and the leaves of names and addresses."""


_SECTIONS: dict[str, dict[str, Any]] = {kind: get_type_hints(cls) for kind, cls in KINDS.items()}


def flatten(notification: Notification) -> dict[str, Any]:
    """Two-part paths with a value, in declaration order."""
    return {
        f"{part.name}.{leaf.name}": value
        for part in fields(notification)
        for leaf in fields(getattr(notification, part.name))
        if (value := getattr(getattr(notification, part.name), leaf.name)) is not None
    }


def build(kind: str, facts: Mapping[str, Any]) -> Notification:
    """The reverse of `flatten`. `facts` holds typed values by two-part path of `UNITS[kind]`; KeyError on another."""
    cls, hints = KINDS[kind], _SECTIONS[kind]
    sections: dict[str, dict[str, Any]] = {}
    for path, value in facts.items():
        if path not in UNITS[kind]:
            raise KeyError(path)
        section, leaf = path.split(".")
        sections.setdefault(section, {})[leaf] = value
    return cls(**{name: hints[name](**leaves) for name, leaves in sections.items()})


def to_json(value: Any) -> Any:
    """A typed value as JSON: dates as ISO text, names and addresses as objects without empty parts."""
    if isinstance(value, PartialDate):
        return str(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {leaf.name: part for leaf in fields(value) if (part := getattr(value, leaf.name))}
    return value.value if isinstance(value, Sex) else value


def from_json(kind: str, path: str, value: Any) -> Any:
    """The typed value of `to_json` for a two-part path."""
    unit = UNITS[kind][path]
    if unit is PartialDate:
        return PartialDate.parse(value)
    if unit is Sex:
        return Sex(value)
    return unit(**value) if unit in (Address, PersonName) else value
