"""Adapters and mappings come in by entry points: the same door for ours and for a vendor's wheel.

`load_plugins` is called once by the program; nothing is looked up on import. An entry point names a class or a function
that returns an instance. Its parameters are its options: `make` fills them from the settings by name, and from what the
gateway offers (`store`, `vault`, `clock`, …) when the settings do not say. So an adapter states what it needs by its
signature and gets nothing else.
"""

from __future__ import annotations

import difflib
import importlib
import inspect
import typing
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from gateway.errors import SettingsError

HOSPITAL, POPULATION, COMMUNE, SIGNING, MAPPINGS = (
    "gateway.hospital",
    "gateway.population",
    "gateway.commune",
    "gateway.signing",
    "gateway.mappings",
)
Factory = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Plugins:
    """What is installed, by name. `mappings` are directories."""

    hospital: Mapping[str, Factory]
    population: Mapping[str, Factory]
    commune: Mapping[str, Factory]
    signing: Mapping[str, Factory]
    mappings: Mapping[str, Path]

    def choose(self, family: str, name: str) -> Factory:
        """The adapter `name` of a family. Raises SettingsError naming what is installed."""
        installed: Mapping[str, Factory] = getattr(self, family)
        if name not in installed:
            close = difflib.get_close_matches(name, list(installed), 1)
            hint = f"; did you mean {close[0]}?" if close else f"; installed: {', '.join(sorted(installed)) or 'none'}"
            raise SettingsError("settings.no_such_adapter", f"{family}.use = {name}: no such adapter{hint}")
        return installed[name]


def load_plugins() -> Plugins:
    """Import every installed adapter. Raises SettingsError naming the entry point that cannot be imported or is
    claimed by two packages."""
    families = {group: _load_group(group) for group in (HOSPITAL, POPULATION, COMMUNE, SIGNING)}
    return Plugins(families[HOSPITAL], families[POPULATION], families[COMMUNE], families[SIGNING], find_mappings())


def find_mappings() -> dict[str, Path]:
    """The installed mapping directories by name. Raises SettingsError when none is installed."""
    found: dict[str, Path] = {}
    for point in entry_points(group=MAPPINGS):
        origin = importlib.import_module(point.value).__file__
        if origin is None:
            raise SettingsError("plugin.not_loadable", f"{MAPPINGS}: {point.name} is not a package with an __init__.py")
        found[point.name] = Path(origin).parent
    if not found:
        raise SettingsError("plugin.none_installed", f"no mappings are installed ({MAPPINGS}); reinstall the gateway")
    return found


def _load_group(group: str) -> dict[str, Factory]:
    found: dict[str, Factory] = {}
    for point in entry_points(group=group):
        if point.name in found:
            raise SettingsError("plugin.two_of_a_name", f"{group}: two installed packages offer {point.name}")
        try:
            found[point.name] = point.load()
        except (ImportError, AttributeError) as error:
            words = f"{group}: {point.name} = {point.value} cannot be loaded: {error}"
            raise SettingsError("plugin.not_loadable", words) from error
    return found


def make(where: str, factory: Factory, options: Mapping[str, Any], offered: Mapping[str, Any], base: Path) -> Any:
    """Call `factory` with `options` and, for parameters they leave open, what the gateway offers.

    `where` is the settings table's name, for messages; text for a parameter annotated as Path is meant from `base`.
    Raises SettingsError for an unknown option and for one that is missing.
    """
    check_options(where, factory, options, offered)
    wanted = inspect.signature(factory).parameters
    given = {name: offered[name] for name in wanted if name in offered} | dict(options)
    paths = _path_parameters(factory)
    return factory(**{name: base / value if name in paths else value for name, value in given.items()})


def check_options(where: str, factory: Factory, options: Mapping[str, Any], offered: Collection[str]) -> None:
    """Raises SettingsError, as `make` does, for an option that the factory does not take and for one that it lacks."""
    wanted = inspect.signature(factory).parameters
    configurable = [name for name in wanted if name not in offered]
    unknown = [name for name in options if name not in wanted]
    if unknown:
        close = difflib.get_close_matches(unknown[0], configurable, 1)
        hint = f"; did you mean {close[0]}?" if close else f"; it takes: {', '.join(configurable) or 'no options'}"
        raise SettingsError("settings.unknown_option", f"{where}.{unknown[0]}: no such option{hint}")
    empty = inspect.Parameter.empty
    missing = [name for name in configurable if wanted[name].default is empty and name not in options]
    if missing:
        raise SettingsError("settings.option_missing", f"{where}.{missing[0]} must be set")


def _path_parameters(factory: Factory) -> set[str]:
    target = factory.__init__ if inspect.isclass(factory) else factory
    hints = typing.get_type_hints(target)
    return {name for name, hint in hints.items() if hint is Path or Path in typing.get_args(hint)}
