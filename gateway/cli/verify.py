"""hotich verify: is this dossier what was signed, and by whom?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from cryptography import x509

from gateway.cli.options import AsJson
from gateway.cli.printing import print_json
from gateway.errors import SettingsError
from gateway.sealing.verify import verify_dossier

Trust = Annotated[
    list[Path] | None, typer.Option("--trust", help="PEM certificates of signers or issuers to trust; repeatable.")
]


def verify(
    dossier: Annotated[Path, typer.Argument(metavar="DOSSIER.xml", exists=True, dir_okay=False)],
    trust: Trust = None,
    json: AsJson = False,
) -> None:
    """Check a sealed dossier offline. Exit code 1 when it was changed, or its signer is not trusted."""
    trusted = None if trust is None else [certificate for path in trust for certificate in _certificates(path)]
    report = verify_dossier(dossier.read_bytes(), trusted)
    if json:
        print_json(report.as_json())
    else:
        for line in (*report.words("vi"), "", *report.words("en")):
            typer.echo(line)
    if not report.ok:
        raise typer.Exit(1)


def _certificates(path: Path) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError("use.unreadable_certificate", f"--trust {path} holds no PEM certificate") from error
