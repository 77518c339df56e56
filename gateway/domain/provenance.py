"""Where a value came from: message, path in it, mapping row that read it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Provenance:
    """`message` is a message id (or file path in rehearsal), "population" or "desk"; `path` is in the source format's
    own path language; `rule` is `<mapping file>#<row target>`."""

    message: str
    path: str
    rule: str
