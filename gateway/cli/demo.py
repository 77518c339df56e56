"""hotich demo: the whole gateway on invented data: samples go through real sockets and lie on the officer's desk."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from gateway.bootstrap import build_readers, make_private
from gateway.cli.outcomes import MessageOutcome, outcomes_of
from gateway.cli.printing import print_table
from gateway.cli.samples import Sample, load_samples, sample_feed, samples_directory
from gateway.cli.send import find_reader, messages_of
from gateway.cli.sending import Receipt, send_http, send_mllp
from gateway.lanes import lanes
from gateway.pipeline.services import Services
from gateway.plugins import load_plugins
from gateway.serving import Ready, serve
from gateway.settings import Settings
from gateway.store.session import now_us
from gateway.web.accounts import create_token, create_user, list_users, set_password

PATIENCE = 180.0
"""Seconds after which work that has not settled counts as stuck."""

PEOPLE = (
    ("canbo", "officer", "Cán bộ hộ tịch (mọi xã, chỉ để trình diễn)", ("*",), ()),
    ("benhvien", "hospital", "Điều dưỡng khoa sản", (), ("*",)),
    ("kiemtra", "auditor", "Người kiểm tra", ("*",), ("*",)),
    ("quantri", "admin", "Quản trị hệ thống", (), ()),
)


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End when all is settled: 0 when every sample went right.")
    ] = False,
    data_dir: Annotated[Path | None, typer.Option(help="Where to keep the demo's data; else hotich-data/demo.")] = None,
) -> None:
    """Serve on invented data, play the samples through MLLP and HTTP, show what became of them and where to look."""
    with tempfile.TemporaryDirectory(prefix="hotich-demo-") as temporary:
        place = data_dir or (Path(temporary) if once else Path("hotich-data") / "demo")
        settings = demo_settings(place, usual_ports=not once)
        show = _Show(settings, once)
        serve(settings, show.run)
    if show.wrong:
        raise typer.Exit(1)


def demo_settings(place: Path, usual_ports: bool = True) -> Settings:
    """Development defaults, the samples' feed, and the usual ports where wanted and free, else any free ones.

    Neither hotich.toml nor the environment is read: invented people must never land in somebody's real database.
    A hotich.toml is written into `place`, so that other commands can look at the demo's data.
    """
    feed = sample_feed(samples_directory())
    name = feed.pop("name")
    make_private(place)
    lines = ['data_dir = "."', f"[feeds.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in feed.items())]
    (place / "hotich.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Settings(
        data_dir=place,
        feeds={name: feed},
        mllp_port=_port(2575) if usual_ports else 0,
        http_port=_port(8080) if usual_ports else 0,
        log_level="error",
    )


def _port(usual: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", usual))
        except OSError:
            return 0
        return usual


@dataclass(slots=True)
class _Show:
    """One run of the demo. `wrong` gathers samples that did not become what their folder says."""

    settings: Settings
    once: bool
    wrong: list[str] = field(default_factory=list)

    async def run(self, ready: Ready, services: Services) -> bool:
        """Prepare, play, wait, tell; returns whether to go on serving."""
        self._say_what_is_invented()
        directory = samples_directory()
        citizens: Any = services.population
        await asyncio.to_thread(citizens.load_csv, directory / "population.csv")
        signing_in = await asyncio.to_thread(_people, services)
        token = await asyncio.to_thread(_token, services)
        samples = load_samples(directory)
        played = [await asyncio.to_thread(_play, ready, token, sample) for sample in samples]
        await self._settle(services)
        became = [await asyncio.to_thread(outcomes_of, services, [raw for raw, _ in sent]) for sent in played]
        for sample, outcomes in zip(samples, became, strict=True):
            self.wrong += judge(sample, outcomes)
        _tell(samples, played, became)
        _say_addresses(ready, signing_in)
        typer.echo(f"\nhotich log verify --config {self.settings.data_dir / 'hotich.toml'}")
        for line in self.wrong:
            typer.echo(f"SAI / WRONG: {line}", err=True)
        return not self.once

    def _say_what_is_invented(self) -> None:
        typer.echo(
            "Bản trình diễn: khóa ký và khóa mã hóa phát triển được tạo tại "
            f"{self.settings.keys}; chữ ký không có giá trị pháp lý.\n"
            "Development keys were made there; what they sign has no legal value. "
            "The population directory and every person are invented.",
            err=True,
        )

    async def _settle(self, services: Services) -> None:
        """Wait until no lane is due, leased or waiting."""
        end = time.monotonic() + PATIENCE
        while (busy := await asyncio.to_thread(_busy, services)) and time.monotonic() < end:
            await asyncio.sleep(0.05)
        if busy:
            self.wrong.append(f"{busy} lanes have not settled after {PATIENCE:.0f} s")
        with services.store.read() as conn:
            self.wrong += [f"{lane.key} was given up: {lane.error}" for lane in lanes.dead_lanes(conn)]


def judge(sample: Sample, outcomes: list[MessageOutcome | None]) -> list[str]:
    """Where the running gateway does not say what the sample's folder says; [] when all is right.

    The folder's expectation knows no population database. So a case may be further than expected, never less far.
    """
    wrong = []
    relevances = tuple(outcome.relevance if outcome else "other" for outcome in outcomes)
    if relevances != sample.relevances:
        wrong.append(f"{sample.name}: relevance expected {sample.relevances}, found {relevances}")
    cases = {case.id: case for outcome in outcomes if outcome for case in outcome.cases}.values()
    found = sorted((case.kind, case.procedure) for case in cases)
    expected = sorted((case["kind"], case["dossier"]["procedure"]) for case in sample.cases)
    if found != expected:
        wrong.append(f"{sample.name}: cases expected {expected}, found {found}")
    on_desk = sum(case.state.startswith("desk:") for case in cases)
    ready = sum(case["status"] == "ready" for case in sample.cases)
    if on_desk < ready:
        wrong.append(f"{sample.name}: {ready} dossiers expected on the desk, found {on_desk}")
    return wrong


_Sent = tuple[bytes, Receipt]


def _busy(services: Services) -> int:
    with services.store.read() as conn:
        depth = lanes.depth(conn)
    return depth.due + depth.waiting


def _people(services: Services) -> list[tuple[str, str, str]]:
    """Make the demo's users, or give those of an earlier run new passwords: (name, role, password)."""
    told = []
    with services.store.write() as conn:
        known = {user.name for user in list_users(conn)}
        for name, role, shown_as, communes, facilities in PEOPLE:
            password = secrets.token_urlsafe(12)
            if name in known:
                set_password(conn, name, password)
            else:
                create_user(conn, name, role, shown_as, password, communes, facilities)
            told.append((name, role, password))
    return told


