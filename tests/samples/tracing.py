"""Where the values of a sample's dossier come from, and which mapping rows the samples exercise."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.population.embedded import EmbeddedPopulation
from gateway.domain.case import ROLES, Reading, fold
from gateway.domain.identity import IdentityResult, PersonQuery, decide_verdict
from gateway.errors import UnreadableMessage
from gateway.mapping import engine
from gateway.mapping.rules import Row, RuleSet
from gateway.pipeline.correlate import read_message
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.rehearse import recognise
from tests.samples.folders import FOLDERS, SAMPLES, Folder, catalogue, feed, readers

ON = date(2026, 11, 20)
WORD = re.compile(r"[^\W_]+")


def split_messages(folder: Folder) -> Iterator[tuple[str, Any, bytes]]:
    """File, reader and bytes of every single message that some reader recognises and can open."""
    for file, raw in folder.messages:
        reader = recognise(readers(), raw)
        if reader is None:
            continue
        try:
            for part in reader.split(raw):
                reader.header(part)
                yield file, reader, part
        except UnreadableMessage:
            continue


def readings_of(folder: Folder) -> list[Reading]:
    """Every reading of a folder's messages."""
    return [
        reading
        for file, reader, raw in split_messages(folder)
        for reading in read_message(reader, raw, feed(), file, catalogue(), ON)
    ]


def words_of(text: str) -> set[str]:
    """Words and numbers as compared: NFC, case-folded."""
    return set(WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def plain_text(raw: bytes) -> str:
    """What a message says, its base64 parts opened and its escapes undone."""
    text = raw.decode("utf-8-sig", errors="ignore").replace("\\T\\", "&")
    packed = re.findall(r"<NOIDUNGFILE>([^<]+)</NOIDUNGFILE>", text)
    inside = [base64.b64decode(part).decode("utf-8") for part in packed]
    return html.unescape("\n".join([text, *inside]))


def leaves(value: Any) -> Iterator[str]:
    """The texts of a field, which is text or an object of texts; empty ones left out."""
    yield from (leaf for leaf in (value.values() if isinstance(value, Mapping) else [value]) if leaf)


def form_rows(rules: RuleSet, field: str) -> list[Row]:
    """The rows that fill a field or a part of it."""
    return [row for row in rules.rows if row.to.split(".")[0] == field]


def identities(told: Reading, population: EmbeddedPopulation) -> dict[str, IdentityResult]:
    """The population directory's verdicts about the persons of one reading."""
    found = {}
    for role in ROLES[told.kind]:
        person = getattr(told.notification, role)
        query = PersonQuery("1", "case", role, person.personal_id, person.cmnd, person.name, person.born)
        answer = population.lookup(query) if query.personal_id or query.cmnd else None
        found[role] = decide_verdict(query, answer, entry="directory")
    return found


def unexercised_inbound_rows() -> list[str]:
    """Rows of inbound files that no sample makes yield a value, as file:line and target."""
    yielded: set[tuple[str, int]] = set()
    for folder in FOLDERS.values():
        for _, reader, raw in split_messages(folder):
            try:
                events = reader.events(raw, feed())
            except UnreadableMessage:
                continue
            for event in events:
                rules = catalogue().inbound(reader.format, event.mapping, ON)
                yielded |= _yielding(engine._inbound_plan(rules), event.scope.select)
    inbound = [rules for rules in catalogue().rule_sets() if not rules.procedure]
    return _without(inbound, yielded)


def unexercised_form_rows(directory: Path, patch: pytest.MonkeyPatch) -> list[str]:
    """Rows of the forms that no sample makes yield a value; identities are looked up in the samples' directory."""
    yielded: set[tuple[str, int]] = set()

    def watch(rules: RuleSet, view: Mapping[str, Any], *rest: Any) -> Any:
        nonlocal yielded
        yielded |= _yielding(engine._outbound_plan(rules), view)
        return engine.fill_form(rules, view, *rest)

    patch.setattr("gateway.pipeline.prepare.fill_form", watch)
    population = EmbeddedPopulation(directory / "citizens.sqlite")
    population.load_csv(SAMPLES / "population.csv")
    moment = datetime(2026, 11, 20, 5, tzinfo=UTC)
    for folder in FOLDERS.values():
        for told in readings_of(folder):
            case = fold(told.kind, [told], identities(told, population), {})
            prepare_dossier(case, feed(), catalogue(), moment)
    population.close()
    return _without([rules for rules in catalogue().rule_sets() if rules.procedure], yielded)


def _yielding(plan: Any, where: Any) -> set[tuple[str, int]]:
    context = engine.RowContext(catalogue(), feed(), ON)
    applying = (rule for rule in plan if rule.holds is None or rule.holds(where))
    return {(rule.row.file, rule.row.line) for rule in applying if rule.run(where, context) is not None}


def _without(sets: list[RuleSet], yielded: set[tuple[str, int]]) -> list[str]:
    return [
        f"{row.file}:{row.line} {row.to}"
        for rules in sets
        for row in rules.rows
        if (row.sources or row.value is not None) and (row.file, row.line) not in yielded
    ]
