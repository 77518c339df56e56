"""hotich serve: everything in one process."""

from __future__ import annotations

from typing import Annotated

import orjson
import typer

from gateway.cli.options import Config, DataDir, settings_of
from gateway.pipeline.services import Services
from gateway.serving import Ready
from gateway.serving import serve as run


def serve(
    config: Config = None,
    data_dir: DataDir = None,
    mllp_port: Annotated[int | None, typer.Option(help="Port of the MLLP listener; 0 takes a free one.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Port of pages and HTTP; 0 takes a free one.")] = None,
) -> None:
    """Serve: MLLP, HTTP, pages and workers in one process. Logs go to standard error as JSON.

    Prints one line {"event":"ready","mllp":"host:port","http":"http://host:port"} when it takes traffic.
    SIGTERM drains: what was acknowledged is stored, work at hand is finished.
    """
    settings = settings_of(config, data_dir, mllp_port=mllp_port, http_port=http_port)
    run(settings, _say_ready)


async def _say_ready(ready: Ready, services: Services) -> bool:
    del services
    typer.echo(orjson.dumps(ready.as_json()).decode())
    return True
