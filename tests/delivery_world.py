"""A commune system by wire that does what a test tells it, and the steps around it run by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from gateway.errors import PortError, Refused
from gateway.mapping.catalogue import Catalogue
from gateway.ports.commune import Callback, Delivery, Outcome
from gateway.store.session import execute
from gateway.views.outcomes import StoredOutcome, find_outcome
from gateway.web.app import create_app
from tests.life_world import Life
from tests.samples.folders import PROJECT, readers
from tests.stay_messages import Newborn
from tests.web_world import FORMS

WIRE = "code,value,name,valid_from,valid_to,source\n{},wire,Test,,,test\n"


class WireSystem:
    """A numbered, polled, calling system without corrections. `failures` are raised by the next calls, in order; with
    `arrives` the dossier is kept although the call fails. `book` has what arrived under each code."""

    name = "wire"
    takes_corrections = False
    poll_seconds = 60.0

    def __init__(self) -> None:
        self.failures: list[PortError] = []
        self.arrives = False
        self.answer = Outcome("pending", "R1")
        self.book: dict[str, list[Delivery]] = {}
        self.states: dict[str, Outcome] = {}
        self.calls: list[str] = []

    def agency_of(self, commune_code: str, province_code: str, on: date) -> str:
        return "H99.001"

    def submit(self, delivery: Delivery) -> Outcome:
        self.calls.append("submit")
        failing = bool(self.failures)
        if (not failing or self.arrives) and self.answer.state != "rejected":
            self.book.setdefault(delivery.code, []).append(delivery)
        if failing:
            raise self.failures.pop(0)
        return self.answer

    def status(self, delivery: Delivery) -> Outcome | None:
        self.calls.append("status")
        if self.failures:
            raise self.failures.pop(0)
        return self.states.get(delivery.code, Outcome("pending")) if delivery.code in self.book else None

    def read_callback(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Callback:
        if headers.get("signature") != "ours":
            raise Refused("callback.signature", "the signature is not the partner's")
        code, _, state = body.decode().partition(" ")
        return Callback(
            code, Outcome(state, "R1", "", {"so": "7/2026"} if state == "registered" else {}), body.decode()
        )


_CATALOGUES: dict[str, Catalogue] = {}


def wired(directory: Path, code: str = "*") -> Catalogue:
    """The shipped mappings with `code` (a commune, a province, `*`) on the wire system."""
    if code not in _CATALOGUES:
        (directory / "codes").mkdir()
        (directory / "codes" / "commune_systems.csv").write_text(WIRE.format(code))
        _CATALOGUES[code] = Catalogue.load(PROJECT / "mappings", readers(), [directory])
    return _CATALOGUES[code]


class DeliveryWorld(Life):
    """The gateway with the wire system for everybody, from the receive step on."""

    def wire(self, catalogue: Catalogue) -> WireSystem:
        """Put the wire system in use."""
        system = WireSystem()
        communes = {**self.services.communes, "wire": system}
        self.services = replace(self.services, catalogue=catalogue, communes=communes)
        return system

    def reopen(self) -> None:
        """Pages over the services as they are now."""
        self.app = create_app(self.services, self.intake, FORMS, self.options)

    def outcome(self, case_id: str) -> StoredOutcome | None:
        with self.store.read() as conn:
            return find_outcome(conn, self.vault, case_id)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.store.read() as conn:
            return [tuple(row) for row in execute(conn, sql, values).fetchall()]

    def later(self, seconds: float) -> None:
        """Let time go by and do what is due then."""
        self.clock.pass_seconds(seconds)
        self.work()


def system_of(world: DeliveryWorld) -> WireSystem:
    system = world.services.communes["wire"]
    assert isinstance(system, WireSystem)
    return system


def born(world: DeliveryWorld, number: str = "BN1", minute: int = 1) -> str:
    before = set(world.cases())
    world.take(Newborn(minute, "A01", number))
    (case_id,) = set(world.cases()) - before
    return case_id
