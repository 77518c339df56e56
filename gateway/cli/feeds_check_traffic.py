"""What a feed's messages say about it: those of the log, or samples before it is connected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from gateway.bootstrap import build_readers, open_store, open_vault
from gateway.cli.feeds_check_ways import Said
from gateway.cli.feeds_words import ASK, FINDINGS, LOOK, REFUSALS
from gateway.cli.form_needs import form_labels, never_filled
from gateway.domain.finding import FINDINGS as KINDS
from gateway.domain.finding import Severity
from gateway.mapping.catalogue import Catalogue
from gateway.plugins import Plugins
from gateway.ports.hospital import Feed
from gateway.settings import Settings
from gateway.views.feed_health import FeedHealth, look_at_feed
from gateway.views.feed_report import report_feed

LOOKED_AT = 200
"""So many of the newest messages are looked into."""

_CLOCK_SECONDS = 120.0
_LATE_SECONDS = 3600.0
_SILENT_HOURS = 24
_MOST = 20


def check_log(
    feed: Feed, settings: Settings, plugins: Plugins, catalogue: Catalogue | None, now: datetime
) -> Iterator[Said]:
    """From the database: nothing is written, no value is shown."""
    if not settings.database_url and not (settings.data_dir / "hotich.db").exists():
        yield "traffic.no_database", {}
        return
    store, vault, at = open_store(settings), open_vault(settings), int(now.timestamp() * 1e6)
    try:
        with store.read() as conn:
            health = look_at_feed(conn, vault, build_readers(plugins), feed, at, LOOKED_AT)
            report = report_feed(conn, vault, feed.name, newest=LOOKED_AT)
    finally:
        store.close()
    yield from _last(health, feed, now)
    yield from _refused(health)
    yield from _clock(health)
    counted = Counter[tuple[str, str, str]]()
    for found in report.findings:
        counted[found.code, found.where, found.detail] += found.count
    yield from (_finding(*what, count) for what, count in counted.most_common(_MOST))
    if catalogue is not None:
        labels = form_labels(plugins.mappings["default"] / "forms")
        for kind in health.events:
            arriving = {path for of, path in health.facts if of == kind}
            never = never_filled(kind, catalogue.within(feed.name), now.date(), arriving)
            yield from _never(kind, {field: labels[kind].get(field, field) for field in never}, never)


def check_samples(told: Mapping[str, Any]) -> Iterator[Said]:
    """From a certificate (gateway.cli.certificate) over samples."""
    for message in told["messages"]:
        if message["ack"] != "AA":
            yield "sample.refused", {"number": message["number"], "code": message["ack"]}
    for one in told["findings"][:_MOST]:
        yield _finding(one["code"], one["where"], one["detail"], one["count"])
    for kind, part in told["kinds"].items():
        labels = {one["field"]: one["label"] for one in part["never"]}
        yield from _never(kind, labels, {one["field"]: one["from"] for one in part["never"]})


def _last(health: FeedHealth, feed: Feed, now: datetime) -> Iterator[Said]:
    if health.last_at is None:
        yield "traffic.never", {}
        return
    at = datetime.fromtimestamp(health.last_at / 1e6, UTC)
    hours = int((now - at).total_seconds() // 3600)
    if hours >= _SILENT_HOURS:
        yield "traffic.silent", {"hours": hours}
    else:
        yield "traffic.last", {"at": f"{at.astimezone(timezone(timedelta(minutes=feed.offset))):%H:%M %d/%m/%Y}"}


def _refused(health: FeedHealth) -> Iterator[Said]:
    for code, count in health.refusals.items():
        vi, en = REFUSALS.get(code, ASK)
        yield "traffic.refused", {"code": code, "count": count, "mend_vi": vi, "mend_en": en}
    for (code, place), count in health.unusable.items():
        yield "traffic.unusable", {"code": code, "place": place, "count": count}
    if health.strangers:
        yield "traffic.strangers", {"count": health.strangers}


def _clock(health: FeedHealth) -> Iterator[Said]:
    if health.ahead > _CLOCK_SECONDS:
        yield "clock.ahead", {"seconds": int(health.ahead)}
    elif health.behind is not None and health.behind > _LATE_SECONDS:
        yield "clock.behind", {"seconds": int(health.behind)}
    elif health.behind is not None:
        yield "clock.ok", {}


def _finding(code: str, place: str, detail: str, count: int) -> Said:
    vi, en = FINDINGS.get(code, LOOK)
    kind, filled = KINDS[code], {"place": place or "?", "detail": detail or "?"}
    mends = {"mend_vi": vi.format(**filled), "mend_en": en.format(**filled)}
    said = "finding.info" if kind.severity is Severity.INFO else "finding"
    return said, {"code": code, "place": place, "count": count, "vi": kind.vi, "en": kind.en, **mends}


def _never(kind: str, labels: Mapping[str, str], never: Mapping[str, Sequence[str]]) -> Iterator[Said]:
    names = {"kind": kind, "kind_vi": {"birth": "Khai sinh", "death": "Khai tử"}[kind]}
    for field, paths in never.items():
        yield "field.never", {**names, "field": field, "label": labels[field], "paths": ", ".join(paths)}
    if not never:
        yield "field.ok", names
