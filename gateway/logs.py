"""Logging: one JSON object a line on standard error. The only home of structlog's configuration.

Events carry ids, codes and counts; never a person's data (docs/errors.md, DESIGN: no personal data in logs).
"""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path

import structlog
from structlog.typing import EventDict


def configure_logging(level: str) -> None:
    """Send structlog's and the standard library's events to standard error as JSON, from `level` upwards."""
    steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _without_words,
    ]
    structlog.configure(
        processors=[
            *steps,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_names: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(ensure_ascii=False), foreign_pre_chain=steps
        )
    )
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level.upper())
    # What set itself up before us (a server of this process) would go on writing in its own way.
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    # httpx and httpcore tell addresses with their queries, and every header that a partner answers.
    for noisy in ("httpx", "httpcore", "alembic", "fhirpathpy"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.root.level))


def _without_words(_logger: object, _method: str, event: EventDict) -> EventDict:
    """An exception as its type and place: its text, and what a library writes behind its own first line (asyncio: the
    task with its exception), may quote a value."""
    told = event.pop("exc_info", None)
    if not told:
        return event
    error = told if isinstance(told, BaseException) else told[1] if isinstance(told, tuple) else sys.exc_info()[1]
    event["event"] = str(event["event"]).partition("\n")[0]
    if error is not None:
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
        event.update(type=type(error).__name__, place=place)
    return event
