"""A conformance certificate as tables: Vietnamese first, English below or beside. On a terminal, or as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import typer

from gateway.cli.printing import print_table
from gateway.web.pages.words import OWED_BY, RELEVANCE

Told = Mapping[str, Any]
Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]
KINDS = {"birth": "Khai sinh / Birth", "death": "Khai tử / Death"}
_STATEMENT = (
    "Đây là kết quả TỰ KIỂM TRA trên các thông điệp mẫu của cơ sở y tế: không có chữ ký, không có giá trị pháp lý.",
    "This is a SELF-TEST on the facility's own sample messages: not signed, of no legal value.",
    "Không chứa dữ liệu cá nhân. / It holds no personal data.",
)


def head(told: Told) -> list[str]:
    """What the certificate is about and what it is worth."""
    facility = told["facility"]
    return [
        *_STATEMENT,
        f"Nguồn gửi / Feed: {told['feed']} · Cơ sở / Facility: {facility['code']} {facility['name']}".rstrip(),
        f"Ngày kiểm tra / Tested at: {told['tested_at']}",
        f"Phiên bản cổng / Gateway version: {told['gateway_version']}",
        f"Bộ quy tắc / Mapping set: {told['mapping_hash']}",
    ]


def tables(told: Told) -> Iterator[Table]:
    """Every table with a row: messages, then each kind's fields and debts, findings, what is not read."""
    yield from (table for table in _all(told) if table[2])


def _all(told: Told) -> Iterator[Table]:
    columns: Sequence[str] = ("#", "Mã băm / Digest", "Định dạng / Format", "Loại / Type", "Việc / Relevance", "ACK")
    rows = [
        (
            message["number"],
            message["digest"],
            message["format"],
            message["type"],
            RELEVANCE.get(message["relevance"], message["relevance"]),
            message["ack"],
        )
        for message in told["messages"]
    ]
    yield "Thông điệp / Messages", columns, rows
    for kind, part in told["kinds"].items():
        yield from _of_kind(kind, part)
    columns = ("Mức / Severity", "Mã / Code", "Chỗ / Place", "Số lần / Count", "Nghĩa là / Meaning")
    found = [
        (one["severity"], one["code"], one["where"], one["count"], f"{one['vi']} / {one['en']}")
        for one in told["findings"]
    ]
    yield "Phát hiện / Findings", columns, found
    unread = [(one["format"], one["path"], one["count"]) for one in told["unread"]]
    title = "Có giá trị nhưng không quy tắc nào đọc / Carries a value that no rule reads"
    yield title, ("Định dạng / Format", "Chỗ / Place", "Số lần / Count"), unread


def _of_kind(kind: str, part: Told) -> Iterator[Table]:
    title = f"{KINDS[kind]}: {part['cases']} hồ sơ / cases, {part['ready']} gửi được ngay / ready"
    total = sum(part["events"].values())
    columns = (
        "Trường / Field",
        "Tờ khai / Form",
        "Có / Arrives",
        "Theo định dạng / By format",
        "Nếu thiếu / If missing",
    )
    rows = [
        (
            one["field"],
            one["label"],
            f"{one['arrives']}/{total}" if one["arrives"] else "—",
            ", ".join(f"{name} {count}/{part['events'][name]}" for name, count in one["by_format"].items()),
            ", ".join(OWED_BY[by] for by in one["asked_of"]),
        )
        for one in sorted(part["fields"], key=lambda one: -one["arrives"])
    ]
    yield title, columns, rows
    owed = [(OWED_BY[debt["by"]], debt["label"], debt["field"], debt["cases"]) for debt in part["owed"]]
    missing = [
        ("Thiếu, hồ sơ chờ / Missing, waits", one["label"], one["field"], one["cases"]) for one in part["missing"]
    ]
    asked = ("Ai / Who", "Nội dung / What", "Trường / Field", "Số hồ sơ / Cases")
    yield f"{KINDS[kind]}: xã sẽ phải hỏi / the commune will have to ask", asked, [*missing, *owed]


def print_certificate(told: Told) -> None:
    """To standard output, as tables."""
    for line in head(told):
        typer.echo(line)
    for title, columns, rows in tables(told):
        typer.echo()
        print_table(title, columns, rows)


def markdown(told: Told) -> str:
    """The same as one Markdown text."""
    parts = [f"# Giấy tự kiểm tra kết nối / Conformance self-test: {_cell(told['feed'])}", "\n".join(
        f"- {_cell(line)}" for line in head(told)
    )]  # fmt: skip
    for title, columns, rows in tables(told):
        lines = [columns, ["---"] * len(columns), *rows]
        table = "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)
        parts.append(f"## {title}\n\n{table}")
    return "\n\n".join(parts) + "\n"


def _cell(value: object) -> str:
    """Text of a message's envelope must not end a cell, or become markup."""
    text = " ".join(str(value).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
