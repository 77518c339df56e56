"""Sending a directory of example messages: each folder is a hospital that hands its files in over real sockets and
writes down what came back, whatever it was."""

from __future__ import annotations

import re
import socket
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.corpus_files import Parcel, may_be_silent, parcels_of

PATIENCE, SILENCE = 15.0, 1.0  # seconds: for an answer, for one that was not asked for
MEDIA = {"hl7v2": "application/hl7-v2", "moh": "application/xml"}
NO_ANSWER, CLOSED, SILENT = "no answer", "closed", "silent as asked"
_MSA = re.compile(rb"(?:\A|[\r\n\x0b])MSA[^\r\n](\w\w)")


@dataclass(slots=True)
class Answered:
    """A parcel, and what came back: an acknowledgement code, `HTTP` and a status, or none of them."""

    parcel: Parcel
    code: str
    acks: int = 0  # how many acknowledgements a whole file got


@dataclass(slots=True)
class Source:
    """One folder: its messages, and all that became of them."""

    name: str
    files: int = 0
    left: Counter[str] = field(default_factory=Counter)
    parcels: list[Parcel] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    relevance: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    recognised: list[dict[str, Any]] = field(default_factory=list)
    full: Counter[str] = field(default_factory=Counter)
    lost: list[str] = field(default_factory=list)

    def codes(self) -> Counter[str]:
        return Counter(answer.code for answer in self.answers)

    def broken(self) -> list[str]:
        """Answers that no sender should get: none, a closed line, a failure of ours, too few for a file of several."""
        alone = Counter(each.parcel.file for each in self.answers if each.parcel.number and each.code != SILENT)
        return [
            f"{each.parcel.file}#{each.parcel.number}: {each.code}, {each.acks} acknowledgements"
            for each in self.answers
            if each.code in (NO_ANSWER, CLOSED)
            or each.code.startswith("HTTP 5")
            or (each.parcel.way == "/hl7v2" and each.acks != alone[each.parcel.file])
        ]


def find_sources(directory: Path) -> list[Source]:
    """Each first-level folder with something to send."""
    found = []
    for folder in sorted(path for path in directory.iterdir() if path.is_dir()):
        source = Source(folder.name)
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            parcels = parcels_of(str(file.relative_to(directory)), file.read_bytes())
            source.files += bool(parcels)
            source.parcels += parcels
            if not parcels:
                source.left[file.suffix or file.name] += 1
        found.append(source)
    return [source for source in found if source.parcels]


class Hospital:
    """Sends one source's parcels, one after the other."""

    def __init__(self, source: Source, port: int, http: str, token: str) -> None:
        self.source, self.port = source, port
        self.client = httpx.Client(base_url=http, headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)
        self.line: socket.socket | None = None

    def send_all(self) -> None:
        for parcel in self.source.parcels:
            self.source.answers.append(self._frame(parcel) if parcel.way == "mllp" else self._post(parcel))
        self._hang_up()
        self.client.close()

    def _frame(self, parcel: Parcel) -> Answered:
        quiet = may_be_silent(parcel.raw)
        try:
            self.line = self.line or socket.create_connection(("127.0.0.1", self.port))
            self.line.settimeout(SILENCE if quiet else PATIENCE)
            self.line.sendall(b"\x0b" + parcel.raw + b"\x1c\r")
            answer = b""
            while not answer.endswith(b"\x1c\r"):
                part = self.line.recv(65_536)
                if not part:
                    raise ConnectionError
                answer += part
        except TimeoutError:
            self._hang_up()
            return Answered(parcel, SILENT if quiet else NO_ANSWER)
        except OSError:
            self._hang_up()
            return Answered(parcel, CLOSED)
        return Answered(parcel, *_acknowledged(answer))

    def _post(self, parcel: Parcel) -> Answered:
        format_ = parcel.way.split("/")[1]
        xml = parcel.raw.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<")
        media = MEDIA.get(format_) or ("application/fhir+xml" if xml else "application/fhir+json")
        try:
            answer = self.client.post(parcel.way, content=parcel.raw, headers={"Content-Type": media})
        except httpx.TimeoutException:
            return Answered(parcel, NO_ANSWER)
        except httpx.TransportError:
            return Answered(parcel, CLOSED)
        return Answered(parcel, f"HTTP {answer.status_code}", len(_MSA.findall(answer.content)))

    def _hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
        self.line = None


def _acknowledged(answer: bytes) -> tuple[str, int]:
    found = _MSA.search(answer)
    return (found[1].decode() if found else "no MSA"), 1
