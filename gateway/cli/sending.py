"""A small sender of messages, as a hospital system: MLLP over TCP, or HTTP POST. For `hotich send` and the demo."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import httpx
import orjson

from gateway.errors import Misunderstood, SettingsError, Unreachable, UnreadableMessage
from gateway.mapping.safe_xml import local_name, parse_xml

START, END = b"\x0b", b"\x1c\r"
MEDIA = {"hl7v2": "application/hl7-v2", "fhir": "application/fhir+json", "moh": "application/xml"}
PATIENCE = 30.0
"""Seconds to wait for an answer."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """The answer: `code` is AA, AE, AR (CA, CE, CR) or the HTTP status; `taken` whether the message was accepted."""

    code: str
    taken: bool
    body: bytes


def target(address: str) -> SplitResult:
    """The address of `--to`. Raises SettingsError when it is neither mllp:// nor http(s)://."""
    to = urlsplit(address)
    if to.scheme not in ("mllp", "http", "https") or not to.hostname or (to.scheme == "mllp" and to.port is None):
        raise SettingsError("use.address", f"--to {address}: write mllp://host:port or http://host:port[/path]")
    return to


def send_mllp(host: str, port: int, messages: list[bytes]) -> list[Receipt]:
    """Send over one connection, each message after the last one's answer. Raises Unreachable or Misunderstood."""
    try:
        with socket.create_connection((host, port), PATIENCE) as line:
            return [_exchange(line, message) for message in messages]
    except OSError as error:
        raise Unreachable("send.unreachable", f"mllp://{host}:{port}: {error.strerror or error}") from error


def _exchange(line: socket.socket, message: bytes) -> Receipt:
    line.sendall(START + message + END)
    answer = bytearray()
    while not answer.endswith(END):
        received = line.recv(65_536)
        if not received:
            raise Unreachable("send.closed", "the connection was closed before an answer came")
        answer += received
    body = bytes(answer).removeprefix(START).removesuffix(END)
    code = ack_code(body)
    return Receipt(code, code in ("AA", "CA"), body)


def ack_code(answer: bytes) -> str:
    """MSA-1 of an acknowledgement (HL7 v2 chapter 2.9). Raises Misunderstood when there is no MSA segment."""
    for segment in answer.replace(b"\n", b"\r").split(b"\r"):
        if segment.startswith(b"MSA"):
            return segment[4:].split(segment[3:4])[0].decode("ascii", "replace")
    raise Misunderstood("send.no_msa", "the answer has no MSA segment")


def send_http(url: str, format: str, message: bytes, token: str | None, client: httpx.Client) -> Receipt:
    """POST one message; a URL without a path gets the one of the format. Raises Unreachable."""
    media = "application/fhir+xml" if format == "fhir" and _is_xml(message) else MEDIA[format]
    headers = {"Content-Type": media} | ({"Authorization": f"Bearer {token}"} if token else {})
    if urlsplit(url).path in ("", "/"):
        url = url.rstrip("/") + _path(format, message)
    try:
        answer = client.post(url, content=message, headers=headers, timeout=PATIENCE)
    except httpx.TransportError as error:
        raise Unreachable("send.unreachable", f"{url}: {type(error).__name__}") from error
    return Receipt(str(answer.status_code), answer.is_success, answer.content)


def _is_xml(message: bytes) -> bool:
    return message.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def _path(format: str, message: bytes) -> str:
    """FHIR resources other than a Bundle go to the path of their type."""
    if format != "fhir":
        return f"/{format}"
    try:
        if _is_xml(message):
            kind = local_name(parse_xml(message))
        else:
            kind = orjson.loads(message.removeprefix(b"\xef\xbb\xbf")).get("resourceType", "Bundle")
    except (orjson.JSONDecodeError, AttributeError, UnreadableMessage):
        kind = "Bundle"  # not readable: let the gateway say so
    return "/fhir" if kind == "Bundle" else f"/fhir/{kind}"
