"""What `[feeds.NAME]` tables and overlay entries may say, beyond the types of their keys: every mistake, naming the
key. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from gateway.mapping.overlays import Overlay
from gateway.pipeline.quiet_hours import read_quiet_hours
from gateway.ports.hospital import Feed

_REUSE = ("refuse", "accept")


def feed_tables(tables: Any) -> Any:
    """Each `[feeds.NAME]` table becomes a Feed of that name; its keys are the fields of ports.hospital.Feed."""
    if not isinstance(tables, Mapping):
        raise ValueError("write one [feeds.NAME] table for each sender")
    known = [field.name for field in fields(Feed) if field.name != "name"]
    for name, table in tables.items():
        if isinstance(table, Feed):
            continue
        if not isinstance(table, Mapping):
            raise ValueError(f"feeds.{name} must be a table of keys")
        unknown = [f"feeds.{name}.{key}: no such key{nearest(key, known)}" for key in table if key not in known]
        if unknown:
            raise ValueError("; ".join(unknown))
    return {name: table if isinstance(table, Feed) else {**table, "name": name} for name, table in tables.items()}


def overlay_entries(entries: Any) -> Any:
    """Each entry of `mapping_overlays` is a path, or a table of Overlay's keys."""
    if not isinstance(entries, list | tuple):
        raise ValueError("write a list of paths or of tables with `path`")
    known = [field.name for field in fields(Overlay)]
    for entry in entries:
        if isinstance(entry, Mapping):
            unknown = [f"{key}: no such key{nearest(key, known)}" for key in entry if key not in known]
            if unknown or "path" not in entry:
                raise ValueError("; ".join(unknown) or "an overlay's table needs `path`")
            for key in ("feeds", "provinces"):
                if entry.get(key) in ([], ()):  # meant for nobody? it would count for everyone
                    raise ValueError(f"{key} is an empty list: leave it out, or name whom the overlay is for")
    return [{"path": entry} if isinstance(entry, str | Path) else entry for entry in entries]


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name most like a misspelt one, or ""."""
    close = difflib.get_close_matches(name, list(known), 1, 0.5)
    return f"; did you mean {close[0]}?" if close else ""


def find_wrong_feeds(
    feeds: Mapping[str, Feed], *, taken_ports: Mapping[str, int], max_message_bytes: int, asks_certificates: bool
) -> list[str]:
    """Mistakes of all feeds. `taken_ports` by the setting that names them; `asks_certificates`: whether any listener
    does, as without one nobody could present any."""
    wrong = list(_wrong_ports(feeds, taken_ports))
    for name, feed in feeds.items():
        wrong += [f"feeds.{name}.{mistake}" for mistake in _wrong_marks(feed)]
        wrong += [f"feeds.{name}.{mistake}" for mistake in _wrong_limits(feed, max_message_bytes)]
        if feed.client_certificates and not asks_certificates:
            wrong.append(f"feeds.{name}.client_certificates: set mllp_tls_client_ca or http_tls_client_ca too")
    return wrong


def _wrong_ports(feeds: Mapping[str, Feed], taken: Mapping[str, int]) -> Iterator[str]:
    used = {port: setting for setting, port in taken.items() if port}
    for name, feed in feeds.items():
        for port in feed.ports:
            if not 0 <= port <= 65535:
                yield f"feeds.{name}.ports: {port} is no port"
            elif port in used:
                yield f"feeds.{name}.ports: {port} is also {used[port]}"
            elif port:
                used[port] = f"in feeds.{name}.ports"


def _wrong_marks(feed: Feed) -> Iterator[str]:
    for text in feed.addresses:
        try:
            ip_network(text)
        except ValueError as error:
            yield f"addresses: {error}"
    if any(not text.strip() for text in feed.client_certificates):
        yield "client_certificates: an empty name is nobody's"
    if any(not text.strip() for text in feed.senders):
        yield "senders: an empty name is nobody's"


def _wrong_limits(feed: Feed, max_message_bytes: int) -> Iterator[str]:
    if feed.control_id_reuse not in _REUSE:
        yield f"control_id_reuse: {feed.control_id_reuse} is not one of {', '.join(_REUSE)}"
    if not 0 <= feed.max_message_bytes <= max_message_bytes:
        yield f"max_message_bytes: from 0 to max_message_bytes of the gateway, {max_message_bytes}"
    if not 0 <= feed.messages_per_second < float("inf"):
        yield "messages_per_second: not less than 0"
    if feed.burst_messages < 1:
        yield "burst_messages: at least 1"
    if feed.quiet_hours:
        try:
            read_quiet_hours(feed.quiet_hours)
        except ValueError as error:
            yield f"quiet_hours: {error}"
