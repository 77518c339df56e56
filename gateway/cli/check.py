"""hotich check: are settings and mappings right? Mistakes are told with place and remedy, then what only looks odd."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from gateway.bootstrap import OFFERED, build_readers, check_feeds, chosen_systems, load_catalogue, refuse_stand_ins
from gateway.cli.check_mutations import print_unguarded
from gateway.cli.check_system import print_differences_of
from gateway.cli.options import AsJson, Config, DataDir, settings_of
from gateway.cli.printing import print_json, print_table
from gateway.errors import GatewayError, MappingError, Mistake, SettingsError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import Form, load_forms
from gateway.mapping.review import review
from gateway.mapping.review_rows import Caution
from gateway.mapping.schema import SCHEMAS
from gateway.plugins import Plugins, check_options, load_plugins
from gateway.ports.clock import SystemClock
from gateway.settings import Settings, rows


class Files(StrEnum):
    """Mapping files that have a JSON Schema."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    FORM = "form"


@dataclass
class _Checked:
    """What a check found; `mappings` is the set's hash, "" when it did not load."""

    mappings: str = ""
    errors: list[GatewayError] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)


def check(
    settings: Annotated[bool, typer.Option("--settings", help="Also print the table of all settings.")] = False,
    schema: Annotated[
        Files | None, typer.Option(help="Only print the JSON Schema of these mapping files, for editors.")
    ] = None,
    mutate: Annotated[
        Path | None,
        typer.Option(
            metavar="SAMPLES",
            help="Break every mapping row in turn; list breakages that no sample folder below SAMPLES notices.",
        ),
    ] = None,
    system: Annotated[
        str, typer.Option(metavar="NAME", help="Ask this commune system for its code lists; list where ours differ.")
    ] = "",
    config: Config = None,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Check settings and mappings without starting: mistakes, which refuse the start, then warnings, which do not.

    Exit code 1 for mapping mistakes, 2 for wrong settings."""
    if schema is not None:
        print_json(SCHEMAS[schema.value]())
        return
    if mutate is not None:
        raise typer.Exit(0 if print_unguarded(mutate, config, data_dir, json) else 1)
    if system:
        raise typer.Exit(0 if print_differences_of(system, config, data_dir, json) else 1)
    checked = _Checked()
    try:
        chosen = settings_of(config, data_dir)
    except SettingsError as error:
        checked.errors.append(error)
        chosen = Settings()  # so that mapping mistakes are told in the same run
    _check(chosen, checked, SystemClock().now().date())
    _print(checked, settings, json)
    if checked.errors:
        raise typer.Exit(2 if any(isinstance(error, SettingsError) for error in checked.errors) else 1)


def _check(settings: Settings, checked: _Checked, today: date) -> None:
    plugins = load_plugins()
    try:
        refuse_stand_ins(settings, plugins)
        for family in ("population", "signing"):
            plugins.choose(family, getattr(settings, family).use)
        readers = build_readers(plugins)
        check_feeds(settings, plugins, readers)
        catalogue = load_catalogue(settings, plugins, readers)
        for name, system in chosen_systems(settings, catalogue).items():
            factory = plugins.choose("commune", system.use)
            check_options(f"commune_systems.{name}", factory, system.options, OFFERED)
    except (SettingsError, MappingError) as error:
        checked.errors.append(error)
        _forms(plugins, None, checked)
        return
    forms = _forms(plugins, catalogue, checked)
    for part in catalogue.parts():
        try:
            _ = part.units  # lists of units are read when first asked for
        except MappingError as error:
            checked.errors.append(error)
            return
    if not checked.errors:
        checked.mappings = catalogue.hash
        checked.cautions = review(catalogue, forms, today, settings.mapping_overlays)


def _forms(plugins: Plugins, catalogue: Catalogue | None, checked: _Checked) -> dict[str, Form]:
    """The officer's pages; their code tables are checked once the tables are known."""
    tables = None if catalogue is None else {table.name for table in catalogue.tables()}
    try:
        return load_forms(plugins.mappings["default"] / "forms", tables)
    except MappingError as error:
        checked.errors.append(error)
        return {}


def _print(checked: _Checked, table: bool, json: bool) -> None:
    if json:
        _print_json(checked, table)
        return
    if table:
        cells = [(row.name, row.variable, row.type, row.default, row.help) for row in rows()]
        print_table("", ("Name", "Variable", "Type", "Default", "Help"), cells)
    for told in _mistakes(checked.errors):
        typer.echo(f"{told['message']} [{told['code']}]")
    for caution in checked.cautions:
        typer.echo(f"warning: {caution}")
    if not checked.errors:
        typer.echo(f"Settings and mappings are right; mapping set {checked.mappings}.")


def _print_json(checked: _Checked, table: bool) -> None:
    document: dict[str, Any] = {
        "ok": not checked.errors,
        "mapping_hash": checked.mappings or None,
        "mistakes": _mistakes(checked.errors),
        "warnings": [asdict(caution) for caution in checked.cautions],
    }
    if table:
        document["settings"] = [
            {"name": row.name, "variable": row.variable, "type": row.type, "default": row.default, "help": row.help}
            for row in rows()
        ]
    print_json(document)


def _mistakes(errors: list[GatewayError]) -> list[dict[str, Any]]:
    """One item a mistake; those of mapping files have their place and remedy apart too."""
    told: list[dict[str, Any]] = []
    for error in errors:
        if isinstance(error, MappingError):
            told += [{"code": error.code, "message": str(mistake), **_place(mistake)} for mistake in error.mistakes]
        else:
            told += [{"code": error.code, "message": line} for line in error.message.splitlines()]
    return told


def _place(mistake: Mistake) -> dict[str, Any]:
    return {
        "file": mistake.file,
        "line": mistake.line,
        "row": mistake.row,
        "problem": mistake.problem,
        "remedy": mistake.remedy,
    }
