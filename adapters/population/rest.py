"""A provincial platform's JSON over the national population database, with OAuth2 client credentials.

The request's fields are those of one province's platform, second-hand. The reply is not documented anywhere we know: it
is read as the SOAP reply's elements in lower camel case (`congdanCollection.congDan.soDinhDanh`), also inside `body`
or `envelope.body`, capitals not counting. All of it unverified: try it with the platform before use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adapters.http_partner import HttpPartner, OAuth2
from adapters.population.dancu_fault import to_error, to_status_error
from adapters.population.dancu_question import Question, to_question
from adapters.population.dancu_record import Record, Tables, to_answer
from gateway.domain.identity import PersonQuery, PopulationAnswer
from gateway.errors import Misunderstood

MAX_BYTES = 1_000_000
"""One person's record is a few kilobytes."""


class RestPopulation:
    """ports.population.PopulationDatabase. Safe to share by threads.

    `officer` is maCanBo, `account` userNameService, `service` maDVC (empty: the code of the procedure that is asked
    for). The token comes from `token_url` for `client_id` and the secret in the file `secret`.
    """

    name = "rest"

    def __init__(
        self,
        url: str,
        officer: str,
        token_url: str,
        client_id: str,
        secret: Path,
        table: Tables,
        *,
        service: str = "",
        account: str = "",
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        timeout_seconds: float = 10.0,
        breaker_failures: int = 5,
        breaker_seconds: float = 30.0,
    ) -> None:
        self._service, self._codes = service, {"maCanBo": officer, "userNameService": account}
        self._table = table
        self._path = "/" if url.endswith("/") else ""  # the partner's own address ends without one
        self._partner = HttpPartner(
            url,
            headers=headers,
            authorise=OAuth2(token_url, client_id, secret, scope, ca),
            ca=ca,
            certificate=certificate,
            key=key,
            timeout_seconds=timeout_seconds,
            max_bytes=MAX_BYTES,
            breaker_failures=breaker_failures,
            breaker_seconds=breaker_seconds,
        )

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        """Ask about one person by number. The evidence is the reply as it came.

        Raises Unreachable; Refused (no usable number, the question is refused); Misconfigured (we may not ask);
        Misunderstood (no such reply, several persons, another person).
        """
        question = to_question(query)
        reply = self._partner.post(self._path, json.dumps(self._fields(question)).encode(), "application/json")
        said = _read(reply.body)
        if code := _fault_code(said):
            raise to_error(code, self._table("dancu_faults"), reply.body)
        if reply.status != 200:
            raise to_status_error(reply.status, reply.body)
        records = _records(said)
        if records is None:
            words = "the answer is not that of a population service"
            raise Misunderstood("population.not_an_answer", words, reply.body)
        return to_answer(question, records, reply.body, self._table)

    def _fields(self, question: Question) -> dict[str, str]:
        fields = {
            "maYeuCau": question.request_id,
            "maDVC": self._service or question.procedure,
            **self._codes,
            "soDinhDanh": question.personal_id,
            "soCMND": question.cmnd,
            "hoVaTen": question.name,
            "ngayThangNam": question.born,
        }
        return {name: text for name, text in fields.items() if text}

    def close(self) -> None:
        """Close the connections."""
        self._partner.close()


def _read(raw: bytes) -> Any:
    """The JSON with names of members in lower case; None for what is none, two members of a name included."""
    try:
        return json.loads(raw, object_pairs_hook=_members)
    except (ValueError, RecursionError):
        return None


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = {name.lower(): value for name, value in pairs}
    if len(members) != len(pairs):
        raise ValueError("two members of a name")
    return members


def _fault_code(said: Any) -> str:
    """The code of a fault in the answer, "" without one."""
    fault = _within(said).get("fault")
    return str(fault.get("faultcode") or "") if isinstance(fault, dict) else ""


def _records(said: Any) -> list[Record] | None:
    """The persons of an answer; None when it is no answer."""
    collection = _within(said).get("congdancollection")
    if not isinstance(collection, dict):
        return None
    persons = collection.get("congdan")
    found = persons if isinstance(persons, list) else [persons] if persons else []
    return found if all(isinstance(person, dict) and person for person in found) else None


def _within(said: Any) -> dict[str, Any]:
    """What is inside the envelope, when there is one."""
    for wrapping in ("envelope", "body"):
        if isinstance(said, dict) and isinstance(said.get(wrapping), dict):
            said = said[wrapping]
    return said if isinstance(said, dict) else {}
