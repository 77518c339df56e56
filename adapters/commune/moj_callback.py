"""Calls of the civil-status exchange, or of the hub before it, about a dossier: capNhatTrangThaiHoSoDVCLT.

How a call is signed is in no source. Here it is HMAC-SHA256 over `<t>.<body>` with a secret both sides have, in the
header `x-hotich-signature: t=<unix seconds>,v1=<hexadecimal>`; several `v1` may stand there while a secret is changed.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

import orjson

from adapters.commune.moj_result import read_outcome
from adapters.commune.moj_wire import Tables
from gateway.errors import PortError, Refused, UnreadableMessage
from gateway.ports.commune import Callback

SIGNATURE = "x-hotich-signature"
LONGEST_SECONDS = 300
"""A call older than this, or so far ahead of our clock, is not taken."""

_TIME = re.compile(r"\d{1,12}", re.ASCII)


def check_signature(headers: Mapping[str, str], body: bytes, secret: bytes, now: datetime) -> str:
    """Check a call; the key that is the same for the same call. Raises Refused for one that is not the partner's."""
    parts = [part.strip().partition("=") for part in headers.get(SIGNATURE, "").split(",")]
    times = [text for name, _, text in parts if name == "t"]
    signatures = [text.lower().encode() for name, _, text in parts if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]) or not signatures:
        raise Refused("callback.unsigned", f"the call has no header {SIGNATURE}: t=<seconds>,v1=<signature>")
    signed = times[0].encode() + b"." + body
    expected = hmac.new(secret, signed, sha256).hexdigest().encode()
    # Every one is compared, so that the time taken tells nothing about which was close.
    if not any([hmac.compare_digest(expected, each) for each in signatures]):  # noqa: C419
        raise Refused("callback.wrong_signature", "the call is not signed with our secret")
    if abs(now.timestamp() - int(times[0])) > LONGEST_SECONDS:
        raise Refused(
            "callback.too_old", f"the call was signed more than {LONGEST_SECONDS} s ago, or ahead of our clock"
        )
    return sha256(signed).hexdigest()


def read_call(body: bytes, key: str, tables: Tables) -> Callback:
    """What a call says. Raises UnreadableMessage when it makes no sense, and for a registration without its result:
    that would wipe out a result told before, and asking brings it."""
    told = _object(body)
    code = told.get("maHoSo")
    if not isinstance(code, str) or not code.strip():
        raise UnreadableMessage("callback.unreadable", "maHoSo", "the call names no dossier")
    try:
        outcome = read_outcome(told, code.strip(), tables, b"", "callback")
    except PortError as error:
        raise UnreadableMessage("callback.unreadable", "trangThai, ketQuaXuLy", error.message) from error
    if outcome.state == "registered" and not outcome.result:
        raise UnreadableMessage("callback.no_result", "ketQuaXuLy", "the call tells a registration without its result")
    return Callback(outcome.reference, outcome, key)


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        raise UnreadableMessage("callback.unreadable", "body", "the call is no JSON object")
    return told
