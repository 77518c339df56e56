"""The far side of the population clients: services that answer as strictly as the facts allow, and clients of them."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from adapters.population.rest import RestPopulation
from adapters.population.soap import SoapPopulation
from gateway.domain.person import Person, Sex
from gateway.mapping.codes import DatedTable, Table, read_table
from gateway.mapping.safe_xml import local_name, parse_xml
from gateway.ports.clock import SystemClock
from gateway.testing.hostile_http import HostileServer, Request, Response

CODES = Path(__file__).parents[1] / "mappings" / "codes"
DAN = "{http://dancuquocgia.bca}"
USER, SECRET = "999_hotich", "bí mật thử"
ORDER = ["MaYeuCau", "MaDVC", "MaTichHop", "MaCanBo", "MaDonVi", "TaiKhoan", "SoDienThoai", "SoDinhDanh", "SoCMND"]
ORDER += ["HoVaTen", "NgayThangNamSinh"]
_SEX = {Sex.MALE: "1", Sex.FEMALE: "2"}


@cache
def _dated(name: str) -> DatedTable:
    mistakes: list[Any] = []
    table = read_table(name, f"{name}.csv", (CODES / f"{name}.csv").read_bytes(), mistakes)
    assert not mistakes
    return table


def table(name: str) -> Table:
    """A code table as shipped."""
    return _dated(name).on(date(2026, 11, 23))


def secret_file(directory: Path, text: str = SECRET) -> Path:
    file = directory / "secret"
    file.write_text(text + "\n", encoding="utf-8")
    return file


def citizen(person: Person, **more: Any) -> dict[str, Any]:
    """A person as the database writes them: the whole name in Ten, in capitals."""
    assert person.name is not None
    assert person.born is not None
    return {
        "SoDinhDanh": person.personal_id or "",
        "SoCMND": person.cmnd or "",
        "HoVaTen": {"Ho": "", "ChuDem": "", "Ten": person.name.full.upper()},
        "GioiTinh": _SEX[person.sex] if person.sex else "",
        "DanToc": person.ethnicity or "",
        "TonGiao": "00",
        "NhomMau": "03",
        "NgayThangNamSinh": {"Nam": str(person.born.year), "NgayThangNam": f"{person.born.date:%Y%m%d}"},
        "QuocTich": person.nationality or "",
        **more,
    }


# SOAP


def in_envelope(body: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header/>'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    ).encode()


def soap_reply(*records: Mapping[str, Any]) -> Response:
    """A lookup's reply about so many citizens."""
    persons = "".join(f"<ns1:CongDan>{_elements(record)}</ns1:CongDan>" for record in records)
    wrapped = f'<ns1:CongdanCollection xmlns:ns1="http://www.mic.gov.vn/dancu/1.0">{persons}</ns1:CongdanCollection>'
    return Response(200, in_envelope(wrapped), "text/xml; charset=utf-8")


def verify_reply(said: str) -> Response:
    inner = f'<n:KetQuaXacThuc xmlns:n="http://www.mic.gov.vn/dancu/1.0"><n:TonTai>{said}</n:TonTai></n:KetQuaXacThuc>'
    return Response(200, in_envelope(inner), "text/xml")


def soap_fault(code: str, words: str = "", status: int = 500) -> Response:
    fault = f"<soapenv:Fault><faultcode>{code}</faultcode><faultstring>{words}</faultstring></soapenv:Fault>"
    return Response(status, in_envelope(fault), "text/xml")


def _elements(record: Mapping[str, Any]) -> str:
    return "".join(
        f"<ns1:{name}>{_elements(said) if isinstance(said, Mapping) else escape(said)}</ns1:{name}>"
        for name, said in record.items()
    )


def soap_asked(request: Request) -> tuple[str, dict[str, Any]]:
    """Operation and fields of a request, which must be what the service's schema allows."""
    root = parse_xml(request.body)
    body = root.find("{http://schemas.xmlsoap.org/soap/envelope/}Body")
    assert body is not None
    (operation,) = body
    assert operation.tag.startswith(DAN)
    names = [local_name(child) for child in operation]
    assert names == [name for name in ORDER if name in names], "order of the schema, nothing twice, nothing else"
    fields = {local_name(child): child.text or {local_name(part): part.text for part in child} for child in operation}
    assert request.headers["soapaction"] == '""'
    assert request.headers["content-type"].startswith("text/xml")
    return local_name(operation), fields


def is_signed(request: Request, url: str) -> bool:
    """Whether Timestamp and Authorization are those of USER with SECRET."""
    timestamp = request.headers["timestamp"]
    digest = hashlib.sha256(f"{url}{USER}{timestamp}{SECRET}".encode()).hexdigest()
    wanted = base64.b64encode(f"{USER}:{digest}".encode()).decode()
    return request.headers["authorization"] == f"Basic {wanted}"


def soap_service(request: Request, persons: Sequence[Person], url: str = "") -> Response:
    """The service, when it finds these persons."""
    if url and not is_signed(request, url):
        return Response(401, b"")
    operation, _fields = soap_asked(request)
    if operation == "XacThucThongTinCongDan":
        return verify_reply("true" if persons else "false")
    return soap_reply(*map(citizen, persons))


def soap_client(url: str, secret: Path, **options: Any) -> SoapPopulation:
    given: dict[str, Any] = {"user": USER, "service": "1.001193"} | options
    return SoapPopulation(url, "999099000001", secret, table, SystemClock(), **given)


# JSON


def rest_reply(*records: Mapping[str, Any]) -> Response:
    """A reply in lower camel case; one person stands alone, several in a list."""
    said = [_camel(record) for record in records]
    collection = {"congDan": said if len(said) > 1 else said[0] if said else None}
    return json_response({"congdanCollection": collection})


def json_response(said: Any, status: int = 200) -> Response:
    return Response(status, json.dumps(said, ensure_ascii=False).encode(), "application/json")


def _camel(said: Any) -> Any:
    if not isinstance(said, Mapping):
        return said
    return {name[:1].lower() + name[1:]: _camel(part) for name, part in said.items()}


def token_service(request: Request) -> Response:
    """The authorisation server: one client, one secret."""
    known = b"client_id=hotich" in request.body and b"grant_type=client_credentials" in request.body
    return json_response({"access_token": "T1", "expires_in": 600}) if known else json_response({}, 401)


def rest_service(request: Request, persons: Sequence[Person]) -> Response:
    if request.headers.get("authorization") != "Bearer T1":
        return Response(401, b"")
    return rest_reply(*map(citizen, persons))


def rest_client(url: str, secret: Path, tokens: HostileServer, **options: Any) -> RestPopulation:
    given: dict[str, Any] = {"service": "1.001193", "account": "hotich-thu"} | options
    return RestPopulation(url, "999099000001", f"{tokens.url}/token", "hotich", secret, table, **given)
