"""Outcomes by webhook: a signed POST of the notice as JSON.

`x-hotich-signature: t=<seconds since 1970>,v1=<hexadecimal HMAC-SHA-256 of "<t>." and the body>`; a receiver computes
the same, compares in constant time and refuses an old `t`. `idempotency-key` is the notice's key: the same key again is
the same notice. 2xx: taken; 4xx: not taken, a person looks; 5xx, 408, 425, 429: sent again later.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

from adapters.hospital.outcome_http import Receivers
from adapters.hospital.outcome_json import MEDIA_TYPE, write_json
from adapters.http_partner import read_secret
from gateway.domain.notice import OutcomeNotice
from gateway.errors import Misconfigured, SettingsError
from gateway.ports.clock import Clock
from gateway.ports.hospital import Feed


def sign(secret: str, at: int, body: bytes) -> str:
    """The header's value; `at` in seconds since 1970."""
    told = f"{at}.".encode() + body
    return f"t={at},v1={hmac.new(secret.encode(), told, hashlib.sha256).hexdigest()}"


class WebhookSender:
    """ports.hospital.OutcomeSender. The key is read for every notice: whoever changes it only writes the file."""

    way = "webhook"

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._receivers = Receivers()

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        """POST the notice; implements OutcomeSender."""
        try:
            secret = read_secret(Path(feed.answer_secret))
        except SettingsError as error:
            raise Misconfigured("answer.settings", error.message) from error
        body = write_json(notice)
        signature = sign(secret, int(self._clock.now().timestamp()), body)
        headers = {"x-hotich-signature": signature, "idempotency-key": notice.key}
        self._receivers.post(feed, body, MEDIA_TYPE, headers)
