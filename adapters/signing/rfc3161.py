"""A timestamp authority over HTTP (RFC 3161 section 3.4): asks, and checks the token before it is accepted.

A token is checked twice, by another implementation (rfc3161-client) and by the one that `hotich verify` uses for years
to come: what we put into a dossier has to hold there.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from adapters.http_partner import EVIDENCE_BYTES, HttpPartner, read_secret
from adapters.signing.own_certificates import load_certificates
from gateway.errors import Misconfigured, Misunderstood, Refused, SettingsError
from gateway.sealing.certificates import is_trusted
from gateway.sealing.timestamp import BrokenTimestamp, read_timestamp, timestamp_request

GRANTED = 0


class Rfc3161Authority:
    """ports.signing.TimestampAuthority over HTTP or HTTPS.

    `ca`: PEM file of the authorities that vouch for its tokens; `policy`: the policy to ask for and insist on (dotted),
    "" for the authority's own; `user` and the one line of `password_file`: HTTP Basic, when it wants them; `tls_ca`:
    PEM file for its HTTPS certificate, None for the machine's own.
    """

    def __init__(
        self,
        url: str,
        ca: Path,
        policy: str = "",
        user: str = "",
        password_file: Path | None = None,
        tls_ca: Path | None = None,
        timeout_seconds: float = 10.0,
    ) -> None:
        self.name = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
        self._roots = load_certificates(ca)
        self._policy = _object_identifier(policy)
        headers = _basic(user, password_file)
        self._partner = HttpPartner(
            url, headers=headers, ca=tls_ca, timeout_seconds=timeout_seconds, max_bytes=EVIDENCE_BYTES
        )

    def timestamp(self, digest: bytes) -> bytes:
        """A TimeStampToken (DER) over a SHA-256 digest, that those of `ca` vouch for.

        Raises Unreachable; Misconfigured (it does not take our name and password, or its token is nobody's that we
        trust); Refused (it says no); Misunderstood (anything else than the token we asked for).
        """
        nonce = secrets.randbits(63)
        policy = self._policy.dotted_string if self._policy else ""
        reply = self._partner.post("", timestamp_request(digest, nonce, policy), "application/timestamp-query")
        if reply.status != 200:
            raise Refused("timestamp.refused", f"status {reply.status}: the authority gives no timestamp", reply.body)
        return self._accepted(reply.body, digest, nonce)

    def close(self) -> None:
        """Close the connections."""
        self._partner.close()

    def _accepted(self, answer: bytes, digest: bytes, nonce: int) -> bytes:
        """The token in an answer, if it is the one we asked for."""
        try:
            response = decode_timestamp_response(answer)
            status = response.status
            token = response.time_stamp_token() if status == GRANTED else b""
        except ValueError as error:
            raise Misunderstood("timestamp.not_an_answer", "the answer is no timestamp response", answer) from error
        if status != GRANTED:
            raise Refused("timestamp.refused", f"PKIStatus {status}: the authority gives no timestamp", answer)
        try:
            stamp = read_timestamp(token)
        except BrokenTimestamp as error:
            raise Misunderstood("timestamp.broken", f"the timestamp does not hold: {error}", answer) from error
        if stamp.digest != digest or stamp.nonce != nonce:
            raise Misunderstood("timestamp.of_another", "the timestamp is of another question than ours", answer)
        if not is_trusted(list(stamp.chain), self._roots, stamp.at):
            words = "nobody in `ca` vouches for the timestamp; name the authority's root certificate there"
            raise Misconfigured("timestamp.not_trusted", words, answer)
        verifier = VerifierBuilder(policy_id=self._policy, roots=self._roots, nonce=nonce).build()
        try:
            verifier.verify(response, digest)
        except (VerificationError, ValueError) as error:
            raise Misunderstood("timestamp.broken", "the timestamp does not hold for rfc3161-client", answer) from error
        return token


def _object_identifier(policy: str) -> x509.ObjectIdentifier | None:
    try:
        return x509.ObjectIdentifier(policy) if policy else None
    except ValueError as error:
        raise SettingsError(
            "timestamp.policy", "timestamp.policy must be numbers with dots, such as 1.3.6.1"
        ) from error


def _basic(user: str, password_file: Path | None) -> Mapping[str, str]:
    """HTTP Basic (RFC 7617), as most authorities do it."""
    if not user or password_file is None:
        return {}
    pair = f"{user}:{read_secret(password_file)}".encode()
    return {"authorization": f"Basic {b64encode(pair).decode('ascii')}"}
