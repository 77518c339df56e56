"""The national population database (CSDLQG về dân cư) behind the exchange platform, over SOAP 1.1.

What is known of it is second-hand (DOMAIN section 6), so whatever may differ between two installations is an option.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from adapters.http_partner import Authorise, HttpPartner, HttpReply
from adapters.population.dancu_fault import to_error, to_status_error
from adapters.population.dancu_question import Question, to_question
from adapters.population.dancu_record import Tables, to_answer
from adapters.population.soap_edge import BasicEdge, XRoadEdge
from adapters.population.soap_envelope import (
    MEDIA_TYPE,
    FaultSaid,
    find_fault,
    read_exists,
    read_records,
    write_request,
)
from gateway.domain.identity import PersonQuery, PopulationAnswer
from gateway.errors import Misunderstood, SettingsError
from gateway.ports.clock import Clock

LOOKUP, VERIFY = "TraCuuThongTinCongDan", "XacThucThongTinCongDan"
MAX_BYTES = 1_000_000
"""One person's record is a few kilobytes."""


class SoapPopulation:
    """ports.population.PopulationDatabase. Safe to share by threads.

    `officer` is MaCanBo, `integration` MaTichHop, `service` MaDVC (empty: the code of the procedure that is asked for);
    `agency`, `account` and `phone` (MaDonVi, TaiKhoan, SoDienThoai) are sent when set. `operation` VERIFY asks only
    whether such a person exists: the answer then holds nothing but what was asked, and `integration` is another one
    (003 at one client). `edge` says how we are known (soap_edge): `basic` needs `user`, `xroad` needs `client`;
    `secret` is the file of the secret or key.
    """

    name = "soap"

    def __init__(
        self,
        url: str,
        officer: str,
        secret: Path,
        table: Tables,
        clock: Clock,
        *,
        service: str = "",
        operation: str = LOOKUP,
        integration: str = "037",
        agency: str = "",
        account: str = "",
        phone: str = "",
        edge: Literal["basic", "xroad"] = "basic",
        user: str = "",
        client: str = "",
        headers: Mapping[str, str] | None = None,
        ca: Path | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
        timeout_seconds: float = 10.0,
        breaker_failures: int = 5,
        breaker_seconds: float = 30.0,
    ) -> None:
        if operation not in (LOOKUP, VERIFY):
            raise SettingsError("settings.wrong", f"population.operation must be {LOOKUP} or {VERIFY}")
        self._operation, self._table = operation, table
        self._service = service
        self._codes = (
            ("MaTichHop", integration), ("MaCanBo", officer), ("MaDonVi", agency), ("TaiKhoan", account),
            ("SoDienThoai", phone),
        )  # fmt: skip
        self._path = "/" if url.endswith("/") else ""  # the partner's own address ends without one
        self._partner = HttpPartner(
            url,
            headers={"SOAPAction": '""', **(headers or {})},
            authorise=_authorise(edge, url, user, client, secret, clock),
            ca=ca,
            certificate=certificate,
            key=key,
            timeout_seconds=timeout_seconds,
            max_bytes=MAX_BYTES,
            breaker_failures=breaker_failures,
            breaker_seconds=breaker_seconds,
            # SOAP 1.1 section 6.2: a fault comes with status 500; it says that the partner is there.
            is_answer=lambda reply: reply.status == 500 and find_fault(reply.body) is not None,
        )

    def lookup(self, query: PersonQuery) -> PopulationAnswer:
        """Ask about one person by number. The evidence is the reply as it came.

        Raises Unreachable; Refused (no usable number, the question is refused); Misconfigured (we may not ask);
        Misunderstood (no such reply, several persons, another person).
        """
        question = to_question(query)
        reply = self._ask(question)
        try:
            if self._operation == LOOKUP:
                return to_answer(question, read_records(reply.body), reply.body, self._table)
            exists = read_exists(reply.body)
        except FaultSaid as fault:
            raise to_error(fault.code, self._table("dancu_faults"), reply.body) from None
        except ValueError:
            if reply.status != 200:
                raise to_status_error(reply.status, reply.body) from None
            words = "the answer is not that of a population service"
            raise Misunderstood("population.not_an_answer", words, reply.body) from None
        return PopulationAnswer(question.asked_about(query) if exists else None, reply.body)

    def _ask(self, question: Question) -> HttpReply:
        codes = (("MaDVC", self._service or question.procedure), *self._codes)
        envelope = write_request(self._operation, codes, question)
        return self._partner.post(self._path, envelope, MEDIA_TYPE)

    def close(self) -> None:
        """Close the connections."""
        self._partner.close()


def _authorise(edge: str, url: str, user: str, client: str, secret: Path, clock: Clock) -> Authorise:
    if edge == "basic" and user:
        return BasicEdge(url, user, secret, clock)
    if edge == "xroad" and client:
        return XRoadEdge(client, secret)
    words = 'population.edge must be "basic", with population.user, or "xroad", with population.client'
    raise SettingsError("settings.wrong", words)
