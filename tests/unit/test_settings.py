"""Settings: file, environment, command line; every mistake told with a remedy."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from gateway.errors import SettingsError
from gateway.feed_settings import FEED_HELP
from gateway.mapping.overlays import Overlay
from gateway.ports.hospital import Feed
from gateway.settings import Environment, Settings, load, rows


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    monkeypatch.delenv("HOTICH_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def refusal(config: Path | None = None) -> str:
    with pytest.raises(SettingsError) as told:
        load(config)
    return told.value.message


def test_without_a_file_the_defaults_are_a_development_gateway() -> None:
    settings = load()
    assert settings.environment is Environment.DEVELOPMENT
    assert (settings.mllp_port, settings.http_port) == (2575, 8080)
    assert settings.url.startswith("sqlite:////") and settings.url.endswith("/hotich-data/hotich.db")


def test_the_command_line_wins_over_the_environment_and_the_environment_over_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = write(tmp_path / "my.toml", 'mllp_port = 1001\nhttp_port = 1002\ninstance = "file"\n')
    monkeypatch.setenv("HOTICH_HTTP_PORT", "2002")
    monkeypatch.setenv("HOTICH_INSTANCE", "environment")
    settings = load(config, {"instance": "command", "workers": None})
    assert (settings.mllp_port, settings.http_port, settings.instance, settings.workers) == (1001, 2002, "command", 4)


def test_hotich_toml_in_the_current_directory_is_found(tmp_path: Path) -> None:
    write(tmp_path / "hotich.toml", "workers = 9\n")
    assert load().workers == 9


def test_the_file_can_be_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTICH_CONFIG", str(write(tmp_path / "elsewhere.toml", "workers = 8\n")))
    assert load().workers == 8


def test_paths_in_a_file_are_meant_from_where_the_file_lies(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    config = write(folder / "hotich.toml", 'data_dir = "state"\nmapping_overlays = ["local", "/srv/other"]\n')
    settings = load(config)
    assert settings.data_dir == folder / "state"
    assert settings.mapping_overlays == (Overlay(folder / "local"), Overlay(Path("/srv/other")))


def test_feeds_are_tables_by_name(tmp_path: Path) -> None:
    text = '[feeds.khoa-san]\nsenders = ["HIS|BV99001"]\nfacility_code = "99001"\nsettle_seconds = 30\n'
    feeds = load(write(tmp_path / "a.toml", text)).feeds
    assert feeds == {
        "khoa-san": Feed(name="khoa-san", senders=("HIS|BV99001",), facility_code="99001", settle_seconds=30.0)
    }


def test_a_feed_can_be_set_by_the_environment_even_when_its_code_looks_like_a_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOTICH_FEEDS__A__FACILITY_CODE", "99001")
    assert load().feeds["a"].facility_code == "99001"


def test_a_table_of_the_environment_is_laid_over_the_one_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOTICH_POPULATION__OFFICER", "cb01")
    chosen = load(write(tmp_path / "a.toml", '[population]\nuse = "soap"\nagency = "H21"\n')).population
    assert (chosen.use, chosen.options) == ("soap", {"agency": "H21", "officer": "cb01"})


def test_every_mistake_is_told_at_once_with_the_nearest_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTICH_MLP_HOST", "x")
    text = 'mllp_prot = 1\nworkers = 0\n[feeds.a]\nfacility_cod = "99001"\n'
    told = refusal(write(tmp_path / "a.toml", text))
    assert "a.toml: mllp_prot: no such setting; did you mean mllp_port?" in told
    assert "HOTICH_MLP_HOST: no such setting; did you mean HOTICH_MLLP_HOST?" in told
    assert "feeds.a.facility_cod: no such key; did you mean facility_code?" in told
    assert "workers: " in told


@pytest.mark.parametrize(
    "text",
    [
        'environment = "prod"',
        'instance = "Gia Lai"',
        "mllp_port = 70000",
        "session_hours = 0",
        'log_level = "loud"',
        "feeds = 3",
        "[feeds]\na = 3",
        '[feeds.a]\nsenders = "HIS|A"',
        '[population]\nclient = "x"',
        'mllp_tls_key = "key.pem"',
        'http_tls_client_ca = "ca.pem"',
        "mllp_max_connections = 0",
        "mllp_idle_seconds = 0",
    ],
)
def test_a_value_that_makes_no_sense_is_refused(text: str, tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "a.toml", text))


@pytest.mark.parametrize(
    ("table", "named"),
    [
        ("ports = [2575]", "feeds.a.ports: 2575 is also mllp_port"),
        ("ports = [8080]", "feeds.a.ports: 8080 is also http_port"),
        ("ports = [2601, 2601]", "feeds.a.ports: 2601 is also in feeds.a.ports"),
        ("ports = [70000]", "feeds.a.ports: 70000 is no port"),
        ('addresses = ["10.1.2.3/24"]', "feeds.a.addresses: 10.1.2.3/24 has host bits set"),
        ('addresses = ["bv-a.vn"]', "feeds.a.addresses: 'bv-a.vn' does not appear"),
        ('client_certificates = ["his.bv-a.vn"]', "feeds.a.client_certificates: set mllp_tls_client_ca"),
        ('senders = [""]', "feeds.a.senders: an empty name"),
        ('quiet_hours = "22-5"', "feeds.a.quiet_hours: write quiet hours"),
        ("messages_per_second = -1", "feeds.a.messages_per_second: "),
        ("messages_per_second = inf", "feeds.a.messages_per_second: "),
        ("burst_messages = 0", "feeds.a.burst_messages: "),
        ("max_message_bytes = 99000000", "feeds.a.max_message_bytes: "),
        ('control_id_reuse = "maybe"', "feeds.a.control_id_reuse: maybe"),
    ],
)
def test_a_key_of_a_feed_that_makes_no_sense_is_told_by_its_name(table: str, named: str, tmp_path: Path) -> None:
    assert named in refusal(write(tmp_path / "a.toml", f"[feeds.a]\n{table}\n"))


def test_two_feeds_may_not_have_one_port_but_each_a_free_one(tmp_path: Path) -> None:
    text = "[feeds.a]\nports = [{0}]\n[feeds.b]\nports = [{0}]\n"
    assert "feeds.b.ports: 2601 is also in feeds.a.ports" in refusal(write(tmp_path / "a.toml", text.format(2601)))
    assert load(write(tmp_path / "b.toml", text.format(0))).feeds["b"].ports == (0,)


def test_files_of_tls_and_of_feeds_are_meant_from_where_the_settings_lie(tmp_path: Path) -> None:
    text = 'mllp_tls_certificate = "tls/cert.pem"\nmllp_tls_client_ca = "/etc/ca.pem"\n[feeds.a]\noverlay = "bv-a"\n'
    settings = load(write(tmp_path / "a.toml", text))
    assert settings.mllp_tls_certificate == tmp_path / "tls/cert.pem"
    assert settings.mllp_tls_client_ca == Path("/etc/ca.pem")
    assert settings.feeds["a"].overlay == str(tmp_path / "bv-a")


def test_a_missing_file_and_one_that_is_not_toml_are_told_apart(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "absent.toml")
    assert "is not TOML" in refusal(write(tmp_path / "a.toml", "workers ="))


def test_an_unreadable_list_in_the_environment_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTICH_MAPPING_OVERLAYS", "[a")
    assert "write lists as JSON" in refusal()


def test_the_table_has_help_for_every_setting_and_every_key_of_a_feed() -> None:
    table = {row.name: row for row in rows()}
    assert all(row.help for row in table.values())
    assert set(Settings.model_fields) <= set(table)
    assert set(FEED_HELP) == {field.name for field in fields(Feed)} - {"name"}
