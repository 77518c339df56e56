"""The worker: threads that lease lanes and act on the world outside any transaction; one more records what came of it,
many works in a transaction, inside the one that finishes them.

A worker that dies between `act` and `record` leaves a lease that expires, and the work runs again: effects outside are
at-least-once and carry an idempotency key. Effects in the store happen once, because the transaction that records them
takes the lane's row first and is refused when the lease was lost.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from gateway.errors import Conflict, GatewayError, Unreachable
from gateway.lanes import lanes
from gateway.lanes.gate import Gate
from gateway.lanes.lanes import Claim, NotYet
from gateway.lanes.retry import GiveUp, code_of, decide_retry
from gateway.ports.clock import Clock
from gateway.store.session import Store, now_us

_log = structlog.get_logger(__name__)
_STORE_DOWN_SECONDS = 1.0
_GROUP = 16
_AHEAD = 8  # lanes leased per thread: enough to keep threads and groups full, few enough to lose little in a crash


class Handler(Protocol):
    """What does one kind of work. May also have `gave_up(conn, args, code, error)`, run in the transaction that
    gives up, and `deadline(args)`: an instant (microseconds) before which an unreachable partner is not given up."""

    kind: str

    def act(self, args: Mapping[str, Any]) -> Any:
        """The part that may take long or reach outside. May raise NotYet, PortError or Conflict."""
        ...

    def record(self, conn: Connection, args: Mapping[str, Any], outcome: Any) -> None:
        """Write what came of it and put what follows. Short; its transaction also finishes the work."""
        ...


@dataclass(frozen=True, slots=True)
class _Acted:
    """A piece of work that was acted on and waits to be recorded."""

    claim: Claim
    handler: Handler
    outcome: Any


class Worker:
    """Runs the work of a store until stopped. `clock` None: leases and retries go by the database's clock."""

    def __init__(
        self,
        store: Store,
        handlers: Mapping[str, Handler],
        *,
        threads: int = 4,
        lease_seconds: float = 60.0,
        poll_seconds: float = 0.5,
        clock: Clock | None = None,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._count = threads
        self._lease_seconds = lease_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._queue: queue.SimpleQueue[Claim | None] = queue.SimpleQueue()
        self._acted: queue.SimpleQueue[_Acted | None] = queue.SimpleQueue()
        self._held: dict[str, Claim] = {}
        self._held_lock = threading.Lock()
        self._gate = Gate(threads)
        self._stopping = threading.Event()
        self._drained = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads; returns at once."""
        self._store.bell.listen()
        named = [(self._claim_work, "claims"), (self._renew_leases, "leases"), (self._record_acted, "worker-records")]
        named += [(self._work, f"worker-{number}") for number in range(1, self._count + 1)]
        self._threads = [threading.Thread(target=target, name=name, daemon=True) for target, name in named]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Drain: lease no more, finish what is leased, then return."""
        self._stopping.set()
        self._store.bell.wake()
        if not self._threads:
            return
        claims, leases, recorder, *workers = self._threads
        claims.join()
        for _ in workers:
            self._queue.put(None)
        for thread in workers:
            thread.join()
        self._acted.put(None)
        recorder.join()
        self._drained.set()
        leases.join()
        self._threads = []

    def run_until_idle(self) -> None:
        """Work in this thread until nothing is due or leased; what waits for a later instant is left."""
        while True:
            claims = lanes.claim(self._store, self._count, self._lease_seconds, self._now())
            for claim in claims:
                acted = self._act(claim)
                if acted is not None:
                    self._record([acted])
            if not claims:
                with self._store.read() as conn:
                    if not lanes.busy(conn, self._now()):
                        return
                time.sleep(0.01)

    def _now(self) -> int | None:
        return None if self._clock is None else now_us(self._clock)

    def _moment(self) -> int:
        return time.time_ns() // 1000 if self._clock is None else now_us(self._clock)

    def _claim_work(self) -> None:
        """Keep the threads fed: a few lanes a query, so that leasing costs a share of a write each."""
        while not self._stopping.is_set():
            try:
                if not self._claim_some():
                    self._store.bell.wait(self._poll_seconds)
            except (SQLAlchemyError, GatewayError) as error:
                _log.error("worker.store_down", reason=code_of(error))
                self._stopping.wait(_STORE_DOWN_SECONDS)

    def _claim_some(self) -> bool:
        room = _AHEAD * self._count - len(self._held)
        if 2 * room < _AHEAD * self._count or not lanes.any_due(self._store, self._now()):
            return False
        claims = lanes.claim(self._store, room, self._lease_seconds, self._now())
        with self._held_lock:
            self._held.update((claim.key, claim) for claim in claims)
        for claim in claims:
            self._queue.put(claim)
        return bool(claims)

    def _work(self) -> None:
        while (claim := self._queue.get()) is not None:
            acted = None
            try:
                acted = self._act(claim)
            except (SQLAlchemyError, GatewayError) as error:
                self._not_written(claim, error)
            if acted is None:
                self._let_go([claim])
            else:
                self._acted.put(acted)

    def _record_acted(self) -> None:
        """The recording thread: everything that waits in one transaction, until told to end."""
        while (first := self._acted.get()) is not None:
            group = [first]
            while len(group) < _GROUP:
                try:
                    following = self._acted.get_nowait()
                except queue.Empty:
                    break
                if following is None:
                    self._acted.put(None)
                    break
                group.append(following)
            self._record(group)
            self._let_go([acted.claim for acted in group])

    def _let_go(self, claims: Sequence[Claim]) -> None:
        with self._held_lock:
            for claim in claims:
                if self._held.get(claim.key) is claim:
                    del self._held[claim.key]
            hungry = 2 * len(self._held) <= _AHEAD * self._count
        if hungry:
            self._store.bell.wake()

    def _renew_leases(self) -> None:
        """Prolong the leases of everything queued or being worked on, so that long work is not given to another."""
        while not self._drained.wait(self._lease_seconds / 3):
            with self._held_lock:
                held = list(self._held.values())
            try:
                if held:
                    with self._store.write() as conn:
                        lanes.renew(conn, held, self._lease_seconds, self._now())
            except (SQLAlchemyError, GatewayError) as error:
                _log.error("worker.store_down", reason=code_of(error))

    def _act(self, claim: Claim) -> _Acted | None:
        """Do the part outside any transaction; None when there is nothing to record (it waits, or it failed)."""
        if full := self._gate.enter(claim.partner):
            again = self._moment() + round(full * 1_000_000)
            self._wait(claim, NotYet(again, all_of_partner=True))
            return None
        answered: bool | None = True
        failure = None
        try:
            handler = self._handlers.get(claim.kind)
            if handler is None:
                raise GatewayError("worker.no_handler", f"nothing here does work of kind {claim.kind}")
            return _Acted(claim, handler, handler.act(claim.args))
        except NotYet as later:
            answered = None
            self._wait(claim, later)
        except Exception as error:  # noqa: BLE001 - whatever a handler does, its lane is retried or given up, with a reason
            answered, failure = not isinstance(error, Unreachable), error
        finally:
            self._gate.leave(claim.partner, answered=answered)
        if failure is not None:
            self._failed(claim, failure)
        return None

    def _wait(self, claim: Claim, later: NotYet) -> None:
        """Put the work off, and with it, if it says so, whatever else waits for its partner."""
        with self._store.write() as conn:
            lanes.postpone(conn, claim, later.at, "", count_try=False)
        if later.all_of_partner and claim.partner:
            with self._store.write() as conn:
                lanes.hold_back(conn, claim.partner, later.at)

    def _record(self, group: Sequence[_Acted]) -> None:
        """Write what came of the group in one transaction. When that fails, each alone, so that only its own work
        fails."""
        try:
            with self._store.write() as conn:
                for acted in group:
                    lanes.lock(conn, acted.claim)
                    acted.handler.record(conn, acted.claim.args, acted.outcome)
                    lanes.finish(conn, acted.claim, self._moment())
        except Exception as error:  # noqa: BLE001 - as above
            if len(group) > 1:
                for acted in group:
                    self._record([acted])
                return
            try:
                self._failed(group[0].claim, error)
            except (SQLAlchemyError, GatewayError) as worse:
                self._not_written(group[0].claim, worse)

    def _not_written(self, claim: Claim, error: Exception) -> None:
        """Not even the failure could be written; the lease expires and the work runs again."""
        _log.error("worker.store_down", lane=claim.key, work=claim.work, reason=code_of(error))

    def _failed(self, claim: Claim, error: Exception) -> None:
        until = self._deadline(claim) if isinstance(error, Unreachable) else None
        decision = decide_retry(error, claim.tries, self._moment(), until, seed=f"{claim.key}:{claim.work}")
        facts = {"lane": claim.key, "work": claim.work, "kind": claim.kind, "tries": claim.tries}
        facts["reason"] = code_of(error)
        try:
            if isinstance(decision, GiveUp):
                self._give_up(claim, decision.code, error)
            else:
                with self._store.write() as conn:
                    lanes.postpone(conn, claim, decision.at, words_of(error))
        except Conflict:
            _log.info("work.lease_lost", **facts)
        else:
            event = "work.gave_up" if isinstance(decision, GiveUp) else "work.failed"
            _log.warning(event, place=place_of(error), **facts)
        if isinstance(error, Unreachable) and error.retry_after and self._gate.doubts(claim.partner):
            with self._store.write() as conn:
                lanes.hold_back(conn, claim.partner, self._moment() + round(error.retry_after * 1_000_000))

    def _deadline(self, claim: Claim) -> int | None:
        """When the work's legal clock ends, if it has one. What has gone meanwhile has none: its work still has to be
        put off or given up."""
        deadline = getattr(self._handlers.get(claim.kind), "deadline", None)
        try:
            return deadline(claim.args) if deadline is not None else None
        except SQLAlchemyError:
            raise
        except Exception as error:  # noqa: BLE001 - as above
            _log.warning("work.no_deadline", lane=claim.key, work=claim.work, reason=code_of(error))
            return None

    def _give_up(self, claim: Claim, code: str, error: Exception) -> None:
        gave_up = getattr(self._handlers.get(claim.kind), "gave_up", None)
        try:
            with self._store.write() as conn:
                lanes.lock(conn, claim)
                if gave_up is not None:
                    gave_up(conn, claim.args, code, error)
                lanes.bury(conn, claim, words_of(error))
        except (SQLAlchemyError, GatewayError):
            raise
        except Exception as worse:  # noqa: BLE001 - as above
            _log.error("work.end_not_told", lane=claim.key, work=claim.work, reason=code_of(worse))
            with self._store.write() as conn:
                lanes.bury(conn, claim, words_of(error))


def words_of(error: Exception) -> str:
    """What the lane keeps of a failure: our code and words; of a foreign exception only the type, for its text may hold
    personal data."""
    return f"{error.code} {error.message}" if isinstance(error, GatewayError) else code_of(error)


def place_of(error: Exception) -> str:
    """File and line where it was raised, for the log."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
