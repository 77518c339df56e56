"""What the civil-status exchange is asked: the bodies of its operations as JSON.

The exchange has two services that take dossiers. The linked one (`nhanHoSoDKHT`) takes the form as JSON text, with
files; the ordinary one (`dangKyHoTich`) as XML text, without any. Which one a dossier is for is the beginning of its
wire form's name (mappings/outbound). All of this was read second-hand; what is a list of values stands in code tables.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson

from gateway.domain.office import OFFICE_ZONE
from gateway.errors import Refused
from gateway.ports.commune import Attachment, Delivery
from gateway.ports.hospital import CodeTable

Tables = Callable[[str], CodeTable]
"""A code table in force, by name."""

LINKED, ORDINARY = "nhanHoSoDKHT", "dangKyHoTich"
STATE, RESULT, CATALOGUE = "traTrangThaiHoSo", "layKetQua", "danhMuc"

SEAL = Attachment("ho-so.xml", "dossier", "application/xml", b"")
"""How the sealed dossier goes along as a file, but for its content."""


def operation_of(form: str) -> str:
    """The operation that takes dossiers of a wire form (`nhanHoSoDKHT-2025`: nhanHoSoDKHT). Raises Refused for a form
    that belongs to no operation: the table commune_forms says another form than the system speaks."""
    operation = form.partition("-")[0]
    if operation not in (LINKED, ORDINARY):
        words = f"wire form {form or '(none)'}: the exchange takes {LINKED}… and {ORDINARY}…; see commune_forms.csv"
        raise Refused("commune.form_unknown", words)
    return operation


def submission(delivery: Delivery, at: datetime, tables: Tables, linked_code: str, *, with_seal: bool) -> bytes:
    """The body that hands a dossier over: `at` (aware) is when it was made, `linked_code` what `maHoSoLT` says.
    `with_seal`: the signed XML goes along, where the service takes files."""
    here = at.astimezone(OFFICE_ZONE)
    if operation_of(delivery.form) == ORDINARY:
        return orjson.dumps(
            {
                "maDonVi": _number(delivery.commune_code),
                "module": delivery.module,
                "maHoSo": delivery.code,
                "ngayTiepNhan": f"{here:%Y-%m-%d}",
                "data": delivery.text,
            }
        )
    return orjson.dumps(
        {
            "maDonVi": delivery.commune_code,
            "module": delivery.module,
            "maHoSoLT": linked_code,
            "maHoSoMCDT": delivery.code,
            "ngayTiepNhan": f"{here:%d/%m/%Y %H:%M:%S}",
            "data": delivery.text,
            "fileDinhKem": _files(delivery, tables("moj_attachments"), with_seal=with_seal),
        }
    )


def state_question(delivery: Delivery) -> bytes:
    """The body that asks for a dossier's state. That the operation refuses a wrong agency (code 106) and an unknown
    dossier (201) says that it takes both; `module` is sent as everywhere else."""
    return orjson.dumps(
        {"maDonVi": delivery.commune_code, "module": delivery.module, "maHoSo": delivery.code},
    )


def result_question(delivery: Delivery, province: str) -> bytes:
    """The body that asks for a dossier's state and result: one code, though the operation takes three."""
    return orjson.dumps({"maDinhDanhHoSo": [delivery.code], "maTinh": province, "module": delivery.module})


def catalogue_question(kind: int) -> bytes:
    """The body that asks for a catalogue."""
    return orjson.dumps({"loaiDanhMuc": kind})


def _files(delivery: Delivery, kinds: CodeTable, *, with_seal: bool) -> list[dict[str, Any]]:
    """`fileDinhKem`: the hospital's papers, then the sealed dossier."""
    files = [(paper, paper.content) for paper in delivery.attachments]
    if with_seal:
        files.append((SEAL, delivery.sealed))
    return [_file(number, paper, content, kinds) for number, (paper, content) in enumerate(files, start=1)]


def _file(number: int, paper: Attachment, content: bytes, kinds: CodeTable) -> dict[str, Any]:
    kind = paper.kind if kinds.column(paper.kind, "value") is not None else "*"
    return {
        "id": number,
        "loaiGiayTo": _number(kinds.column(kind, "value") or "0"),
        "tenGiayTo": kinds.column(kind, "name") or paper.kind,
        "tenTepDinhKem": paper.name,
        "huyGiayTo": 0,
        "duLieuTepDinhKem": b64encode(content).decode(),
    }


def _number(code: str) -> int | str:
    """A code that the wire wants as a number. Communes of the provinces 01 to 09 lose their leading zero there, which
    is what a Long means; what is no number goes as it is, for the exchange to refuse."""
    return int(code) if code.isascii() and code.isdigit() else code
