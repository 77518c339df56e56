"""The envelopes of the SOAP client: what it sends, and what it makes of each kind of reply."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.population.soap import VERIFY, SoapPopulation
from adapters.population.soap_envelope import read_records
from gateway.domain.dates import PartialDate
from gateway.domain.identity import PersonQuery, PopulationAnswer, Verdict, decide_verdict
from gateway.domain.person import Person, PersonName
from gateway.errors import Misconfigured, Misunderstood, PortError, Refused, SettingsError, Unreachable
from gateway.plugins import make
from gateway.ports.clock import SystemClock
from gateway.testing.hostile_http import HostileServer, Response
from gateway.testing.population import KNOWN, question
from tests.population_world import (
    citizen,
    in_envelope,
    is_signed,
    secret_file,
    soap_asked,
    soap_client,
    soap_fault,
    soap_reply,
    table,
    verify_reply,
)

QUERY = replace(question(personal_id=KNOWN.personal_id), purpose="1.000656 Đăng ký khai tử")


class Asking:
    """Asks the server one question and keeps what it was sent. A client is made once for each set of options."""

    def __init__(self, server: HostileServer, secret: Path) -> None:
        self.server, self.secret = server, secret
        self.clients: dict[str, SoapPopulation] = {}

    def __call__(self, reply: Response, query: PersonQuery = QUERY, **options: Any) -> PopulationAnswer:
        self.server.answer = lambda _request: reply
        return self.client(**options).lookup(query)

    def client(self, **options: Any) -> SoapPopulation:
        given = {"url": self.server.url, "secret": self.secret, "breaker_failures": 1_000} | options
        key = repr(options)
        if key not in self.clients:
            self.clients[key] = soap_client(**given)
        return self.clients[key]

    def failure(self, reply: Response, **options: Any) -> PortError:
        with pytest.raises(PortError) as caught:
            self(reply, **options)
        return caught.value

    @property
    def sent(self) -> tuple[str, dict[str, Any]]:
        return soap_asked(self.server.requests[-1])


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asking]:
    with HostileServer(lambda _request: soap_reply()) as server:
        asking = Asking(server, secret_file(tmp_path_factory.mktemp("soap")))
        yield asking
        for client in asking.clients.values():
            client.close()


def test_a_lookup_asks_only_what_finds_the_person(ask: Asking) -> None:
    ask(soap_reply())
    assert ask.sent == (
        "TraCuuThongTinCongDan",
        {
            "MaYeuCau": "request-1",
            "MaDVC": "1.001193",
            "MaTichHop": "037",
            "MaCanBo": "999099000001",
            "SoDinhDanh": KNOWN.personal_id,
            "HoVaTen": "ĐẶNG THỊ THÚY HÒA",
            "NgayThangNamSinh": {"NgayThangNam": "19960409"},
        },
    )


def test_an_old_number_and_a_year_alone_are_asked_as_such(ask: Asking) -> None:
    name = PersonName("K'", "", unicodedata.normalize("NFD", "Brễu & <Con>"))
    ask(soap_reply(), question(cmnd=KNOWN.cmnd, name=name, born=PartialDate(1950)))
    _operation, fields = ask.sent
    assert fields["SoCMND"] == KNOWN.cmnd
    assert "SoDinhDanh" not in fields
    assert fields["NgayThangNamSinh"] == {"Nam": "1950"}
    assert fields["HoVaTen"] == unicodedata.normalize("NFC", "K' BRỄU & <CON>")


def test_what_is_not_known_is_left_out(ask: Asking) -> None:
    ask(soap_reply(), question(personal_id=KNOWN.personal_id, name=None, born=None))
    assert not {"HoVaTen", "NgayThangNamSinh"} & set(ask.sent[1])


def test_without_a_service_of_its_own_the_procedure_of_the_case_is_the_purpose(ask: Asking) -> None:
    ask(soap_reply(), service="", agency="H21.30", account="hotich", phone="0")
    fields = ask.sent[1]
    assert fields["MaDVC"] == "1.000656"
    assert (fields["MaDonVi"], fields["TaiKhoan"], fields["SoDienThoai"]) == ("H21.30", "hotich", "0")


def test_the_basic_edge_signs_each_request_with_its_time(ask: Asking) -> None:
    ask(soap_reply())
    assert is_signed(ask.server.requests[-1], ask.server.url)


def test_a_service_whose_address_ends_with_a_slash_is_asked_there(ask: Asking) -> None:
    address = f"{ask.server.url}/vdxp/dancu/"
    ask(soap_reply(), url=address)
    request = ask.server.requests[-1]
    assert request.path == "/vdxp/dancu/"
    assert is_signed(request, address)


def test_the_x_road_edge_names_the_client_and_shows_the_key(ask: Asking, tmp_path: Path) -> None:
    xroad = {"edge": "xroad", "client": "VN/GOV/999/HOTICH", "secret": secret_file(tmp_path, "khoa-999")}
    ask(soap_reply(), user="", headers={"X-Road-Represented-Party": "P9"}, **xroad)
    headers = ask.server.requests[-1].headers
    assert headers["x-road-client"] == "VN/GOV/999/HOTICH"
    assert headers["apikey"] == "khoa-999"
    assert headers["x-road-represented-party"] == "P9"
    assert "authorization" not in headers


@pytest.mark.parametrize(("edge", "user", "client"), [("basic", "", "C"), ("xroad", "U", ""), ("other", "U", "C")])
def test_an_edge_without_what_it_needs_does_not_start(ask: Asking, edge: str, user: str, client: str) -> None:
    with pytest.raises(SettingsError, match=r"population\.edge"):
        soap_client(ask.server.url, ask.secret, edge=edge, user=user, client=client)


def test_an_unknown_operation_does_not_start(ask: Asking) -> None:
    with pytest.raises(SettingsError, match=r"population\.operation"):
        soap_client(ask.server.url, ask.secret, operation="XoaCongDan")


def test_it_is_made_from_a_settings_table(ask: Asking) -> None:
    options = {"url": ask.server.url, "officer": "999099000001", "secret": "secret", "user": "u", "timeout_seconds": 2}
    offered = {"table": table, "clock": SystemClock(), "name": "population"}
    client = make("population", SoapPopulation, options, offered, ask.secret.parent)
    ask.server.answer = lambda _request: soap_reply(citizen(KNOWN))
    assert client.lookup(QUERY).person.personal_id == KNOWN.personal_id
    client.close()


def test_the_evidence_is_the_reply_as_it_came(ask: Asking) -> None:
    for reply in (soap_reply(citizen(KNOWN)), soap_reply()):
        assert ask(reply).evidence == reply.body


def test_a_reply_about_nobody_is_not_found_and_no_error(ask: Asking) -> None:
    nobody = (
        '<n:CongdanCollection xmlns:n="http://www.mic.gov.vn/dancu/1.0"><n:CongDan/><!-- 0 --></n:CongdanCollection>'
    )
    for reply in (soap_reply(), Response(200, in_envelope(nobody), "text/xml")):
        assert ask(reply).person is None


def test_relatives_come_through_the_wire(ask: Asking) -> None:
    spouse = {"HoVaTen": {"Ho": "", "ChuDem": "", "Ten": "NGUYỄN VĂN AN"}, "SoDinhDanh": "999094000033"}
    assert ask(soap_reply(citizen(KNOWN, VoChong=spouse))).relatives["spouse"].personal_id == "999094000033"


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("soapenv:Server", Unreachable),
        ("soapenv:Server.ServerProxy.ServiceFailed.Timeout", Unreachable),
        ("soapenv:Server.ServerProxy.AccessDenied", Misconfigured),
        ("Server.ClientProxy.UnknownMember", Misconfigured),
        ("soapenv:VersionMismatch", Misconfigured),
        ("004", Misconfigured),
        ("005", Misconfigured),
        ("soapenv:Client", Refused),
        ("soapenv:Client.BadRequest", Refused),
        ("ns:Chua.Biet", Refused),
        ("", Refused),
    ],
)
@pytest.mark.parametrize("status", [200, 500, 400])
def test_a_fault_means_what_its_code_says_whatever_the_status(
    ask: Asking, code: str, meaning: type[PortError], status: int
) -> None:
    error = ask.failure(soap_fault(code, "Không tìm thấy ĐẶNG THỊ THÚY HÒA", status))
    assert type(error) is meaning
    assert "HÒA" not in str(error)
    assert "HÒA".encode() in error.evidence


@pytest.mark.parametrize(("status", "meaning"), [(404, Misconfigured), (405, Misconfigured), (400, Refused)])
def test_another_status_is_a_no(ask: Asking, status: int, meaning: type[PortError]) -> None:
    assert type(ask.failure(Response(status, b"no", "text/plain"))) is meaning


COLLECTION = '<n:CongdanCollection xmlns:n="http://www.mic.gov.vn/dancu/1.0"/>'
BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]>'
    b'<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>&b;</Body></Envelope>'
)
ID = b"<ns1:SoDinhDanh>"
TWICE = soap_reply(citizen(KNOWN)).body.replace(ID, ID + b"1</ns1:SoDinhDanh>" + ID)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a/>",
        BOMB,
        TWICE,
        in_envelope(""),
        in_envelope("<CongdanCollection/>"),
        in_envelope(
            '<n:CongdanCollection xmlns:n="http://www.mic.gov.vn/dancu/1.0"><n:Loi>1</n:Loi></n:CongdanCollection>'
        ),
        soap_reply(citizen(KNOWN)).body[:-30],
        soap_reply(citizen(KNOWN)).body.replace(b"dancu/1.0", b"dancu/9.0"),
        soap_reply(citizen(KNOWN)).body.replace(b"</soapenv:Body>", b"</soapenv:Body><soapenv:Body/>"),
        in_envelope(COLLECTION + COLLECTION),
    ],
)
def test_what_is_no_such_reply_is_misunderstood_with_its_evidence(ask: Asking, body: bytes) -> None:
    error = ask.failure(Response(200, body, "text/xml"))
    assert type(error) is Misunderstood
    assert error.evidence == body


def test_comments_in_a_reply_are_not_read_as_text() -> None:
    body = soap_reply(citizen(KNOWN)).body.replace(b"19960409", b"1996<!-- 1995 -->0409")
    assert read_records(body)[0]["ngaythangnamsinh"]["ngaythangnam"] == "19960409"


# Verification: does such a person exist?


@pytest.mark.parametrize("yes", ["true", "1", " True "])
def test_a_verification_confirms_what_was_asked_and_tells_nothing_else(ask: Asking, yes: str) -> None:
    answer = ask(verify_reply(yes), operation=VERIFY, integration="003")
    operation, fields = ask.sent
    assert (operation, fields["MaTichHop"]) == ("XacThucThongTinCongDan", "003")
    assert answer.person == Person(name=KNOWN.name, born=KNOWN.born, personal_id=KNOWN.personal_id)
    assert decide_verdict(QUERY, answer).verdict is Verdict.MATCHED


def test_a_verification_confirms_no_name_that_was_not_asked(ask: Asking) -> None:
    query = question(personal_id=KNOWN.personal_id, cmnd=KNOWN.cmnd, name=None, born=PartialDate(1996, 4))
    answer = ask(verify_reply("true"), query, operation=VERIFY)
    assert answer.person == Person(born=PartialDate(1996), personal_id=KNOWN.personal_id)
    assert decide_verdict(query, answer).verdict is Verdict.DIFFERS


@pytest.mark.parametrize("no", ["false", "0"])
def test_a_verification_that_says_no_is_not_found(ask: Asking, no: str) -> None:
    assert ask(verify_reply(no), operation=VERIFY).person is None


@pytest.mark.parametrize("reply", [verify_reply("có"), verify_reply(""), soap_reply(citizen(KNOWN))])
def test_a_verification_that_says_neither_is_misunderstood(ask: Asking, reply: Response) -> None:
    assert type(ask.failure(reply, operation=VERIFY)) is Misunderstood
