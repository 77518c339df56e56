"""What is made from the code: pages of docs/ and the JSON Schemas of mappings/. `make docs` writes, a test compares.

Run: python -m tests.docs.made_pages
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import typer.main

from adapters.population.citizens_csv import COLUMNS
from gateway import errors
from gateway.cli.main import build_app
from gateway.domain.finding import FINDINGS
from gateway.domain.journey import STATES, drawing
from gateway.mapping.schema import SCHEMAS
from gateway.settings import rows
from gateway.web.pages.words import CASE_STATES
from tests.docs.field_pages import fields_page
from tests.docs.transforms_page import transforms_page

ROOT = Path(__file__).parents[2]
MADE = "<!-- Made by `make docs` from the code; change it there. -->\n\n"
SETTINGS_WORDS = """\
`hotich.toml` in the current directory, or the file that `--config` or `HOTICH_CONFIG` names; then environment
variables, which win; then the command line, which wins over both. Keys of a table are written `HOTICH_TABLE__KEY`,
lists as JSON. Unknown names are refused. Paths in a file are meant from where the file lies. `hotich check --settings`
prints this table and checks what is set.

## Who a sender is
Every mark a feed states must hold: `client_certificates`, `senders`, `addresses`. Of the feeds whose marks all hold the
strongest wins: a way in of the feed's own (`ports`, a token of the feed, `folder`), certificate, sender's name, address
alone, `*`. A way in of the feed's own makes up for `senders`. Refused (AR, over HTTP 401 or 403), kept as evidence and
counted: a sender no feed knows, one that lacks a mark of its feed, a name that belongs to another feed than the way in
or the certificate, and a name two feeds claim equally. Over HTTP a certificate that a feed names does instead of a
token; a proxy that ends TLS passes none on.

"""
COMMANDS_WORDS = """\
Exit codes: 0 ok; 1 the answer is "no", or something found is an error; 2 wrong use or settings. With `--json` a command
prints one JSON document to standard output.
"""
JOURNEY_WORDS = """\
What moves a case from one state to the next (`gateway/domain/journey.py`; why: decisions/0004). An arrow names the
events that take it; an event that leaves a case where it is has none. The officer's own desk is described in
[tour-officer.md](tour-officer.md).

