"""A partner over HTTP (population platform, civil-status exchange, timestamp authority, hospital): one pool of
connections, one breaker, and every failure as one of the port's exceptions.

Seconds are handled here: a connection that was refused is tried again at once (tenacity), because nothing was sent; a
partner that fails again and again is left alone for a while (purgatory), so that those who wait for it do not hold the
worker's threads. Minutes to days are the lanes' affair.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import httpx
from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from gateway.errors import Misconfigured, Misunderstood, Refused, SettingsError, Unreachable

CONNECT_TRIES = 3
CONNECTIONS = 32
EVIDENCE_BYTES = 65_536
"""So much of an answer that we cannot use is kept as evidence."""


@dataclass(frozen=True, slots=True)
class HttpReply:
    """An answer. Names of `headers` are lower case; `media_type` without its parameters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()


class Authorise(Protocol):
    """Who we are, as headers."""

    def headers(self, fresh: bool) -> Mapping[str, str]:
        """The headers of a request. `fresh`: what was sent last was refused; get new ones if there are any."""
        ...


class HttpPartner:
    """Requests to one base address. Safe to use from many threads."""

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        authorise: Authorise | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        timeout_seconds: float = 10.0,
        max_bytes: int = 20_000_000,
        breaker_failures: int = 5,
        breaker_seconds: float = 30.0,
        is_answer: Callable[[HttpReply], bool] = lambda _reply: False,
    ) -> None:
        """`is_answer`: replies that the caller reads whatever their status (SOAP 1.1 sends its faults with 500). Raises
        SettingsError."""
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc:
            raise SettingsError("settings.not_a_url", "a partner's url must begin with http:// or https:// and a host")
        self._url = url.rstrip("/")
        self._authorise = authorise
        self._max_bytes = max_bytes
        self._seconds = timeout_seconds
        self._is_answer = is_answer
        self._breaker_seconds = breaker_seconds
        self._client = httpx.Client(
            headers={"accept-encoding": "identity", **(headers or {})},
            verify=tls_context(ca, certificate, key),
            timeout=timeout_seconds,
            limits=httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS),
            trust_env=False,
        )
        factory = SyncCircuitBreakerFactory(breaker_failures, breaker_seconds)
        self._breaker = factory.get_breaker(self._url)
        self._breaker_lock, self._probe = threading.Lock(), threading.Lock()

    def post(self, path: str, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> HttpReply:
        """POST to the base address and `path`.

        Raises Unreachable (no connection, time-out, cut off, 429, 5xx, breaker open), Misconfigured (401, 403),
        Misunderstood (an answer too large or one that sends us elsewhere). Other statuses are the caller's to read.
        """
        return self._ask("POST", path, content, {"content-type": media_type, **(headers or {})})

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> HttpReply:
        """GET; raises as `post` does."""
        return self._ask("GET", path, None, dict(headers or {}))

    def close(self) -> None:
        """Close the connections, the token's own included."""
        self._client.close()
        if isinstance(self._authorise, OAuth2):
            self._authorise.close()

    def _ask(self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]) -> HttpReply:
        with self._guarded():
            reply = self._once(method, path, content, headers, fresh=False)
            if reply.status == httpx.codes.UNAUTHORIZED and self._authorise is not None:
                reply = self._once(method, path, content, headers, fresh=True)
            return reply if self._is_answer(reply) else _judged(reply)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        """The breaker: after so many failures in a row nobody asks for a while, then one does."""
        probing = False
        with self._breaker_lock:
            try:
                self._breaker.__enter__()
            except OpenedState:
                raise self._open() from None
            if self._breaker.context.state != "closed":
                probing = self._probe.acquire(blocking=False)
                if not probing:
                    raise self._open()
        try:
            yield
        except Unreachable as error:
            self._leave(error)
            raise
        except BaseException:
            self._leave(None)  # a partner that says no, or nonsense, is there
            raise
        else:
            self._leave(None)
        finally:
            if probing:
                self._probe.release()

    def _leave(self, error: Unreachable | None) -> None:
        with self._breaker_lock:
            self._breaker.__exit__(type(error) if error else None, error, None)

    def _open(self) -> Unreachable:
        words = "the partner failed several times in a row and is left alone for a while"
        return Unreachable("partner.circuit_open", words, retry_after=self._breaker_seconds)

    def _once(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str], *, fresh: bool
    ) -> HttpReply:
        own = self._authorise.headers(fresh) if self._authorise else {}
        request = self._client.build_request(method, self._url + path, content=content, headers={**headers, **own})
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(httpx.ConnectError),
                stop=stop_after_attempt(CONNECT_TRIES),
                wait=wait_random_exponential(0.05, 0.5),
                reraise=True,
            ):
                with attempt:
                    return self._read(request)
        except httpx.TimeoutException as error:
            raise Unreachable("partner.timeout", f"no answer within {self._seconds:g} s") from error
        except httpx.HTTPError as error:
            # The text may hold the address with its query; the type says enough.
            raise Unreachable("partner.unreachable", f"no answer: {type(error).__name__}") from error
        raise AssertionError("tenacity raises what was raised last")

    def _read(self, request: httpx.Request) -> HttpReply:
        """The answer, cut off where it is longer or slower than it may be."""
        end = time.monotonic() + 3 * self._seconds
        response = self._client.send(request, stream=True)
        try:
            if response.headers.get("content-encoding", "identity").lower() != "identity":
                # Nobody asked for it, and a few kilobytes can unzip to gigabytes.
                raise Misunderstood("partner.compressed", "the answer is compressed, which was not asked for")
            body = bytearray()
            for part in response.iter_raw():
                body += part
                if len(body) > self._max_bytes:
                    words = f"the answer is longer than {self._max_bytes} bytes"
                    raise Misunderstood("partner.too_large", words, bytes(body[:EVIDENCE_BYTES]))
                if time.monotonic() > end:
                    raise Unreachable("partner.timeout", "the answer trickles in too slowly")
        finally:
            response.close()
        return HttpReply(response.status_code, {k.lower(): v for k, v in response.headers.items()}, bytes(body))


