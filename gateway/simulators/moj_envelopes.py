"""Envelopes with a dossier, checked as strictly as the facts allow: every problem is named, no value is repeated."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from gateway.errors import UnreadableMessage
from gateway.mapping.safe_xml import parse_xml
from gateway.simulators.moj_facts import Facts, Operation
from gateway.simulators.moj_fields import Problem, WireForm

TYPES = {
    "text": (str, "phải là chuỗi ký tự"),
    "number": (int, "phải là số nguyên"),
    "files": (list, "phải là danh sách"),
}


@dataclass(frozen=True, slots=True)
class File:
    """An attached file; `digest` is the SHA-256 of its content, hex."""

    name: str
    title: str
    size: int
    digest: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A dossier that was found right. `agency` is the commune's code in five digits; `digest` the SHA-256 of what would
    be registered: module, commune and data."""

    operation: str
    module: str
    kind: str
    agency: str
    code: str
    linked_code: str
    received: str
    data: str
    fields: Mapping[str, Any]
    files: tuple[File, ...]
    digest: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """`error` is one of the exchange's codes."""

    error: str
    problems: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Examiner:
    """`communes`: the codes the exchange knows; `forms`: what may stand in `data`."""

    facts: Facts
    forms: Sequence[WireForm]
    communes: frozenset[str]

    def examine(self, name: str, told: Mapping[str, Any]) -> Submission | Refusal:
        """One envelope of the operation `name`."""
        operation = self.facts.operations[name]
        problems = shape_problems(operation.fields, told)
        if problems:
            return Refusal("500", tuple(problems))
        agency = f"{told['maDonVi']:05d}" if isinstance(told["maDonVi"], int) else told["maDonVi"]
        if not self.facts.patterns["agency"].fullmatch(agency) or agency not in self.communes:
            return Refusal("106", (Problem("maDonVi", "không phải mã đơn vị hành chính cấp xã đang dùng"),))
        problems = self._envelope_problems(operation, told)
        files = self._files(told.get("fileDinhKem", ()), problems)
        fields, more = self._read_data(operation, told["module"], told["data"])
        problems += more
        if not more and fields.get("noiDangKy", agency) not in {"", agency}:
            problems.append(Problem("noiDangKy", "khác maDonVi"))
        if problems:
            return Refusal("500", tuple(problems))
        content = f"{told['module']}\0{agency}\0{told['data']}".encode()
        return Submission(
            name, told["module"], operation.modules[told["module"]], agency, told[operation.code],
            told.get("maHoSoLT", ""), told["ngayTiepNhan"], told["data"], fields, files,
            hashlib.sha256(content).hexdigest(),
        )  # fmt: skip

    def _envelope_problems(self, operation: Operation, told: Mapping[str, Any]) -> list[Problem]:
        problems = []
        if told["module"] not in operation.modules:
            problems.append(Problem("module", f"phải là {' hoặc '.join(operation.modules)}"))
        if not self.facts.patterns["code"].fullmatch(told[operation.code]):
            problems.append(Problem(operation.code, "phải có dạng <cơ quan>-<yyMMdd>-<nnnn>"))
        linked = told.get("maHoSoLT", "")
        # Facts leave room: a sender without a linked code may leave it empty or repeat its own.
        if linked not in ("", told[operation.code]) and not self.facts.patterns["linked_code"].fullmatch(linked):
            problems.append(Problem("maHoSoLT", "sai định dạng"))
        if not _is_day(told["ngayTiepNhan"], operation.day):
            problems.append(Problem("ngayTiepNhan", f"phải có dạng {operation.day_words}"))
        return problems

    def _files(self, told: Sequence[Any], problems: list[Problem]) -> tuple[File, ...]:
        """The files that are right; what is wrong with the others is added to `problems`."""
        files = []
        for place, row in enumerate(told):
            where = f"fileDinhKem[{place}]"
            wrong = shape_problems(self.facts.files, row) if isinstance(row, dict) else [Problem("", "không hợp lệ")]
            content = b"" if wrong else _decoded(row["duLieuTepDinhKem"])
            if content is None or len(content) > self.facts.limits["file"]:
                words = "không phải base64 hoặc rỗng" if content is None else "tệp quá lớn"
                wrong.append(Problem("duLieuTepDinhKem", words))
            problems += [Problem(f"{where}.{one.field}", one.words) for one in wrong]
            if not wrong and content is not None:
                digest = hashlib.sha256(content).hexdigest()
                files.append(File(row["tenTepDinhKem"], row["tenGiayTo"], len(content), digest))
        return tuple(files)

    def _read_data(self, operation: Operation, module: str, data: str) -> tuple[Mapping[str, Any], list[Problem]]:
        """The dossier's fields, and what is wrong with them by the form that they fit best."""
        try:
            fields = _read_json(data) if operation.wire == "json" else _read_xml(data)
        except ValueError as error:
            return {}, [Problem("data", str(error))]
        forms = [form for form in self.forms if (form.module, form.wire) == (module, operation.wire)]
        found: list[list[Problem]] = []
        for form in forms:
            problems = form.problems(fields)
            if not problems:
                return fields, []
            found.append(problems)
        return fields, min(found, key=len, default=[])


def shape_problems(fields: Mapping[str, str], told: Mapping[str, Any]) -> list[Problem]:
    """Fields that are missing, of another type, or not known at all. `fields`: name → text | number | files."""
    problems = [Problem(name, "trường không có trong đặc tả") for name in told if name not in fields]
    for name, sort in fields.items():
        kind, words = TYPES[sort]
        if name not in told:
            problems.append(Problem(name, "thiếu"))
        elif not isinstance(told[name], kind) or isinstance(told[name], bool):
            problems.append(Problem(name, words))
    return problems


def _is_day(text: str, format: str) -> bool:
    try:
        # strptime takes single digits too; the wire does not.
        return datetime.strptime(text, format).strftime(format) == text  # noqa: DTZ007
    except ValueError:
        return False


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True) or None
    except ValueError:  # also for letters beyond ASCII
        return None


def _read_json(text: str) -> dict[str, Any]:
    try:
        fields = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("không phải văn bản JSON") from None
    if not isinstance(fields, dict) or not fields:
        raise ValueError("phải là một đối tượng JSON")
    return fields


def _read_xml(text: str) -> dict[str, Any]:
    """`<hotich><hoso>`: each child a field, a child with children an object."""
    try:
        root = parse_xml(text.encode())
    except UnreadableMessage:
        raise ValueError("không phải XML") from None
    dossiers = root.findall("hoso")
    if root.tag != "hotich" or len(dossiers) != 1 or len(root) != 1:
        raise ValueError("phải là <hotich><hoso>…</hoso></hotich>")
    fields = {leaf.tag: {part.tag: part.text or "" for part in leaf} or leaf.text or "" for leaf in dossiers[0]}
    twice = [name for name, count in Counter(leaf.tag for leaf in dossiers[0]).items() if count > 1]
    if twice or not all(isinstance(name, str) for name in fields):
        raise ValueError("phần tử lặp lại, hoặc có nội dung không phải phần tử")
    return fields
