"""From settings to running parts: the one place that knows which concrete class stands behind each port."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import structlog

from gateway.errors import SettingsError
from gateway.feed_settings import nearest
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.overlays import Overlay
from gateway.pipeline.pace import Pace
from gateway.pipeline.services import Services
from gateway.pipeline.systems import DESK, SYSTEMS_TABLE
from gateway.plugins import Plugins, load_plugins, make
from gateway.ports.clock import Clock, SystemClock
from gateway.ports.commune import CommuneSystem
from gateway.ports.hospital import Feed, Listener, MessageReader, OutcomeSender
from gateway.ports.signing import TimestampAuthority
from gateway.settings import Chosen, Environment, Settings
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.tls import server_context

log = structlog.get_logger()


def build(settings: Settings, plugins: Plugins | None = None) -> Services:
    """Open the database, keys, mappings and adapters. Raises SettingsError or MappingError; nothing is half started.

    SQLite is migrated here; PostgreSQL only by `hotich migrate`, because several gateways share it.
    """
    plugins = plugins or load_plugins()
    refuse_stand_ins(settings, plugins)
    readers = build_readers(plugins)
    check_feeds(settings, plugins, readers)
    catalogue = load_catalogue(settings, plugins, readers)
    store, vault, clock = open_store(settings), open_vault(settings), SystemClock()
    offered = _offered(settings, store, vault, clock)
    offered["table"] = lambda name: catalogue.table(name, clock.now().date())
    offered["signing"] = _adapter(settings, plugins, "signing", settings.signing, offered)
    return Services(
        store=store,
        vault=vault,
        clock=clock,
        catalogue=catalogue,
        readers=readers,
        feeds=settings.feeds,
        population=_adapter(settings, plugins, "population", settings.population, offered),
        communes=build_communes(settings, plugins, catalogue, offered),
        signing=offered["signing"],
        writer=settings.instance,
        identity_patience=settings.identity_patience_seconds,
        senders=build_senders(plugins, offered),
        timestamp=_timestamp(settings, plugins, offered),
        timestamp_patience=settings.timestamp_patience_seconds,
        population_pace=Pace(settings.population_per_second) if settings.population_per_second else None,
    )


OFFERED = ("store", "vault", "clock", "directory", "common_name", "table", "signing", "name", "path")
"""What adapters may ask for by the names of their parameters."""


def build_communes(
    settings: Settings, plugins: Plugins, catalogue: Catalogue, offered: Mapping[str, Any]
) -> dict[str, CommuneSystem]:
    """The commune systems by name, built. Raises SettingsError as `chosen_systems` does."""
    systems: dict[str, CommuneSystem] = {}
    for name, system in chosen_systems(settings, catalogue).items():
        own = {**offered, "name": name, "directory": settings.data_dir / name}
        factory = plugins.choose("commune", system.use)
        systems[name] = make(f"commune_systems.{name}", factory, system.options, own, settings.base)
    return systems


def chosen_systems(settings: Settings, catalogue: Catalogue) -> dict[str, Chosen]:
    """The desk and the commune systems of the settings by name. Raises SettingsError for a name that the table of
    communes uses and nobody configured."""
    chosen = {DESK: Chosen(use=DESK), **settings.commune_systems}
    used = {row.columns["value"] for table in catalogue.tables() if table.name == SYSTEMS_TABLE for row in table.rows}
    if missing := sorted(used - set(chosen)):
        words = f"commune_systems.csv names {', '.join(missing)}: add [commune_systems.{missing[0]}] to the settings"
        raise SettingsError("settings.no_such_system", words)
    return chosen


def build_senders(plugins: Plugins, offered: Mapping[str, Any]) -> dict[str, OutcomeSender]:
    """What tells hospitals of outcomes, by way. A hospital entry point is a sender when it has a `way`."""
    factories = [factory for _name, factory in sorted(plugins.hospital.items()) if hasattr(factory, "way")]
    senders: list[OutcomeSender] = [make("hospital", factory, {}, offered, Path()) for factory in factories]
    return {sender.way: sender for sender in senders}


def _timestamp(settings: Settings, plugins: Plugins, offered: Mapping[str, Any]) -> TimestampAuthority | None:
    chosen = settings.timestamp
    if chosen is None:
        return None
    authority: TimestampAuthority = make(
        "timestamp", plugins.choose("signing", chosen.use), chosen.options, offered, settings.base
    )
    return authority


def build_readers(plugins: Plugins) -> dict[str, MessageReader]:
    """Every installed message reader by its format, in the order of their names. A hospital entry point is a reader
    when it has a `format`; the others are listeners."""
    factories = [factory for _name, factory in sorted(plugins.hospital.items()) if hasattr(factory, "format")]
    readers: list[MessageReader] = [factory() for factory in factories]
    return {reader.format: reader for reader in readers}


def build_listener(settings: Settings, plugins: Plugins) -> Listener:
    """The MLLP listener, on the ports of the settings and of the feeds."""
    offered = {
        "host": settings.mllp_host,
        "port": settings.mllp_port,
        "feed_ports": {feed.name: feed.ports for feed in settings.feeds.values() if feed.ports},
        "max_bytes": settings.max_message_bytes,
        "max_connections": settings.mllp_max_connections,
        "max_connections_per_address": settings.mllp_max_connections_per_address,
        "idle_seconds": settings.mllp_idle_seconds,
        "frame_seconds": settings.mllp_frame_seconds,
        "tls": tls_of(settings, "mllp"),
    }
    listener: Listener = make("mllp", plugins.choose("hospital", "mllp"), {}, offered, settings.data_dir)
    return listener


def build_folders(settings: Settings, plugins: Plugins) -> Listener | None:
    """The listener over the feeds' drop folders; None when no feed has one."""
    if not any(feed.folder for feed in settings.feeds.values()):
        return None
    offered = {"feeds": settings.feeds, "clock": SystemClock(), "max_bytes": settings.max_message_bytes}
    listener: Listener = make("folder", plugins.choose("hospital", "folder"), {}, offered, settings.data_dir)
    return listener