"""
FINDINGS_WORDS = """\
An officer or a hospital technician reads them; a finding stops nobody's message. Severity `error`: the value cannot be
used; `warning`: a person should look; `info`: worth knowing."""
EXCEPTIONS_WORDS = """\
`SettingsError` and `MappingError` refuse to start. `UnreadableMessage` answers AR, 400 or 422. `Unreachable` is tried
again; `Refused` and `Misunderstood` wait for a person. `LogError` means the evidence log: nothing is acknowledged.
`Conflict` means another writer was first; the work runs again by itself. None holds personal data. `…` stands for what
differs from case to case."""
CODE = re.compile(r"[a-z0-9_]+\.[a-z0-9_]+")


def settings_page() -> str:
    """docs/settings.md."""
    table = [
        f"| `{row.name}` | {f'`{row.variable}`' if row.variable else ''} | {row.type} | "
        f"{f'`{row.default}`' if row.default else ''} | {row.help} |"
        for row in rows()
    ]
    columns = "| name | variable | type | default | what it is |\n|---|---|---|---|---|\n"
    head = f"# Settings\n\n{MADE}{SETTINGS_WORDS}{columns}"
    return head + "\n".join(table) + "\n"


def commands_page() -> str:
    """docs/commands.md."""
    head = f"# Commands\n\n{MADE}{COMMANDS_WORDS}"
    root = typer.main.get_command(build_app())
    commands = "".join(_command_text(path, command) for path, command in _commands("hotich", root))
    columns = "\n".join(f"- `{name}`: {words}" for name, words in COLUMNS.items())
    return f"{head}{commands}\n## Columns of the population file\n\n{columns}\n"


def _commands(path: str, command: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(command, "commands"):
        for name, below in command.commands.items():
            yield from _commands(f"{path} {name}", below)
    else:
        yield path, command


def _command_text(path: str, command: Any) -> str:
    usage = " ".join(piece for parameter in command.params for piece in _usage(parameter))
    words = re.sub(r"\s*\n\s*", " ", (command.help or "").replace("\n\n", "\0")).replace("\0", "\n\n")
    options = [
        f"- `{', '.join(option.opts)}`: {option.help}"
        for option in command.params
        if getattr(option, "help", None) and option.name != "help"
    ]
    return "\n".join(["", f"## {path}", "", f"`{path} {usage}`".replace(" `", "`"), "", words, "", *options, ""])


def _usage(parameter: Any) -> list[str]:
    if parameter.name == "help":
        return []
    if parameter.param_type_name == "argument":
        return [parameter.metavar or str(parameter.name).upper()]
    return [parameter.opts[0] if parameter.required else f"[{parameter.opts[0]}]"]


@dataclass(frozen=True, slots=True)
class Raised:
    """One exception code in the code: which exception carries it, and what it says."""

    code: str
    kind: str
    words: str


def errors_page() -> str:
    """docs/errors.md."""
    findings = [f"| `{code}` | {kind.severity} | {kind.vi} | {kind.en} |" for code, kind in sorted(FINDINGS.items())]
    raised = [f"| `{each.code}` | {each.kind} | {each.words} |" for each in find_raised()]
    return "\n".join(
        [
            "# Codes",
            "",
            MADE + "## Findings: facts about data",
            "",
            FINDINGS_WORDS,
            "",
            "| code | severity | Tiếng Việt | English |",
            "|---|---|---|---|",
            *findings,
            "",
            "## Exceptions: what the gateway could not do",
            "",
            EXCEPTIONS_WORDS,
            "",
            "| code | exception | says |",
            "|---|---|---|",
            *raised,
            "",
        ]
    )


def find_raised() -> list[Raised]:
    """Every exception code of gateway/ and adapters/, by code: first arguments of the exceptions of gateway.errors and
    of their subclasses elsewhere."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in _sources()]
    kinds = {name for name, value in vars(errors).items() if isinstance(value, type) and name != "Mistake"}
    grown = -1
    while len(kinds) != grown:  # a subclass of a subclass may stand in an earlier file
        grown = len(kinds)
        kinds |= {
            node.name
            for tree in trees
            for node in ast.walk(tree)
            if isinstance(node, ast.ClassDef)
            and any(isinstance(base, ast.Name) and base.id in kinds for base in node.bases)
        }
    kinds |= {"GiveUp"}
    found = {Raised("mapping.invalid", "MappingError", "every mistake: file, line, row, remedy")}
    found |= {raised for tree in trees for raised in _raised(tree, kinds)}
    return sorted(found, key=lambda raised: (raised.code, raised.kind, raised.words))


def _sources() -> list[Path]:
    return sorted(path for package in ("gateway", "adapters") for path in (ROOT / package).rglob("*.py"))


def _raised(tree: ast.AST, kinds: set[str]) -> Iterator[Raised]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in kinds and node.args):
            continue
        code = node.args[0]
        if isinstance(code, ast.Constant) and isinstance(code.value, str) and CODE.fullmatch(code.value):
            yield Raised(code.value, node.func.id, _said(node.args[1:], node.func.id))


def _said(arguments: list[ast.expr], kind: str) -> str:
    """The sentence as written, `…` for its variable parts; the second argument of an UnreadableMessage is the place."""
    place = 1 if kind == "UnreadableMessage" else 0
    words = arguments[place] if len(arguments) > place else None
    if isinstance(words, ast.JoinedStr):
        text = "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in words.values)
    else:
        text = str(words.value) if isinstance(words, ast.Constant) else "…"
    return text.replace("|", "\\|").replace("\n", " ")


def journey_page() -> str:
    """docs/journey.md."""
    table = [f"| `{state}` | {meaning} | {CASE_STATES[state]} |" for state, meaning in STATES.items()]
    columns = "| state | means | trên trang |\n|---|---|---|\n"
    head = f"# The journey of a case\n\n{MADE}{JOURNEY_WORDS}```mermaid\n{drawing()}\n```\n\n{columns}"
    return head + "\n".join(table) + "\n"


PAGES = {
    "journey.md": journey_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "errors.md": errors_page,
    "transforms.md": partial(transforms_page, MADE),
    "fields.md": partial(fields_page, MADE),
}
SCHEMA_FILES = {f"{name}.schema.json": schema for name, schema in SCHEMAS.items()}
"""What editors complete mapping files by, kept under mappings/."""


def schema_text(name: str) -> str:
    """One JSON Schema as its file holds it."""
    return json.dumps(SCHEMA_FILES[name](), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    for name, page in PAGES.items():
        (ROOT / "docs" / name).write_text(page(), encoding="utf-8")
    for name in SCHEMA_FILES:
        (ROOT / "mappings" / name).write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    main()
