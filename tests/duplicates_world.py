"""What two hospitals say about one person, in cases that tests.web_world has put there. Everybody is invented."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from gateway.domain.case import Rank, Reading
from gateway.domain.notification import build, flatten
from gateway.domain.provenance import Provenance
from gateway.pipeline.cases import find_case, save_case
from gateway.pipeline.duplicates import propose_duplicates
from tests.web_world import World


def say(world: World, case_id: str, kind: str, **facts: Any) -> None:
    """A message of the case's hospital, as `correlate` files it."""
    told = build(kind, {path.replace("__", "."): value for path, value in facts.items()})
    sources = {path: Provenance(case_id, "x", "x") for path in flatten(told)}
    said = Reading(f"m-{case_id}", kind, kind, Rank.MESSAGE, "2026-11-23T02:00:00+00:00", (), told, sources)
    with world.store.write() as conn:
        case = find_case(conn, world.vault, case_id)
        assert case is not None
        saved = save_case(conn, world.vault, replace(case, readings=(said,)), now=world.now, changed=True)
        propose_duplicates(conn, world.services, saved, said, world.now)