def _judged(reply: HttpReply) -> HttpReply:
    """The answer, unless its status alone says that there is none."""
    evidence = reply.body[:EVIDENCE_BYTES]
    if reply.status in (401, 403):
        words = f"status {reply.status}: the partner does not take our credentials, address or rights"
        raise Misconfigured("partner.unauthorised", words, evidence)
    if reply.status in (408, 425, 429) or reply.status >= 500:
        words = f"status {reply.status}: the partner cannot answer now"
        raise Unreachable("partner.busy", words, evidence, retry_after=_retry_after(reply))
    if 300 <= reply.status < 400:
        raise Misunderstood("partner.redirects", f"status {reply.status}: the partner sends us elsewhere", evidence)
    return reply


def _retry_after(reply: HttpReply) -> float:
    """Seconds of a Retry-After header (RFC 9110 section 10.2.3), at most an hour; dates are not followed."""
    text = reply.headers.get("retry-after", "")
    return min(float(text), 3_600.0) if text.isascii() and text.isdigit() else 0.0


def tls_context(ca: Path | None, certificate: Path | None, key: Path | None) -> ssl.SSLContext:
    """How a partner's certificate is checked, and ours shown. Raises SettingsError for files that are none."""
    try:
        context = ssl.create_default_context(cafile=str(ca) if ca else None)
        if certificate is not None:
            context.load_cert_chain(str(certificate), str(key) if key else None)
    except (OSError, ssl.SSLError) as error:
        named = ", ".join(str(path) for path in (ca, certificate, key) if path)
        raise SettingsError("settings.tls_unusable", f"{named}: {error.strerror or 'not PEM'}") from error
    return context


def read_secret(path: Path) -> str:
    """The one line of a secret's file. Raises SettingsError naming the file."""
    try:
        text = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError("settings.secret_missing", f"{path} cannot be read: {error.strerror}") from error
    if not text:
        raise SettingsError("settings.secret_missing", f"{path} is empty")
    return text


class Bearer:
    """A token from a file, read again when it was refused: whoever renews it only writes the file."""

    def __init__(self, secret: Path) -> None:
        self._path, self._token = secret, read_secret(secret)

    def headers(self, fresh: bool) -> Mapping[str, str]:
        if fresh:
            self._token = read_secret(self._path)
        return {"authorization": f"Bearer {self._token}"}


class OAuth2:
    """Client credentials (RFC 6749 section 4.4), the token kept until shortly before it ends or is refused."""

    EARLY_SECONDS = 30.0

    def __init__(self, token_url: str, client_id: str, secret: Path, scope: str = "", ca: Path | None = None) -> None:
        address = urlsplit(token_url)
        self._partner = HttpPartner(f"{address.scheme}://{address.netloc}", ca=ca, max_bytes=100_000)
        self._path = address.path + (f"?{address.query}" if address.query else "")
        self._client_id, self._secret, self._scope = client_id, secret, scope
        read_secret(secret)
        self._lock = threading.Lock()
        self._token, self._ends = "", 0.0
        self._used = threading.local()

    def headers(self, fresh: bool) -> Mapping[str, str]:
        with self._lock:
            # Threads whose token was refused together ask for one new token, not for one each.
            refused = fresh and getattr(self._used, "token", "") == self._token
            if refused or time.monotonic() > self._ends:
                self._renew()
            self._used.token = self._token
            return {"authorization": f"Bearer {self._token}"}

    def close(self) -> None:
        """Close the connections."""
        self._partner.close()

    def _renew(self) -> None:
        form = {"grant_type": "client_credentials", "client_id": self._client_id}
        form |= {"client_secret": read_secret(self._secret)} | ({"scope": self._scope} if self._scope else {})
        content = str(httpx.QueryParams(form)).encode()
        try:
            reply = self._partner.post(self._path, content, "application/x-www-form-urlencoded")
        except Refused as error:
            raise Misconfigured("partner.no_token", "the authority refuses us a token", error.evidence) from error
        self._token, seconds = _token_of(reply)
        self._ends = time.monotonic() + max(seconds - self.EARLY_SECONDS, seconds / 2)


def _token_of(reply: HttpReply) -> tuple[str, float]:
    """Token and seconds it lasts (RFC 6749 section 5.1; an hour when it does not say)."""
    if reply.status != 200:
        words = f"status {reply.status}: the authority refuses us a token"
        raise Misconfigured("partner.no_token", words, reply.body[:EVIDENCE_BYTES])
    try:
        told: Any = json.loads(reply.body)
        return str(told["access_token"]), float(told.get("expires_in", 3_600))
    except (ValueError, KeyError, TypeError) as error:
        raise Misunderstood("partner.not_a_token", "the answer is no token", reply.body[:EVIDENCE_BYTES]) from error
