"""How the exchange platform's edge wants to know who asks: two variants seen at clients, unverified.

`basic`  Timestamp (milliseconds since 1970) and Authorization: Basic base64(user:digest), where the digest is the
         hexadecimal SHA-256 of url, user, timestamp and secret, one after the other.
`xroad`  X-Road-Client and ApiKey.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

from adapters.http_partner import read_secret
from gateway.ports.clock import Clock


class BasicEdge:
    """Headers of the variant `basic`, new for every request. The secret's file is read again when it was refused."""

    def __init__(self, url: str, user: str, secret: Path, clock: Clock) -> None:
        self._url, self._user, self._path, self._clock = url, user, secret, clock
        self._secret = read_secret(secret)

    def headers(self, fresh: bool) -> Mapping[str, str]:
        if fresh:
            self._secret = read_secret(self._path)
        timestamp = str(int(self._clock.now().timestamp() * 1000))
        digest = hashlib.sha256(f"{self._url}{self._user}{timestamp}{self._secret}".encode()).hexdigest()
        credentials = base64.b64encode(f"{self._user}:{digest}".encode()).decode()
        return {"Timestamp": timestamp, "Authorization": f"Basic {credentials}"}


class XRoadEdge:
    """Headers of the variant `xroad`. The key's file is read again when it was refused."""

    def __init__(self, client: str, secret: Path) -> None:
        self._client, self._path = client, secret
        self._key = read_secret(secret)

    def headers(self, fresh: bool) -> Mapping[str, str]:
        if fresh:
            self._key = read_secret(self._path)
        return {"X-Road-Client": self._client, "ApiKey": self._key}
