"""docs/transforms.md: what each transform does, its examples (which are tests), and the shipped rows that use it."""

from __future__ import annotations

import doctest
import sys
import tomllib
from pathlib import Path

from gateway.mapping.registry import TRANSFORMS

MAPPINGS = Path(__file__).parents[2] / "mappings"
WORDS = """\
A row of a mapping file names one of these in `using`; without it `text` reads the value. A transform gets the values at
the path that was found and gives one typed value, or nothing. It never stops a message: what it cannot read becomes a
finding. The examples are run by the tests with the shipped code tables; a line without an answer gives nothing.
`hl7("…")` stands for the repetitions of an HL7 v2 field as a message has them, `unit` for the field after it.

"""
FAMILIES = {
    "text": "Plain values of any format",
    "hl7v2": "HL7 v2 data types",
    "fhir": "FHIR elements",
    "moh": "The Ministry of Health's XML",
    "form": "What national forms want",
}


def transforms_page(made: str) -> str:
    """The page; `made` says at its top that it is made."""
    used = _rows_by_transform()
    parts = [f"# Transforms\n\n{made}{WORDS}"]
    for family, title in FAMILIES.items():
        names = [name for name, function in TRANSFORMS.items() if function.__module__.rpartition(".")[2] == family]
        parts += [f"## {title}\n\n", _intro(TRANSFORMS[names[0]].__module__)]
        parts += [_section(name, used.get(name, {})) for name in names]
    return "".join(parts).rstrip() + "\n"


def _intro(module: str) -> str:
    """What the module says of its values, without the first line."""
    _, _, rest = (sys.modules[module].__doc__ or "").partition("\n\n")
    return rest.strip() + "\n\n" if rest else ""


def _section(name: str, used: dict[str, list[str]]) -> str:
    words, examples = "", ""
    for piece in doctest.DocTestParser().parse(_plain(TRANSFORMS[name].__doc__ or "")):
        if isinstance(piece, doctest.Example):
            more = piece.source.rstrip("\n").split("\n")
            examples += "".join(f"{'>>>' if not at else '...'} {line}\n" for at, line in enumerate(more)) + piece.want
        else:
            words += piece
    return f"### `{name}`\n\n{words.strip()}\n\n```python\n{examples}```\n\nUsed by {_users(name, used)}.\n\n"


def _plain(doc: str) -> str:
    return "\n".join(line.removeprefix("    ") for line in doc.split("\n"))


def _users(name: str, used: dict[str, list[str]]) -> str:
    if name == "text":
        return f"{sum(map(len, used.values()))} rows of {len(used)} files"
    rows = [f"`{file}`: {', '.join(f'`{target}`' for target in dict.fromkeys(to))}" for file, to in used.items()]
    return "; ".join(rows) or "no shipped row"


def _rows_by_transform() -> dict[str, dict[str, list[str]]]:
    """Transform → file → targets of its rows."""
    used: dict[str, dict[str, list[str]]] = {}
    for path in sorted(MAPPINGS.glob("*bound/*/*.toml")):
        file = path.relative_to(MAPPINGS).as_posix()
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["row"]:
            if "from" in row:
                used.setdefault(row.get("using", "text"), {}).setdefault(file, []).append(row["to"])
    return used
