"""What `hotich try` shows people: each case side by side, source → value → field, then findings, debts, clocks.

A terminal gets colours and folded cells, never shortened ones; a pipe gets plain text with every row on one line.
Colours repeat what words say (NO_COLOR is respected).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.clock_lines import clock_lines
from gateway.pipeline.compare import Compared, Comparison

Told = Mapping[str, Any]
KINDS = {"birth": "Khai sinh / Birth", "death": "Khai tử / Death", "message": "Thông điệp / Message"}
SEVERITIES = {"error": "bold red", "warning": "yellow", "info": "cyan"}
STATES = {"ready": "bold green", "waiting": "bold yellow"}
_WIDE = 10_000
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def console() -> Console:
    """Where people read; on a pipe as wide as the widest row."""
    made = Console(highlight=False)
    return made if made.is_terminal else Console(highlight=False, width=_WIDE)


def plain(text: object, style: str = "") -> Text:
    """Text as it is: no markup, and control characters of a message made visible instead of obeyed."""
    return Text(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(text)), style)


def print_document(to: Console, document: Told) -> None:
    """Every message, then every case."""
    names = _short_names(document["messages"])
    columns = (
        "Thông điệp / Message",
        "Loại / Type",
        "ACK",
        "Việc / Relevance",
        "Phát hiện / Findings",
        "Chưa đọc / Unread",
    )
    _print_rows(to, columns, [_message_row(message) for message in document["messages"]])
    for case in document["cases"]:
        _print_case(to, case, names)


def print_differences(to: Console, compared: Iterable[Compared], a: str, b: str) -> None:
    """The messages and cases that differ, place by place; `a` and `b` name the two sides."""
    columns = ("Mục / Part", "Chỗ / Place", a, b)
    for one in compared:
        if one.equal:
            continue
        _heading(to, plain(f"{KINDS[one.kind]} · {one.subject}", "bold"))
        if one.only:
            to.print(plain(f"chỉ có ở / only in: {a if one.only == 'a' else b}", "yellow"))
            continue
        rows = [(plain(gap.part), plain(gap.place, "green"), *map(_side, (gap.a, gap.b))) for gap in one.differences]
        _print_rows(to, columns, rows)


def summary(comparison: Comparison) -> str:
    """ "12 cases, 2 differ in 3 fields and 1 other place; 14 messages, 0 differ"."""
    differing = [case for case in comparison.cases if not case.equal]
    places = [gap for case in differing for gap in case.differences]
    fields = sum(gap.part == "field" for gap in places)
    others = len(places) - fields
    more = f" and {_count(others, 'other place')}" if others else ""
    messages = sum(not message.equal for message in comparison.messages)
    told = f"{_count(len(comparison.cases), 'case')}, {len(differing)} differ in {_count(fields, 'field')}{more}"
    return f"{told}; {_count(len(comparison.messages), 'message')}, {messages} differ"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _message_row(message: Told) -> Sequence[Text]:
    ack = plain(message["ack"], "" if message["ack"] == "AA" else SEVERITIES["error"])
    findings = Text("\n").join(map(_finding, message["findings"]))
    unread = plain(", ".join(message["unread"]), "dim")
    return plain(_name(message)), plain(message["type"] or ""), ack, plain(message["relevance"]), findings, unread


def _print_case(to: Console, case: Told, names: Mapping[str, str]) -> None:
    commune, dossier = case["commune"], case["dossier"]
    place = f"{commune['name']} ({commune['code']})" if commune["code"] else "chưa xác định / unknown"
    head = plain(f"{KINDS[case['kind']]} · {dossier['procedure']} · {place} · ", "bold")
    _heading(to, head.append(case["status"], STATES.get(case["status"], "")))
    to.print(plain(", ".join(f"{name} {day}" for name, day in case["deadlines"].items())), soft_wrap=True)
    rows = [
        _side_by_side(case, name, text, names) for name, value in dossier["fields"].items() if (text := _text(value))
    ]
    _print_rows(to, ("Nguồn / Source", "Giá trị / Value", "Trường / Field", "Quy tắc / Rule"), rows)
    for finding in case["findings"]:
        to.print(_finding(finding), soft_wrap=not to.is_terminal)
    owed = [(plain(debt["field"], "green"), plain(debt["by"])) for debt in case["owed"]]
    _print_rows(to, ("Còn thiếu / Owed", "Ai bổ sung / By"), owed)
    candidates = [(plain(one["code"]), plain(one["name"]), plain(one["province"])) for one in commune["candidates"]]
    _print_rows(to, ("Xã có thể / Candidate", "Tên / Name", "Tỉnh / Province"), candidates)
    for line in clock_lines(case):
        to.print(plain(line), soft_wrap=not to.is_terminal)


def _side_by_side(case: Told, field: str, text: str, names: Mapping[str, str]) -> Sequence[Text]:
    source = case["provenance"].get(field)
    if source is None:
        return Text(), plain(text, "bold"), plain(field, "green"), Text()
    message = plain(names.get(source["message"], source["message"]), "dim")
    return (
        message.append(" ").append(plain(source["path"], "cyan")),
        plain(text, "bold"),
        plain(field, "green"),
        plain(source["rule"], "dim"),
    )


def _finding(finding: Told) -> Text:
    """ "error value.missing nksGioiTinh: Thiếu thông tin bắt buộc"."""
    line = plain(finding["severity"], SEVERITIES.get(finding["severity"], ""))
    return line.append(plain(f" {finding['code']} {finding['where']}: {finding['detail_vi']}"))


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {part}" for name, part in value.items() if part)
    return str(value or "")


def _side(value: str | None) -> Text:
    return plain("—", "dim") if value is None else plain(value)


def _short_names(messages: Sequence[Told]) -> dict[str, str]:
    """Messages by name → file name alone where no two files share one."""
    paths = {message["path"] for message in messages}
    bare = [Path(path).name for path in paths]
    return {
        _name(message): _name(message).removeprefix(message["path"].removesuffix(Path(message["path"]).name))
        for message in messages
        if bare.count(Path(message["path"]).name) == 1
    }


def _name(message: Told) -> str:
    return f"{message['path']}#{message['index']}" if message["index"] else str(message["path"])


def _heading(to: Console, text: Text) -> None:
    to.print()
    to.print(text, soft_wrap=not to.is_terminal)


def _print_rows(to: Console, columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> None:
    if not rows:
        return
    table = Table()
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*row)
    to.print(table)
