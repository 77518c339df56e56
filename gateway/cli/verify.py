"""hotich verify: is this dossier what was signed, by whom, and when?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from gateway.cli.options import AsJson
from gateway.cli.printing import print_json
from gateway.errors import SettingsError
from gateway.ports.clock import SystemClock
from gateway.sealing.asice_report import ContainerReport
from gateway.sealing.asice_verify import verify_container
from gateway.sealing.report import Report
from gateway.sealing.verify import verify_dossier

Trust = Annotated[
    list[Path] | None,
    typer.Option(
        "--trust", help="PEM certificates to trust: signers, their issuers, timestamp authorities' issuers; repeatable."
    ),
]


def verify(
    dossiers: Annotated[list[Path], typer.Argument(metavar="DOSSIER…", exists=True, dir_okay=False)],
    trust: Trust = None,
    json: AsJson = False,
) -> None:
    """Check sealed dossiers (XML) and containers (ASiC-E) offline. Exit code 1 when one was changed, or its signer is
    not trusted.

    A certificate is judged at the time of the dossier's timestamp, without one at the time its signer claims; so seals
    outlive their certificates, and `--trust` may name those of earlier years too."""
    trusted = None if trust is None else [certificate for path in trust for certificate in _certificates(path)]
    reports = {path: _check(path.read_bytes(), trusted) for path in dossiers}
    if json:
        _print_json(reports)
    else:
        _print_words(reports)
    if not all(report.ok for report in reports.values()):
        raise typer.Exit(1)


def _check(content: bytes, trusted: list[x509.Certificate] | None) -> Report | ContainerReport:
    """The report on a file; what it is its first bytes tell, not its name."""
    return verify_container(content, trusted) if content.startswith(b"PK") else verify_dossier(content, trusted)


def _print_json(reports: dict[Path, Report | ContainerReport]) -> None:
    """The report of one file, or all in a list."""
    if len(reports) == 1:
        print_json(next(iter(reports.values())).as_json())
        return
    files = [{"file": str(path), **report.as_json()} for path, report in reports.items()]
    print_json({"ok": all(report.ok for report in reports.values()), "files": files})


def _print_words(reports: dict[Path, Report | ContainerReport]) -> None:
    now = SystemClock().now()
    for path, report in reports.items():
        if len(reports) > 1:
            typer.echo(f"== {path}")
        for line in (*report.words("vi", now), "", *report.words("en", now)):
            typer.echo(line)
        if len(reports) > 1:
            typer.echo()


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError("use.unreadable_certificate", f"--trust {path} holds no PEM certificate") from error
