"""Who may ask: a static bearer token, or tokens by OAuth2 client credentials (RFC 6749 section 4.4)."""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

LIFETIME_SECONDS = 3_600


@dataclass(slots=True)
class Access:
    """`secret` is both the static bearer token and every client's secret; "" lets everybody in. Tokens given are
    forgotten with the process, as a restarted authority's would be."""

    secret: str = ""
    _ends: dict[str, float] = field(default_factory=dict)

    def allows(self, authorization: str) -> bool:
        """Whether a request with this Authorization header may pass."""
        if not self.secret:
            return True
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer":
            return False
        return _same(token, self.secret) or self._ends.get(token, 0.0) > time.monotonic()

    def give(self, authorization: str, body: bytes) -> tuple[int, Mapping[str, Any]]:
        """Answer a token request: HTTP status and JSON body."""
        form = {name: values[0] for name, values in parse_qs(body.decode("utf-8", "replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type"}
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            client, secret = _basic(authorization[6:])
        if not client or (self.secret and not _same(secret, self.secret)):
            return 401, {"error": "invalid_client"}
        token = secrets.token_urlsafe(24)
        self._ends[token] = time.monotonic() + LIFETIME_SECONDS
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": LIFETIME_SECONDS}

    def forget(self) -> None:
        """Every token given so far is worth nothing from now on."""
        self._ends.clear()


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())


def _basic(text: str) -> tuple[str, str]:
    try:
        client, _, secret = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return client, secret
