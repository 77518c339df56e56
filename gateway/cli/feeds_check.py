"""hotich feeds check NAME: a feed tested as a technician would, with what mends what is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from gateway.cli.certificate import certify
from gateway.cli.feeds_check_answer import check_answer
from gateway.cli.feeds_check_traffic import check_log, check_samples
from gateway.cli.feeds_check_ways import (
    Said,
    check_certificates,
    check_doors,
    check_folder,
    check_settings,
    find_catalogue,
)
from gateway.cli.feeds_words import CHECKS
from gateway.cli.printing import print_table
from gateway.cli.try_streams import Workbench, find_streams
from gateway.ports.hospital import Feed
from gateway.settings import Settings


class Language(StrEnum):
    """Of the words for people."""

    VI = "vi"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at. `level` is error | warning | ok; `mend` what to do, "" when all is well."""

    code: str
    level: str
    said: str
    mend: str


_LEVELS = {
    Language.VI: {"error": "LỖI", "warning": "CHÚ Ý", "ok": "ĐƯỢC"},
    Language.EN: {"error": "ERROR", "warning": "WARNING", "ok": "OK"},
}
_COLUMNS = {
    Language.VI: ("Mức", "Điều thấy được", "Cách sửa"),
    Language.EN: ("Level", "What was found", "What mends it"),
}
_ORDER = ("error", "warning", "ok")


def check_feed(
    feed: Feed, settings: Settings, bench: Workbench, samples: Path | None, now: datetime, language: Language
) -> list[Line]:
    """Everything looked at, the worst first. With `samples` the messages of that directory are looked at instead of
    the log's."""
    said = list(_said(feed, settings, bench, samples, now))
    lines = [_line(code, filled, language) for code, filled in said]
    return sorted(dict.fromkeys(lines), key=lambda line: _ORDER.index(line.level))


def _said(feed: Feed, settings: Settings, bench: Workbench, samples: Path | None, now: datetime) -> Iterator[Said]:
    catalogue, wrong = find_catalogue(settings, bench.plugins)
    yield from wrong
    yield from check_settings(feed, settings, catalogue)
    yield from check_doors(feed, settings)
    yield from check_certificates(feed, settings, now)
    yield from check_folder(feed)
    yield from check_answer(feed)
    if samples is None:
        yield from check_log(feed, settings, bench.plugins, catalogue, now)
    elif catalogue is not None:
        tried = bench.rehearse_all(find_streams([samples], settings, feed.name))
        yield from check_samples(certify(bench, feed, tried, now))


def _line(code: str, filled: dict[str, object], language: Language) -> Line:
    words = CHECKS[code]
    said, mend = (words.vi, words.mend_vi) if language is Language.VI else (words.en, words.mend_en)
    return Line(code, words.level, said.format(**filled), mend.format(**filled))


def as_json(feed: Feed, lines: Iterable[Line]) -> dict[str, object]:
    """{"feed", "ok", "checks": [{"code", "level", "said", "mend"}]}."""
    checks = [asdict(line) for line in lines]
    return {"feed": feed.name, "ok": all(check["level"] != "error" for check in checks), "checks": checks}


def print_lines(feed: Feed, lines: Iterable[Line], language: Language) -> None:
    """A table, the worst first."""
    rows = [(_LEVELS[language][line.level], line.said, line.mend) for line in lines]
    print_table(feed.name, _COLUMNS[language], rows)
