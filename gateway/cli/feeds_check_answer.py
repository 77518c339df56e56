"""Whether a feed's sender can be told of outcomes: is the address reachable, the secret readable, the folder writable?
Nothing is sent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from gateway.cli.feeds_check_ways import Said, is_open
from gateway.ports.hospital import Feed

_PORTS = {"https": 443, "http": 80}
_IN_CLEAR = ("http", "mllp")
_OURSELVES = ("localhost", "127.0.0.1", "::1")


def check_answer(feed: Feed) -> Iterator[Said]:
    """Nothing to say of a feed that wants no answers."""
    if not feed.answer:
        return
    secret_ok = not feed.answer_secret or _is_readable(Path(feed.answer_secret))
    if not secret_ok:
        yield "answer.secret", {"path": feed.answer_secret}
    trouble = _trouble(feed)
    if trouble:
        yield trouble, {"address": _address(feed)}
    to = urlsplit(feed.answer_to)
    if to.scheme in _IN_CLEAR and to.hostname not in _OURSELVES:
        yield "answer.in_clear", {"address": _address(feed)}
    if secret_ok and not trouble:
        yield "answer.ok", {"address": _address(feed)}


def _trouble(feed: Feed) -> str:
    if feed.answer == "file":
        usable = Path(feed.answer_to).is_dir() and os.access(feed.answer_to, os.W_OK | os.X_OK)
        return "" if usable else "answer.folder"
    to = urlsplit(feed.answer_to)
    return "" if is_open(to.hostname or "", to.port or _PORTS.get(to.scheme, 0)) else "answer.closed"


def _address(feed: Feed) -> str:
    """Without the query, in which some receivers want a secret."""
    return feed.answer_to.partition("?")[0]


def _is_readable(path: Path) -> bool:
    try:
        return bool(path.read_text(encoding="utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return False
