"""One message that cannot be interpreted stops nothing that comes after it."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.pipeline import interpret
from gateway.store.session import Store, execute
from gateway.store.vault import Vault
from tests.life_world import Life
from tests.stay_messages import Newborn


@pytest.fixture
def life(store: Store, vault: Vault, clock: Any) -> Life:
    return Life(store, vault, clock)


def lanes_of(life: Life) -> dict[str, bool]:
    """Lanes that still have work, and whether they gave up."""
    with life.store.read() as conn:
        return {row[0]: bool(row[1]) for row in execute(conn, "SELECT key, dead FROM lane WHERE dead").fetchall()}


def give_up(life: Life) -> None:
    for _ in range(12):
        life.clock.pass_seconds(3600)
        life.work()


def test_a_defect_on_a_message_alone_in_its_group_does_not_hold_the_next_ones(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    sort = interpret.sort_message

    def defective(reader: Any, raw: bytes, *rest: Any) -> Any:
        if b"BN9" in raw:
            raise KeyError("defect")
        return sort(reader, raw, *rest)

    monkeypatch.setattr(interpret, "sort_message", defective)
    life.take(Newborn(1, "A01", "BN9"))
    give_up(life)
    life.take(Newborn(2, "A01", "BN1"))
    assert life.states() == ["birth sent"]
    assert list(lanes_of(life)) == ["message:test.1"]


def test_a_payload_that_somebody_changed_does_not_hold_the_next_messages(
    life: Life, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, life.work = life.work, lambda: None  # type: ignore[method-assign]
    life.take(Newborn(1, "A01", "BN9"))
    with life.store.write() as conn:
        execute(conn, "UPDATE payload SET sealed = ?", (b"changed by somebody",))
    life.work = work  # type: ignore[method-assign]
    give_up(life)
    life.take(Newborn(2, "A01", "BN1"))
    assert life.states() == ["birth sent"]
    assert list(lanes_of(life)) == ["message:test.1"]
