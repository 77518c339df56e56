"""Every name and number of the samples' people, to look for where no personal data may be.

The list is read from the samples themselves: citizens of the population directory, names in the messages (HL7 v2 and
FHIR keep the parts of a name apart), and names and numbers of the expected dossiers. Names are looked for in composed
and in decomposed Unicode.
"""

from __future__ import annotations

import csv
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

from gateway.cli.samples import samples_directory

_NUMBER = re.compile(r"(?<!\d)999\d{6,9}(?!\d)")
_PAPER = re.compile(r"\d{5}\.(?:GCS|GBT)\.\d{5}\.\d{2}")
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})")
_NAMES = ("HoTen", "ho", "chu_dem", "ten")
_NUMBERS = ("SoDDCN", "SoGiayToTuyThan", "maGCS", "maGBT", "personal_id", "cmnd")


@lru_cache(maxsize=1)
def personal_words() -> tuple[str, ...]:
    """Whole names and numbers, and those single parts of names that are not plain ASCII: no log line of ours has any
    reason to hold one."""
    samples = samples_directory()
    with (samples / "population.csv").open(encoding="utf-8", newline="") as file:
        found = set(_of_citizens(csv.DictReader(file)))
    for dossier in samples.rglob("dossier.json"):
        found |= set(_of_fields(json.loads(dossier.read_text(encoding="utf-8"))))
    for path in samples.rglob("*"):
        if path.suffix in (".hl7", ".xml", ".json"):
            text = path.read_bytes().decode("utf-8", "replace")
            found |= set(_NUMBER.findall(text)) | set(_PAPER.findall(text))
    parts = {part for name in found for part in name.split() if len(part) > 2 and not part.isascii()}
    spelt = {unicodedata.normalize(form, word) for word in found | parts for form in ("NFC", "NFD")}
    return tuple(sorted(spelt))


def personal_data_in(text: str) -> set[str]:
    """The words of the samples' people that stand in a text, as whole words; also as JSON or a URL would write them."""
    unescaped = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    seen = "\n".join((text, unescaped, unquote_plus(text)))
    return {word for word in personal_words() if word in seen and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", seen)}


def _of_citizens(rows: Iterable[dict[str, str]]) -> Iterator[str]:
    for row in rows:
        yield " ".join(part for part in (row["ho"], row["chu_dem"], row["ten"]) if part)
        yield " ".join(part for part in (row["ten"], row["chu_dem"], row["ho"]) if part)
        yield from (row[key] for key in ("personal_id", "cmnd") if row[key])


def _of_fields(told: Any) -> Iterator[str]:
    """Names and numbers of an expected dossier, however deep."""
    if isinstance(told, list):
        for item in told:
            yield from _of_fields(item)
    elif isinstance(told, dict):
        for key, value in told.items():
            if isinstance(value, str) and key.endswith((*_NAMES, *_NUMBERS)) and len(value) > 3:
                yield value
            else:
                yield from _of_fields(value)
