"""Lanes against a simple model: in order within a key, finished exactly once, always woken again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from gateway.errors import Conflict
from gateway.lanes import lanes
from gateway.lanes.lanes import Claim
from gateway.store.session import Store, execute

KEYS = ("a", "b", "c")
LEASE = 60
keys = st.sampled_from(KEYS)
waits = st.sampled_from([0, 0, 5, 90])


@dataclass
class Modelled:
    """What a lane must be. `due` None: idle or dead."""

    work: list[tuple[int, int]] = field(default_factory=list)  # number, not before
    due: int | None = None
    dead: bool = False
    holder: Claim | None = None


class Lanes(RuleBasedStateMachine):
    store: Store

    def __init__(self) -> None:
        super().__init__()
        with self.store.write() as conn:
            execute(conn, "DELETE FROM work")
            execute(conn, "DELETE FROM lane")
        self.model = {key: Modelled() for key in KEYS}
        self.claims: list[Claim] = []
        self.now, self.count = 1_000_000_000, 0
        self.finished: list[tuple[str, int]] = []

    @rule(key=keys, after=waits)
    def put(self, key: str, after: int) -> None:
        self.count += 1
        with self.store.write() as conn:
            lanes.put(conn, key, "count", {"n": self.count}, self.now, after)
        lane = self.model[key]
        at = self.now + after * 1_000_000
        lane.work.append((self.count, at))
        if lane.due is None and not lane.dead:
            lane.due = at

    @rule(seconds=st.integers(1, 100))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds * 1_000_000

    @rule(limit=st.integers(1, 4))
    def claim(self, limit: int) -> None:
        due = {key for key, lane in self.model.items() if lane.due is not None and lane.due <= self.now}
        claims = lanes.claim(self.store, limit, LEASE, self.now)
        assert len(claims) == min(limit, len(due))
        for claim in claims:
            lane = self.model[claim.key]
            assert claim.key in due
            assert claim.args["n"] == lane.work[0][0]
            lane.due, lane.holder = self.now + LEASE * 1_000_000, claim
        self.claims += claims

    @precondition(lambda self: self.claims)
    @rule(data=st.data(), how=st.sampled_from(["finish", "finish", "finish", "postpone", "bury"]))
    def end(self, data: st.DataObject, how: str) -> None:
        claim = data.draw(st.sampled_from(self.claims))
        lane = self.model[claim.key]
        if lane.holder is not claim:
            with pytest.raises(Conflict):
                self._end(claim, how)
            return
        self._end(claim, how)
        lane.holder = None
        if how == "finish":
            self.finished.append((claim.key, lane.work.pop(0)[0]))
            lane.due = max(self.now, lane.work[0][1]) if lane.work else None
        elif how == "postpone":
            lane.due = self.now + 7_000_000
        else:
            lane.due, lane.dead = None, True

    def _end(self, claim: Claim, how: str) -> None:
        with self.store.write() as conn:
            if how == "finish":
                lanes.finish(conn, claim, self.now)
            elif how == "postpone":
                lanes.postpone(conn, claim, self.now + 7_000_000, "error")
            else:
                lanes.bury(conn, claim, "error")

    @precondition(lambda self: any(lane.work for lane in self.model.values()))
    @rule(data=st.data())
    def park(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from([key for key, lane in self.model.items() if lane.work]))
        with self.store.write() as conn:
            lanes.park(conn, [key], "by lan")
        lane = self.model[key]
        lane.due, lane.dead, lane.holder = None, True, None

    @rule(key=keys)
    def redrive(self, key: str) -> None:
        with self.store.write() as conn:
            lanes.redrive(conn, [key], self.now)
        lane = self.model[key]
        if lane.dead:
            lane.dead = False
            lane.due = self.now

    @invariant()
    def no_work_is_lost_and_none_is_done_twice(self) -> None:
        undone = sum(len(lane.work) for lane in self.model.values())
        with self.store.read() as conn:
            assert lanes.depth(conn, self.now).undone == undone
        assert len(self.finished) + undone == self.count

    def teardown(self) -> None:
        """Whatever happened, driven on, everything is done, in order."""
        with self.store.write() as conn:
            lanes.redrive(conn, KEYS, self.now)
        for _ in range(self.count + 1):
            self.now += 1_000_000_000
            for claim in lanes.claim(self.store, 10, LEASE, self.now):
                self._end(claim, "finish")
                self.finished.append((claim.key, claim.args["n"]))
        assert len(self.finished) == self.count
        for key in KEYS:
            numbers = [number for lane, number in self.finished if lane == key]
            assert numbers == sorted(numbers)


def test_lanes_are_what_the_model_says(store: Store) -> None:
    machine: Any = type("LanesOnThisStore", (Lanes,), {"store": store})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        ),
    )