def _token(services: Services) -> str:
    with services.store.write() as conn:
        return create_token(conn, "demo", "hospital", now_us(services.clock), facilities=("*",))


def _play(ready: Ready, token: str, sample: Sample) -> list[_Sent]:
    """Send a sample's messages in their order, as a hospital would."""
    readers, sent = build_readers(load_plugins()), list[_Sent]()
    host, _, port = ready.mllp.rpartition(":")
    with httpx.Client() as client:
        for message in sample.messages:
            raw = message.file.read_bytes()
            reader = find_reader(readers, raw)
            parts = [raw] if reader is None else messages_of(reader, raw)
            if message.send == "mllp":
                sent += zip(parts, send_mllp(host, int(port), parts), strict=True)
            else:
                receipt = send_http(ready.http, message.send, raw, token, client)
                sent += [(part, receipt) for part in parts]
    return sent


def _tell(samples: list[Sample], played: list[list[_Sent]], became: list[list[MessageOutcome | None]]) -> None:
    columns = ("Mẫu / Sample", "ACK", "Việc / Relevance", "Hồ sơ / Case", "Định danh / Identity", "Thủ tục / Dossier",
               "Xã / Commune", "Tình trạng / State")  # fmt: skip
    rows = [
        row
        for sample, sent, outcomes in zip(samples, played, became, strict=True)
        for (_raw, receipt), outcome in zip(sent, outcomes, strict=True)
        for row in _rows(sample, receipt, outcome)
    ]
    print_table("", columns, rows)


def _rows(sample: Sample, receipt: Receipt, outcome: MessageOutcome | None) -> list[tuple[str, ...]]:
    if outcome is None:
        return [(sample.name, receipt.code, "refused", "", "", "", "", "")]
    relevance = outcome.relevance or "?"
    if not outcome.cases:
        return [(sample.name, receipt.code, relevance, "", "", "", "", "")]
    return [
        (sample.name, receipt.code, relevance, case.id, case.identity, case.procedure, case.commune_code, case.state)
        for case in outcome.cases
    ]


def _say_addresses(ready: Ready, signing_in: list[tuple[str, str, str]]) -> None:
    typer.echo(f"\nTrang / Pages: {ready.http}/    MLLP: {ready.mllp}    (Ctrl-C để dừng / to stop)")
    for name, role, password in signing_in:
        typer.echo(f"  {role:<9} {name:<9} {password}")