def tls_of(settings: Settings, way: Literal["mllp", "http"]) -> ssl.SSLContext | None:
    """The TLS context of a way in, None when it has no certificate. MLLP demands a client certificate where it can
    check one; HTTP takes one, as browsers have none. Raises SettingsError."""
    files = (getattr(settings, f"{way}_tls_{part}") for part in ("certificate", "key", "client_ca"))
    return server_context(way, *files, required=way == "mllp")


def check_feeds(settings: Settings, plugins: Plugins, readers: Mapping[str, MessageReader]) -> None:
    """What feeds ask of installed adapters: formats there are, and whatever an adapter's `check_feed` looks at. Raises
    SettingsError listing every mistake by its key."""
    wrong, code = [], "settings.no_such_format"
    listeners = [factory for factory in plugins.hospital.values() if not hasattr(factory, "format")]
    for feed in settings.feeds.values():
        wrong += [
            f"feeds.{feed.name}.formats: no installed reader of {name}{nearest(name, readers)}"
            for name in feed.formats
            if name not in readers
        ]
        for asked in (*readers.values(), *listeners):
            try:
                getattr(asked, "check_feed", _nothing_to_check)(feed)
            except SettingsError as error:
                wrong.append(error.message)
                code = error.code
    if wrong:
        raise SettingsError(code, "\n".join(wrong))


def _nothing_to_check(feed: Feed) -> None:
    """For adapters to which every feed is the same."""


def load_catalogue(settings: Settings, plugins: Plugins, readers: Mapping[str, MessageReader]) -> Catalogue:
    """The installed mappings under the overlays of the settings. Raises MappingError listing every mistake.

    A vendor's mapping package is an overlay too: installed, under its name, it comes before the local ones.
    """
    others = [Overlay(path) for name, path in sorted(plugins.mappings.items()) if name != "default"]
    for stated in settings.mapping_overlays:
        if not stated.path.is_dir():
            raise SettingsError("settings.no_such_overlay", f"mapping_overlays: {stated.path} is not a directory")
        for feed in stated.feeds:
            if feed not in settings.feeds:
                raise SettingsError("settings.no_such_feed", f"mapping_overlays: {stated.path}: no feed {feed}")
    shipped = plugins.mappings["default"]
    own = [_own_overlay(feed, shipped) for feed in settings.feeds.values() if feed.overlay]
    return Catalogue.load(shipped, readers, [*others, *settings.mapping_overlays, *own])


