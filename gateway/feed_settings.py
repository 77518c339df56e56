"""What `[feeds.NAME]` tables and overlay entries may say, beyond the types of their keys: every mistake, naming the
key. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from gateway.domain.journey import STATES
from gateway.mapping.overlays import Overlay
from gateway.pipeline.quiet_hours import read_quiet_hours
from gateway.ports.hospital import Feed

FEED_HELP = {
    "facility_code": "The facility's code (5 digits, MACSKCB).",
    "facility_name": "The facility's name as it stands in dossiers.",
    "facility_commune": "Today's commune code of the facility, for the place of birth or death.",
    "encoding": "Character set when messages do not name it (`cp1258`, …); never guessed.",
    "offset": "Minutes east of UTC for instants without a zone.",
    "settle_seconds": "Seconds a case waits for further messages before its dossier leaves.",
    "control_id_reuse": "`refuse` or `accept` another message under a control id already used.",
    "senders": "Who this is: `MSH-3|MSH-4`, MACSKCB, or the FHIR source; `*` for anyone.",
    "formats": "Formats the sender may use.",
    "discharge_died": "The sender's PV1-36 codes that mean the patient died.",
    "placeholder_names": "The sender's own placeholders for a child not yet named.",
    "language": "Language of the words in answers to this sender: `vi` or `en`.",
    "sequence_numbers": "Refuse HL7 v2 messages whose MSH-13 does not count up by one.",
    "fhir_version": "Release of FHIR the sender uses: `R4`, `R4B` or `R5`.",
    "unit_list": "The list its commune codes are of: `old` (before 01/07/2025), `new`, or empty when unknown.",
    "ports": "MLLP ports of this sender alone, beside `mllp_port`.",
    "client_certificates": "Certificates, one of which the sender must present: SHA-256 fingerprint or common name.",
    "addresses": "Networks the sender must come from, IPv4 or IPv6 (`10.1.2.0/24`, `2001:db8::7`).",
    "overlay": "Directory of mapping rows and code tables that count for this sender alone.",
    "max_message_bytes": "Largest message of this sender, in bytes; 0: the gateway's own limit.",
    "messages_per_second": "Messages taken a second, on average; more are refused for the moment. 0: no limit.",
    "burst_messages": "Messages taken at once after a pause, where `messages_per_second` limits them.",
    "quiet_hours": "Hours, on its own clock (`22:00-05:00`), in which nothing but answers is sent to the sender.",
    "folder": "Directory whose files are messages of this feed, also over SFTP; empty: none.",
    "paper_certificates": "PEM files of authorities or facilities whose signatures on MoH papers count.",
    "paper_signature": "`report` what the signature on a MoH paper is worth, or `require` a valid one.",
    "answer": "How the sender is told what became of its dossiers: `hl7v2`, `fhir`, `webhook`, `file`; empty: not.",
    "answer_to": "Where to: `mllp://host:port`, `mllps://host:port`, `https://…`, or a directory.",
    "answer_secret": "File of the HMAC key (webhook) or of the bearer token (fhir).",
    "answer_ca": "PEM file of the authorities behind the receiver's certificate; empty: the machine's own.",
    "answer_states": "States of a case that the sender is told.",
    "folder_settle_seconds": "Seconds nobody wrote to a file before it is taken, unless a marker says it is complete.",
}
"""Help for the fields of ports.hospital.Feed, the keys of a `[feeds.NAME]` table."""

_REUSE = ("refuse", "accept")
_ANSWER_SCHEMES = {"hl7v2": ("mllp", "mllps"), "fhir": ("https", "http"), "webhook": ("https", "http")}
_ANSWER_SECRETS = ("fhir", "webhook")


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
        wrong += [f"feeds.{name}.{mistake}" for mistake in _wrong_answer(feed)]
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


def _wrong_answer(feed: Feed) -> Iterator[str]:
    """How the sender is told of outcomes: an address of the way chosen, and no key that would do nothing."""
    for key in ("answer_to", "answer_secret", "answer_ca"):
        if getattr(feed, key) and not feed.answer:
            yield f"{key}: has no effect without answer"
    if not feed.answer:
        return
    yield from _wrong_address(feed)
    if feed.answer == "webhook" and not feed.answer_secret:
        yield "answer_secret: a webhook needs the file of its HMAC key"
    if feed.answer_secret and feed.answer not in _ANSWER_SECRETS:
        yield f"answer_secret: has no effect with answer = {feed.answer}"
    if feed.answer_ca and urlsplit(feed.answer_to).scheme not in ("mllps", "https"):
        yield "answer_ca: has no effect without mllps:// or https://"
    if not feed.answer_states:
        yield "answer_states: an empty list tells nothing: leave it, or answer, out"
    for state in feed.answer_states:
        if state not in STATES:
            yield f"answer_states: {state} is no state of a case{nearest(state, STATES)}"


def _wrong_address(feed: Feed) -> Iterator[str]:
    if feed.answer == "file":
        if not Path(feed.answer_to).is_absolute():
            yield "answer_to: write the directory with its whole path"
        return
    schemes = _ANSWER_SCHEMES[feed.answer]
    try:
        to = urlsplit(feed.answer_to)
        usable = to.scheme in schemes and bool(to.hostname) and (to.port or to.scheme not in ("mllp", "mllps"))
    except ValueError:  # a port that is no number
        usable = False
    if not usable:
        shown = "mllp://host:port or mllps://host:port" if "mllp" in schemes else "https://host/path"
        yield f"answer_to: write {shown} for answer = {feed.answer}"
    elif to.username or to.password:
        yield "answer_to: addresses are written in logs: put the secret into the file of answer_secret"
