"""Ways in of a feed: are its settings complete, do its doors stand open, are certificates and folder in order?"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509

from gateway.bootstrap import build_readers, check_feeds, load_catalogue, refuse_stand_ins
from gateway.errors import MappingError, SettingsError
from gateway.mapping.catalogue import Catalogue
from gateway.plugins import Plugins
from gateway.ports.hospital import Feed
from gateway.settings import Settings
from gateway.views.drop_folders import look_at

Said = tuple[str, dict[str, Any]]
"""A code of feeds_words.CHECKS and what fills its words."""

_PATIENCE = 2.0
_SOON = timedelta(days=30)
_STUCK_SECONDS = 600
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - asked, not bound


def find_catalogue(settings: Settings, plugins: Plugins) -> tuple[Catalogue | None, list[Said]]:
    """The mappings, and what refuses a start: adapters, stand-ins, mapping files."""
    readers, said, catalogue = build_readers(plugins), list[Said](), None
    try:
        check_feeds(settings, plugins, readers)
        refuse_stand_ins(settings, plugins)
        catalogue = load_catalogue(settings, plugins, readers)
        _ = catalogue.units
    except SettingsError as error:
        said += [("settings.wrong", {"words": line}) for line in error.message.splitlines()]
    except MappingError as error:
        said += [("settings.mappings", {"words": str(mistake)}) for mistake in error.mistakes[:5]]
    return catalogue, said


def check_settings(feed: Feed, settings: Settings, catalogue: Catalogue | None) -> Iterator[Said]:
    """What a dossier needs of a feed's settings, and whether its sender can be told."""
    keys = ("facility_code", "facility_name", "facility_commune")
    missing = [key for key in keys if not getattr(feed, key)]
    yield from (("settings.missing", {"key": key, "feed": feed.name}) for key in missing)
    if feed.facility_code and not re.fullmatch(r"\d{5}", feed.facility_code):
        yield "settings.facility_code", {}
    unknown = catalogue is not None and feed.facility_commune and catalogue.units.today(feed.facility_commune) is None
    if unknown:
        yield "settings.commune", {"value": feed.facility_commune}
    senders = list(_check_senders(feed, settings))
    yield from senders
    if not (missing or unknown or senders):
        yield "settings.ok", {}
    own = [str(one.path) for one in settings.mapping_overlays if not one.feeds or feed.name in one.feeds]
    own += [feed.overlay] if feed.overlay else []
    yield ("overlay.in_force", {"words": ", ".join(own)}) if own else ("overlay.none", {})


def _check_senders(feed: Feed, settings: Settings) -> Iterator[Said]:
    if not (feed.senders or feed.ports or feed.client_certificates or feed.addresses or feed.folder):
        yield "settings.senders_none", {}
    if "*" in feed.senders:
        yield "settings.senders_anyone", {}
    for other in settings.feeds.values():
        for sender in feed.senders if other.name != feed.name else ():
            if sender != "*" and sender in other.senders:
                yield "settings.senders_claimed", {"sender": sender, "other": other.name}


def check_doors(feed: Feed, settings: Settings) -> Iterator[Said]:
    """Whether somebody listens where this feed's messages go."""
    doors = []
    if "hl7v2" in feed.formats:
        doors += [(settings.mllp_host, port, "MLLP") for port in feed.ports or (settings.mllp_port,)]
    doors.append((settings.http_host, settings.http_port, "HTTP"))
    for bound, port, what in doors:
        host = _EVERYWHERE.get(bound, bound)
        if port:
            yield "port.open" if is_open(host, port) else "port.closed", {"address": f"{host}:{port}", "what": what}


def is_open(host: str, port: int) -> bool:
    """Whether somebody takes a connection."""
    try:
        with socket.create_connection((host, port), _PATIENCE):
            return True
    except OSError:
        return False


def check_certificates(feed: Feed, settings: Settings, now: datetime) -> Iterator[Said]:
    """Dates of every certificate this feed depends on."""
    files = [
        getattr(settings, f"{way}_tls_{part}") for way in ("mllp", "http") for part in ("certificate", "client_ca")
    ]
    for path in dict.fromkeys(
        [*filter(None, files), *map(Path, filter(None, (*feed.paper_certificates, feed.answer_ca)))]
    ):
        try:
            certificates = x509.load_pem_x509_certificates(path.read_bytes())
        except (OSError, ValueError):
            yield "certificate.unreadable", {"path": path}
            continue
        starts = max(one.not_valid_before_utc for one in certificates)
        ends = min(one.not_valid_after_utc for one in certificates)
        if ends < now:
            yield "certificate.expired", {"path": path, "day": ends.date()}
        elif starts > now:
            yield "certificate.early", {"path": path, "day": starts.date()}
        else:
            yield "certificate.soon" if ends < now + _SOON else "certificate.ok", {"path": path, "day": ends.date()}


def check_folder(feed: Feed) -> Iterator[Said]:
    """Whether the drop folder can be used, and what lies in it."""
    if not feed.folder:
        return
    if feed.addresses or feed.client_certificates:
        yield "folder.other_marks", {}
    state = look_at(Path(feed.folder))
    if state.trouble:
        yield "folder.trouble", {"path": state.path, "why": state.trouble}
        return
    if state.waiting and state.oldest > max(_STUCK_SECONDS, 10 * feed.folder_settle_seconds):
        yield "folder.stuck", {"count": state.waiting, "minutes": int(state.oldest // 60)}
    if state.refused:
        yield "folder.refused", {"count": state.refused}
    yield "folder.ok", {"path": state.path}