def _own_overlay(feed: Feed, shipped: Path) -> Overlay:
    """The overlay of one feed. Its code tables must be ones that there are: a misspelt one would never be looked at."""
    path = Path(feed.overlay)
    if not path.is_dir():
        raise SettingsError("settings.no_such_overlay", f"feeds.{feed.name}.overlay: {path} is not a directory")
    known = {table.stem for table in (shipped / "codes").glob("*.csv")}
    used = "".join(rules.read_text(encoding="utf-8", errors="replace") for rules in path.rglob("*.toml"))
    for table in sorted(path.glob("codes/*.csv")):
        if table.stem not in known and f'"{table.stem}"' not in used:
            words = f"feeds.{feed.name}.overlay: {table}: no code table {table.stem}{nearest(table.stem, known)}"
            raise SettingsError("settings.no_such_table", words)
    return Overlay(path, feeds=(feed.name,))


def open_store(settings: Settings) -> Store:
    """The database, at the schema this version needs."""
    make_private(settings.data_dir)
    store = Store.open(settings.url)
    if store.is_sqlite:
        store.migrate()
    else:
        store.check()
    return store


def open_vault(settings: Settings) -> Vault:
    """The keys that encrypt persons' data. In development the first start makes them; in production `hotich migrate`
    does, so that a lost key directory is an error and not a fresh start."""
    if settings.environment is Environment.PRODUCTION and not any(settings.keys.glob("master-*.key")):
        words = f"{settings.keys} holds no master key; restore it, or run `hotich migrate` on a first installation"
        raise SettingsError("settings.no_keys", words)
    return Vault.open(settings.keys)


def refuse_stand_ins(settings: Settings, plugins: Plugins) -> None:
    """In production, refuse what was made for development: every reason in one SettingsError."""
    if settings.environment is not Environment.PRODUCTION:
        return
    reasons = []
    if getattr(plugins.choose("population", settings.population.use), "development_only", False):
        reasons.append(f"population.use = {settings.population.use} holds invented citizens; name the real client")
    if settings.signing.use == "development" or _signing_key(settings, plugins).development_only:
        reasons.append(f"signing.use = {settings.signing.use}: a development key has no legal value; name a real key")
    reasons += [
        f"feeds.{feed.name}.senders = * takes anyone's messages; name the senders"
        for feed in settings.feeds.values()
        if "*" in feed.senders
    ]
    reasons += [
        f"{where}.{name} = {address} sends persons' data or passwords in the clear; use https://"
        for where, options in _partner_options(settings)
        for name, address in options.items()
        if isinstance(address, str) and address.lower().startswith("http://")
    ]
    if settings.open_intake:
        reasons.append("open_intake = true takes messages without a token; set it to false")
    if not settings.secure_cookies:
        reasons.append("secure_cookies = false sends session cookies in the clear; put TLS in front and set it to true")
    if reasons:
        raise SettingsError("settings.not_for_production", "\n".join(reasons))


def _partner_options(settings: Settings) -> list[tuple[str, Mapping[str, Any]]]:
    """Where options of partners stand in the settings, and the options."""
    systems = [(f"commune_systems.{name}", chosen.options) for name, chosen in settings.commune_systems.items()]
    feeds = [(f"feeds.{name}", {"answer_to": feed.answer_to}) for name, feed in settings.feeds.items()]
    if settings.timestamp is not None and "password_file" in settings.timestamp.options:
        # Without a password only digests go there, what comes back is signed, and public authorities speak plain HTTP.
        systems.append(("timestamp", settings.timestamp.options))
    return [("population", settings.population.options), *systems, *feeds]


def _signing_key(settings: Settings, plugins: Plugins) -> Any:
    offered: dict[str, Any] = {"clock": SystemClock()}
    return make(
        "signing", plugins.choose("signing", settings.signing.use), settings.signing.options, offered, settings.base
    )


def _adapter(settings: Settings, plugins: Plugins, family: str, chosen: Chosen, offered: Mapping[str, Any]) -> Any:
    """The chosen adapter of a family; `path` is its own file in the data directory unless an option says otherwise."""
    own = {**offered, "path": settings.data_dir / f"{family}.db"}
    return make(family, plugins.choose(family, chosen.use), chosen.options, own, settings.base)


def _offered(settings: Settings, store: Store, vault: Vault, clock: Clock) -> dict[str, Any]:
    """What adapters may ask for by the names of their parameters."""
    return {
        "store": store,
        "vault": vault,
        "clock": clock,
        "directory": settings.keys,
        "common_name": settings.instance,
    }


def make_private(directory: Path) -> None:
    """Make a directory only this user can enter. Raises SettingsError when it cannot be made."""
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError("settings.directory_unusable", f"{directory} cannot be made: {error.strerror}") from error
