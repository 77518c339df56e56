"""hotich check --mutate: does a sample guard every mapping row? Whoever writes an overlay asks it of its samples."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from gateway.cli.printing import print_json
from gateway.cli.try_streams import Workbench, find_streams
from gateway.errors import SettingsError
from gateway.testing.breakages import Breakage
from gateway.testing.mutation import MutationCheck, Sample, code_breakages, rule_breakages


def print_unguarded(directory: Path, config: Path | None, data_dir: Path | None, json: bool) -> bool:
    """Break everything in turn and print what no sample below `directory` notices; whether every row is guarded. Lines
    of code tables are told for information: a table is a list of facts, not of rules. Raises SettingsError when there
    is no sample folder, MappingError for a set that does not load."""
    begun = time.monotonic()
    bench = Workbench(config, data_dir)
    samples = _samples(bench, directory)
    check = MutationCheck.of(bench.readers, samples)
    rules, codes = rule_breakages(samples), code_breakages(check)
    survivors, lost = (check.survivors(tried, _processes()) for tried in (rules, codes))
    if json:
        print_json(_document(samples, rules, survivors, codes, lost))
        return not survivors
    for survivor in survivors:
        typer.echo(f"{survivor}; no sample notices")
    for line in _tables(codes, lost):
        typer.echo(line)
    rows = len({(breakage.file, breakage.line) for breakage in rules if breakage.row != "header"})
    typer.echo(
        f"{len(rules)} breakages of {rows} rows and their headers, {len(samples)} samples: {len(survivors)} unnoticed; "
        f"{len(codes)} code lines: {len(lost)} unnoticed (information); {time.monotonic() - begun:.0f} s"
    )
    return not survivors


def _samples(bench: Workbench, directory: Path) -> list[Sample]:
    """Every sample folder, each read with the settings' set under the folder's own overlay."""
    streams = [stream for stream in find_streams([directory], bench.settings, None) if stream.folder]
    if not streams:
        raise SettingsError("use.no_samples", f"{directory} holds no sample folder (a folder with a case.toml)")
    return [
        Sample(stream.folder.path.as_posix(), stream.sent, bench.now(stream.overlay))
        for stream in streams
        if stream.folder
    ]


def _processes() -> int:
    """All cores where a process can be forked, else one: breakages hold functions and cannot be sent."""
    return (os.cpu_count() or 1) if hasattr(os, "fork") else 1


def _by_table(breakages: Sequence[Breakage]) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {}
    for breakage in breakages:
        tables.setdefault(breakage.file, []).append(breakage.row)
    return tables


def _tables(tried: Sequence[Breakage], lost: Sequence[Breakage]) -> list[str]:
    unnoticed = _by_table(lost)
    return [
        f"{file}: {len(unnoticed.get(file, ()))} of {len(lines)} lines unnoticed"
        + "".join(f"{': ' if not place else ', '}{code}" for place, code in enumerate(unnoticed.get(file, ())))
        for file, lines in _by_table(tried).items()
    ]


def _document(
    samples: Sequence[Sample],
    rules: Sequence[Breakage],
    survivors: Sequence[Breakage],
    codes: Sequence[Breakage],
    lost: Sequence[Breakage],
) -> dict[str, Any]:
    unnoticed = _by_table(lost)
    return {
        "samples": len(samples),
        "breakages": len(rules),
        "survivors": [{"file": s.file, "line": s.line, "row": s.row, "breakage": s.what} for s in survivors],
        "codes": [
            {"table": file, "lines": len(lines), "unnoticed": unnoticed.get(file, [])}
            for file, lines in _by_table(codes).items()
        ],
    }
