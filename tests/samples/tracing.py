"""Where the values of a sample's dossier come from."""

from __future__ import annotations

import base64
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from adapters.hospital.vietnamese_bytes import DECODERS
from adapters.population.embedded import EmbeddedPopulation
from gateway.domain.case import ROLES, Reading
from gateway.domain.identity import IdentityResult, PersonQuery, decide_verdict
from gateway.errors import UnreadableMessage
from gateway.mapping.rules import Row, RuleSet
from gateway.pipeline.correlate import read_message
from gateway.pipeline.rehearse import recognise
from tests.samples.folders import Folder, readers

ON = date(2026, 11, 20)
WORD = re.compile(r"[^\W_]+")
HEX = re.compile(r"\\X((?:[0-9A-F]{2})+)\\")


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
        for reading in read_message(reader, raw, folder.feed, file, folder.catalogue, ON)
    ]


def words_of(text: str) -> set[str]:
    """Words and numbers as compared: NFC, case-folded."""
    return set(WORD.findall(unicodedata.normalize("NFC", text).casefold()))


def plain_text(raw: bytes, encoding: str | None = None) -> str:
    """What a message says, its base64 parts opened and its escapes undone."""
    decode = DECODERS.get(encoding or "")
    text = (decode(raw) if decode else raw.decode(encoding or "utf-8-sig", errors="ignore")).replace("\\T\\", "&")
    text = HEX.sub(lambda found: bytes.fromhex(found[1]).decode("utf-8"), text)
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
