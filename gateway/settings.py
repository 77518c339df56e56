"""Settings: `hotich.toml` and `HOTICH_*` environment variables, checked before anything starts.

The fields of `Settings` are the one table of name, type, default and help: docs/settings.md and `hotich check
--settings` are written from it. A value on the command line wins over the environment, the environment over the file.
`load` raises SettingsError listing every mistake, never only the first.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import (
    SettingsError as VariableError,
)

from gateway.errors import SettingsError
from gateway.feed_settings import FEED_HELP, feed_tables, find_wrong_feeds, nearest, overlay_entries
from gateway.mapping.overlays import Overlay
from gateway.ports.hospital import Feed

PREFIX = "HOTICH_"
NOT_SETTINGS = {"HOTICH_CONFIG", "HOTICH_PASSWORD", "HOTICH_TOKEN"}
"""Environment variables of the commands themselves: where the file is, a new user's password, a token."""


class Environment(StrEnum):
    """`production` refuses every stand-in made for development (gateway.bootstrap)."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class Chosen(BaseModel):
    """An adapter by the name of its entry point; every other key is an option of that adapter."""

    model_config = ConfigDict(extra="allow", frozen=True)
    use: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


ANYONE = Feed(senders=("*",))
"""The feed of a gateway nobody has configured: takes every sender, so production refuses it."""


class Settings(BaseSettings):
    """Everything an operator can choose. One field is one row of docs/settings.md."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, coerce_numbers_to_str=True
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="`development` or `production`; production refuses development stand-ins."
    )
    instance: str = Field(
        "gateway",
        pattern=r"^[a-z0-9-]{1,32}$",
        description="Name of this running gateway, unique among those sharing a database; names its log chains.",
    )
    data_dir: Path = Field(
        Path("hotich-data"), description="Directory of the SQLite database, keys and local files; made when absent."
    )
    database_url: str = Field(
        "", description="SQLAlchemy URL, `postgresql+psycopg://…` beyond one machine; empty: a file in `data_dir`."
    )
    keys_dir: Path | None = Field(None, description="Directory of the master and log keys; empty: data_dir/keys.")
    mllp_host: str = Field("127.0.0.1", description="Address the MLLP listener binds to.")
    mllp_port: int = Field(2575, ge=0, le=65535, description="Port of the MLLP listener; 0 takes a free one.")
    mllp_tls_certificate: Path | None = Field(
        None,
        description="PEM file of the MLLP listeners' certificate and chain: they speak TLS alone, 1.2 or later.",
    )
    mllp_tls_key: Path | None = Field(None, description="PEM file of its private key; empty: the same file.")
    mllp_tls_client_ca: Path | None = Field(
        None, description="PEM file of the authorities whose client certificates MLLP asks for: mutual TLS."
    )
    mllp_max_connections: int = Field(1_000, ge=1, description="MLLP connections at once, all senders together.")
    mllp_max_connections_per_address: int = Field(256, ge=1, description="MLLP connections at once from one address.")
    mllp_idle_seconds: float = Field(3_600.0, gt=0, description="Seconds until a silent MLLP connection is closed.")
    mllp_frame_seconds: float = Field(300.0, gt=0, description="Seconds one MLLP frame may take to arrive.")
    http_host: str = Field("127.0.0.1", description="Address of the pages and the HTTP interface.")
    http_port: int = Field(8080, ge=0, le=65535, description="Port of the pages and the HTTP interface; 0: a free one.")
    http_tls_certificate: Path | None = Field(
        None, description="PEM file of the certificate of pages and HTTP interface; empty: put TLS in front."
    )
    http_tls_key: Path | None = Field(None, description="PEM file of its private key; empty: the same file.")
    http_tls_client_ca: Path | None = Field(
        None, description="PEM file of the authorities whose client certificates HTTP takes; browsers need none."
    )
    http_max_connections: int = Field(1_000, ge=1, description="HTTP connections at once, all together.")
    http_max_connections_per_address: int = Field(
        256, ge=1, description="HTTP connections at once from one address; a trusted proxy has no such limit."
    )
    http_request_seconds: float = Field(60.0, gt=0, description="Seconds one HTTP request may take to arrive.")
    trusted_proxies: tuple[str, ...] = Field(
        ("127.0.0.1",), description="Addresses whose `X-Forwarded-For` is believed when a sender's address counts."
    )
    feeds: Annotated[dict[str, Feed], BeforeValidator(feed_tables)] = Field(
        {"default": ANYONE}, description="One `[feeds.NAME]` table for each sending system; keys below."
    )
    mapping_overlays: Annotated[tuple[Overlay, ...], BeforeValidator(overlay_entries)] = Field(
        (),
        description="Directories of local mapping rows, later ones win; they replace rows by `to`. An entry is a path, "
        "or a table with `path` and `feeds` (names) or `provinces` (two-digit codes) for which alone it counts.",
    )
    population: Chosen = Field(
        Chosen(use="embedded"),
        description="Population database: `use` names the client, other keys are its options.",
    )
    population_per_second: float = Field(
        0.0, ge=0, description="Questions a second this process asks the population database, on average; 0: no limit."
    )
    commune_systems: dict[str, Chosen] = Field(
        {},
        description="One `[commune_systems.NAME]` table for each system beside the built-in `desk`: `use` names the "
        "client, other keys are its options. Which commune uses which: code table commune_systems.csv.",
    )
    signing: Chosen = Field(
        Chosen(use="development"),
        description="Key that seals dossiers: `use` names it, other keys are its options.",
    )
    timestamp: Chosen | None = Field(
        None, description='Authority that timestamps seals (RFC 3161), such as `use = "rfc3161"`; empty: none.'
    )
    timestamp_patience_seconds: float = Field(
        900.0, ge=0, description="Seconds a silent timestamp authority may hold a dossier back; then it goes without."
    )
    workers: int = Field(4, ge=1, le=64, description="Threads that work on cases.")
    identity_patience_seconds: float = Field(
        900.0,
        ge=0,
        description="Seconds a silent population database may hold a case back; then it goes on as not verified.",
    )
    max_message_bytes: int = Field(
        16_000_000, ge=1_000, description="Largest message taken, in bytes; larger ones are refused."
    )
    open_intake: bool = Field(
        False, description="Take messages over HTTP without a token. Development only; MLLP never has tokens."
    )
    session_hours: float = Field(8.0, gt=0, le=24, description="Hours after which a signed-in person signs in again.")
    secure_cookies: bool = Field(
        False, description="Send session cookies over HTTPS only; production needs it (put TLS in front)."
    )
    log_level: str = Field(
        "info", pattern="^(debug|info|warning|error)$", description="Least severe event written to standard error."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Nothing hidden: `load` merges file, environment and command line itself and can so name every mistake."""
        del settings_cls, env_settings, dotenv_settings, file_secret_settings
        return (init_settings,)

    _base: Path = PrivateAttr(default=Path())

    def meant_from(self, base: Path) -> Settings:
        """These settings, with `base` for the paths among the options of adapters."""
        self._base = base
        return self

    @property
    def base(self) -> Path:
        """Where paths among the options of adapters are meant from: the directory of the settings file."""
        return self._base

    @property
    def url(self) -> str:
        """The database's URL."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'hotich.db'}"

    @property
    def keys(self) -> Path:
        """Where the master keys, the log's key and the development signing key lie."""
        return self.keys_dir or self.data_dir / "keys"


def load(config: Path | None = None, given: Mapping[str, Any] | None = None) -> Settings:
    """Settings from the file (`config`, else HOTICH_CONFIG, else ./hotich.toml when it is there), the environment and
    `given` (command line; None values are ignored). Raises SettingsError with every mistake found."""
    path = _config_path(config)
    stated = {} if path is None else _read(path)
    known = list(Settings.model_fields)
    mistakes = [f"{path}: {key}: no such setting{nearest(key, known)}" for key in stated if key not in known]
    mistakes += _unknown_variables(known)
    if path is not None:
        stated = _against(path.parent, {key: value for key, value in stated.items() if key in known})
    chosen = _merge(stated, _from_environment()) | {k: v for k, v in (given or {}).items() if v is not None}
    settings = None
    try:
        settings = Settings(**chosen).meant_from(path.parent if path is not None else Path())
    except ValidationError as error:
        mistakes += [_sentence(mistake["loc"], mistake["msg"]) for mistake in error.errors()]
    if settings is not None:
        mistakes += _wrong_tls(settings)
        mistakes += find_wrong_feeds(
            settings.feeds,
            taken_ports={"mllp_port": settings.mllp_port, "http_port": settings.http_port},
            max_message_bytes=settings.max_message_bytes,
            asks_certificates=bool(settings.mllp_tls_client_ca or settings.http_tls_client_ca),
        )
    if settings is None or mistakes:
        raise SettingsError("settings.invalid", "\n".join(mistakes))
    return settings


def _wrong_tls(settings: Settings) -> list[str]:
    """A key or an authority without a certificate would leave a listener in the clear that was meant to be safe."""
    return [
        f"{way}_tls_{part}: has no effect without {way}_tls_certificate"
        for way in ("mllp", "http")
        for part in ("key", "client_ca")
        if getattr(settings, f"{way}_tls_{part}") and not getattr(settings, f"{way}_tls_certificate")
    ]


def _config_path(config: Path | None) -> Path | None:
    stated = config or (Path(os.environ["HOTICH_CONFIG"]) if os.environ.get("HOTICH_CONFIG") else None)
    if stated is not None:
        return stated
    usual = Path("hotich.toml")
    return usual if usual.exists() else None


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError("settings.file_missing", f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("settings.not_toml", f"{path} is not TOML: {error}") from error


def _unknown_variables(known: Iterable[str]) -> list[str]:
    """A misspelt variable would silently leave a default in force."""
    names = {PREFIX + name.upper() for name in known}
    strangers = (
        name
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name not in NOT_SETTINGS and not name.startswith("HOTICH_TEST_")
    )
    return [f"{name}: no such setting{nearest(name, names)}" for name in strangers if name.split("__")[0] not in names]


def _against(directory: Path, stated: dict[str, Any]) -> dict[str, Any]:
    """Paths in a file are meant from where the file lies."""
    for key in ("data_dir", "keys_dir", *(name for name in Settings.model_fields if "_tls_" in name)):
        if isinstance(stated.get(key), str):
            stated[key] = directory / stated[key]
    for table in stated["feeds"].values() if isinstance(stated.get("feeds"), dict) else ():
        for key in ("folder", "overlay", "answer_secret", "answer_ca") if isinstance(table, dict) else ():
            if isinstance(table.get(key), str) and table[key]:
                table[key] = str(directory / table[key])
    if isinstance(stated.get("mapping_overlays"), list):
        stated["mapping_overlays"] = [_overlay_against(directory, entry) for entry in stated["mapping_overlays"]]
    return stated


def _overlay_against(directory: Path, entry: Any) -> Any:
    if isinstance(entry, dict) and isinstance(entry.get("path"), str):
        return entry | {"path": directory / entry["path"]}
    return directory / entry if isinstance(entry, str) else entry


def _from_environment() -> dict[str, Any]:
    """HOTICH_* as pydantic-settings reads them: keys of tables after `__`, lists as JSON."""
    try:
        return dict(EnvSettingsSource(Settings)())
    except VariableError as error:
        raise SettingsError("settings.variable_unreadable", f"HOTICH_*: {error}; write lists as JSON") from error


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` wins, key by key inside tables."""
    merged = dict(below)
    for key, value in above.items():
        under = merged.get(key)
        merged[key] = _merge(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return merged


def _sentence(place: tuple[int | str, ...], words: str) -> str:
    return f"{'.'.join(str(part) for part in place)}: {words.removeprefix('Value error, ')}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the settings table. `name` as in the file, `variable` as in the environment."""

    name: str
    variable: str
    type: str
    default: str
    help: str


def rows() -> list[Row]:
    """The table of settings, feeds' keys last, in the order of the classes."""
    table = []
    for name, setting in Settings.model_fields.items():
        shown = _shown(setting.get_default())
        table.append(
            Row(name, PREFIX + name.upper(), _KINDS[str(setting.annotation)], shown, setting.description or "")
        )
    for key in fields(Feed):
        if key.name in FEED_HELP:
            shown = _shown(getattr(Feed(), key.name))
            table.append(Row(f"feeds.NAME.{key.name}", "", _KINDS[str(key.type)], shown, FEED_HELP[key.name]))
    return table


_KINDS = {
    str(annotation): words
    for annotation, words in {
        Environment: "text",
        str: "text",
        int: "whole number",
        float: "number",
        bool: "true or false",
        Path: "path",
        Path | None: "path",
        tuple[Overlay, ...]: "list of paths or tables",
        tuple[str, ...]: "list of text",
        Chosen: "table",
        Chosen | None: "table",
        dict[str, Chosen]: "tables",
        dict[str, Feed]: "tables",
        # Feed's annotations are text
        "str": "text",
        "Literal['', 'old', 'new']": "text",
        "Literal['vi', 'en']": "text",
        "Literal['report', 'require']": "text",
        "Literal['', 'hl7v2', 'fhir', 'webhook', 'file']": "text",
        "Literal['R4', 'R4B', 'R5']": "text",
        "bool": "true or false",
        "str | None": "text",
        "int": "whole number",
        "float": "number",
        "tuple[str, ...]": "list of text",
        "tuple[int, ...]": "list of whole numbers",
    }.items()
}


def _shown(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case None | "" | ():
            return ""
        case Chosen():
            return f'use = "{value.use}"'
        case dict():
            return ", ".join(f"{name}: senders {', '.join(feed.senders)}" for name, feed in value.items())
        case tuple():
            return ", ".join(str(entry) for entry in value)
    return str(value)
