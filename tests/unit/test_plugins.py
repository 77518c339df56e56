"""Adapters by entry point: found, chosen by name, given what their signature asks for."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from gateway import plugins
from gateway.errors import SettingsError
from gateway.plugins import COMMUNE, HOSPITAL, MAPPINGS, Plugins, load_plugins, make


class Club:
    """An adapter of no domain: it asks for a clock, which the gateway has, and a court, which the settings name."""

    def __init__(self, clock: str, court: str, path: Path | str = "balls.db", players: int = 2) -> None:
        self.asked = (clock, court, path, players)


def refusal(act: Callable[[], object]) -> SettingsError:
    with pytest.raises(SettingsError) as told:
        act()
    return told.value


def test_an_adapter_gets_its_options_and_what_the_gateway_offers() -> None:
    club = make("club", Club, {"court": "grass"}, {"clock": "noon", "vault": "unwanted"}, Path("/base"))
    assert club.asked == ("noon", "grass", "balls.db", 2)


def test_an_option_wins_over_what_the_gateway_offers() -> None:
    assert make("club", Club, {"court": "clay", "clock": "dusk"}, {"clock": "noon"}, Path()).asked[0] == "dusk"


def test_a_path_is_meant_from_the_base() -> None:
    assert make("club", Club, {"court": "c", "path": "x.db"}, {"clock": ""}, Path("/base")).asked[2] == Path(
        "/base/x.db"
    )
    assert make("club", Club, {"court": "c", "path": "/x.db"}, {"clock": ""}, Path("/base")).asked[2] == Path("/x.db")


def test_an_unknown_option_is_refused_with_the_nearest_one() -> None:
    error = refusal(lambda: make("club", Club, {"court": "c", "player": 4}, {"clock": ""}, Path()))
    assert error.message == "club.player: no such option; did you mean players?"


def test_a_missing_option_is_named() -> None:
    assert refusal(lambda: make("club", Club, {}, {"clock": ""}, Path())).message == "club.court must be set"


def test_an_adapter_that_is_not_installed_is_refused_with_the_nearest_one() -> None:
    installed = Plugins({}, {"embedded": Club, "soap": Club}, {}, {}, {})
    assert refusal(lambda: installed.choose("population", "embeded")).message.endswith("did you mean embedded?")
    assert refusal(lambda: installed.choose("population", "zzz")).message.endswith("installed: embedded, soap")
    assert refusal(lambda: installed.choose("commune", "desk")).message.endswith("installed: none")


def offer(monkeypatch: pytest.MonkeyPatch, *points: EntryPoint) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: [point for point in points if point.group == group])


def test_an_adapter_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, EntryPoint("broken", "no_such_package:Thing", HOSPITAL), EntryPoint("m", "mappings", MAPPINGS))
    error = refusal(load_plugins)
    assert error.code == "plugin.not_loadable"
    assert "gateway.hospital: broken = no_such_package:Thing" in error.message


def test_two_packages_may_not_claim_one_name(monkeypatch: pytest.MonkeyPatch) -> None:
    one = EntryPoint("desk", "collections:OrderedDict", COMMUNE)
    offer(monkeypatch, one, EntryPoint("desk", "collections:Counter", COMMUNE), EntryPoint("m", "mappings", MAPPINGS))
    assert refusal(load_plugins).code == "plugin.two_of_a_name"


def test_a_gateway_without_mappings_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch)
    assert refusal(load_plugins).code == "plugin.none_installed"


def test_our_own_adapters_come_in_by_the_same_door() -> None:
    installed = load_plugins()
    assert set(installed.hospital) >= {"hl7v2", "fhir", "moh", "mllp"}
    assert set(installed.population) >= {"embedded"}
    assert set(installed.commune) >= {"desk"}
    assert set(installed.signing) >= {"pem", "development"}
    assert (installed.mappings["default"] / "codes").is_dir()
