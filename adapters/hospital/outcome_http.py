"""Receivers of outcomes over HTTP: one partner for each address, so that a hospital that is down has its own breaker
and holds up no other."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from adapters.http_partner import EVIDENCE_BYTES, Bearer, HttpPartner, HttpReply
from gateway.errors import Misconfigured, Refused, SettingsError
from gateway.ports.hospital import Feed

MAX_BYTES = 1_000_000


class Receivers:
    """Partners by address, authority and token file. Safe to use from many threads."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, ...], HttpPartner] = {}
        self._lock = threading.Lock()
        weakref.finalize(self, _close_all, self._made)

    def post(
        self, feed: Feed, content: bytes, media_type: str, headers: Mapping[str, str] | None = None, *, token: str = ""
    ) -> HttpReply:
        """POST to `feed.answer_to`, with the bearer token of the file `token` if there is one. Only a 2xx comes back:
        raises Refused for other statuses, Misconfigured for files that cannot be read, and what HttpPartner raises."""
        address = urlsplit(feed.answer_to)
        path = (address.path or "/") + (f"?{address.query}" if address.query else "")
        try:
            partner = self._partner(f"{address.scheme}://{address.netloc}", feed.answer_ca, token)
            reply = partner.post(path, content, media_type, headers)
        except SettingsError as error:
            raise Misconfigured("answer.settings", error.message) from error
        if not 200 <= reply.status < 300:
            words = f"status {reply.status}: the hospital's system does not take this notice"
            raise Refused("answer.refused", words, reply.body[:EVIDENCE_BYTES])
        return reply

    def _partner(self, base: str, ca: str, token: str) -> HttpPartner:
        key = (base, ca, token)
        with self._lock:
            if key not in self._made:
                authorise = Bearer(Path(token)) if token else None
                self._made[key] = HttpPartner(
                    base, authorise=authorise, ca=Path(ca) if ca else None, max_bytes=MAX_BYTES
                )
            return self._made[key]


def _close_all(made: Mapping[tuple[str, ...], HttpPartner]) -> None:
    for partner in made.values():
        partner.close()
