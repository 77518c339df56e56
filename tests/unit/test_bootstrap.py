"""Production refuses what was made for development; the rest is put together once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from gateway.bootstrap import build, build_readers, load_catalogue, open_vault, refuse_stand_ins
from gateway.errors import SettingsError
from gateway.plugins import Plugins, load_plugins
from gateway.settings import Settings, load


class RealPopulation:
    """A population client that is not a stand-in."""


class RealKey:
    development_only = False


@pytest.fixture(scope="module")
def installed() -> Plugins:
    found = load_plugins()
    return Plugins(
        found.hospital,
        {**found.population, "soap": RealPopulation},
        found.commune,
        {**found.signing, "device": RealKey},
        found.mappings,
    )


def settings(tmp_path: Path, **given: object) -> Settings:
    return load(None, {"data_dir": tmp_path / "data", **given})


def ready_for_production(tmp_path: Path, **given: object) -> Settings:
    right = {
        "environment": "production",
        "population": {"use": "soap"},
        "signing": {"use": "device"},
        "feeds": {"a": {"senders": ["HIS|A"]}},
        "secure_cookies": True,
    }
    return settings(tmp_path, **(right | given))


def test_production_tells_every_stand_in_at_once(tmp_path: Path, installed: Plugins) -> None:
    with pytest.raises(SettingsError) as told:
        refuse_stand_ins(settings(tmp_path, environment="production", open_intake=True), installed)
    words = told.value.message
    assert len(words.splitlines()) == 5
    for reason in ("population.use", "signing.use", "feeds.default.senders", "open_intake", "secure_cookies"):
        assert reason in words


def test_production_with_nothing_made_for_development_is_let_in(tmp_path: Path, installed: Plugins) -> None:
    refuse_stand_ins(ready_for_production(tmp_path), installed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": {"use": "embedded"}},
        {"signing": {"use": "development"}},
        {"feeds": {"a": {"senders": ["HIS|A", "*"]}}},
        {"open_intake": True},
        {"secure_cookies": False},
    ],
)
def test_each_stand_in_alone_is_refused(wrong: dict[str, object], tmp_path: Path, installed: Plugins) -> None:
    with pytest.raises(SettingsError) as told:
        refuse_stand_ins(ready_for_production(tmp_path, **wrong), installed)
    assert told.value.code == "settings.not_for_production"


_PARTNER = {"use": "any", "url": "https://partner.example"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"population": {"use": "soap", "url": "http://partner.example"}},
        {"population": {"use": "soap", "url": "HTTP://partner.example"}},
        {"commune_systems": {"moj": {**_PARTNER, "token_url": "http://partner.example/token"}}},
        {"commune_systems": {"moj": {**_PARTNER, "url": "http://127.0.0.1:8080"}}},  # as a simulator's is
        {"timestamp": {**_PARTNER, "url": "http://partner.example", "user": "we", "password_file": "tsa.password"}},
    ],
)
def test_partners_in_the_clear_are_refused_in_production(
    wrong: dict[str, object], tmp_path: Path, installed: Plugins
) -> None:
    with pytest.raises(SettingsError) as told:
        refuse_stand_ins(ready_for_production(tmp_path, **wrong), installed)
    assert told.value.code == "settings.not_for_production"
    assert "in the clear" in told.value.message


def test_a_timestamp_authority_that_gets_digests_alone_may_be_asked_in_the_clear(
    tmp_path: Path, installed: Plugins
) -> None:
    authority = {"use": "rfc3161", "url": "http://time.example", "ca": "root.pem"}
    refuse_stand_ins(ready_for_production(tmp_path, timestamp=authority), installed)


def test_development_refuses_no_stand_in(tmp_path: Path, installed: Plugins) -> None:
    refuse_stand_ins(settings(tmp_path, open_intake=True), installed)


def test_production_does_not_make_keys_by_itself(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        open_vault(ready_for_production(tmp_path))
    assert told.value.code == "settings.no_keys"
    assert "hotich migrate" in told.value.message


def test_the_first_start_of_development_makes_everything_it_needs(tmp_path: Path) -> None:
    services = build(settings(tmp_path))
    try:
        assert set(services.readers) == {"hl7v2", "fhir", "moh"}
        assert services.communes["desk"].name == "desk"
        assert services.signing.certificates
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
    finally:
        services.store.close()


def test_a_second_start_finds_the_same_keys(tmp_path: Path) -> None:
    made = build(settings(tmp_path))
    made.store.close()
    again = build(settings(tmp_path))
    again.store.close()
    assert again.vault.unseal(made.vault.seal(b"x")) == b"x"
    assert again.signing.certificates == made.signing.certificates


@pytest.mark.parametrize(
    ("feed", "code", "words"),
    [
        ({"encoding": "cp9999"}, "settings.encoding_unknown", "feeds.a.encoding: "),
        (
            {"formats": ["hl7"]},
            "settings.no_such_format",
            "no installed reader of hl7; did you mean hl7v2?",
        ),
        ({"overlay": "/absent"}, "settings.no_such_overlay", "feeds.a.overlay: /absent is not a directory"),
    ],
)
def test_what_a_feed_asks_for_in_vain_is_told_by_its_key_before_anything_is_made(
    feed: dict[str, object], code: str, words: str, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError) as told:
        build(settings(tmp_path, feeds={"a": feed}))
    assert (told.value.code, words in told.value.message) == (code, True)
    assert not (tmp_path / "data").exists()


def test_a_misspelt_code_table_in_a_feeds_overlay_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    codes = tmp_path / "own" / "codes"
    codes.mkdir(parents=True)
    (codes / "ethnicty.csv").write_text("code,value,name,valid_from,valid_to,source\n")
    with pytest.raises(SettingsError) as told:
        build(settings(tmp_path, feeds={"a": {"overlay": str(tmp_path / "own")}}))
    assert told.value.code == "settings.no_such_table"
    assert "feeds.a.overlay" in told.value.message
    assert "did you mean ethnicity?" in told.value.message


def test_the_overlay_of_a_feed_counts_for_this_feed_alone(tmp_path: Path, installed: Plugins) -> None:
    (tmp_path / "own" / "codes").mkdir(parents=True)
    row = "25,01,Kinh,1979-03-02,,a hospital of our own\n"
    (tmp_path / "own/codes/ethnicity.csv").write_text(f"code,value,name,valid_from,valid_to,source\n{row}")
    chosen = settings(tmp_path, feeds={"a": {"overlay": str(tmp_path / "own")}, "b": {}})
    catalogue = load_catalogue(chosen, installed, build_readers(installed))
    on = date(2026, 11, 23)
    codes = [catalogue.within(name).table("ethnicity", on).get("25") for name in ("a", "b")]
    assert codes == ["01", "25"]


def test_an_overlay_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as told:
        build(settings(tmp_path, mapping_overlays=[tmp_path / "absent"]))
    assert told.value.code == "settings.no_such_overlay"
