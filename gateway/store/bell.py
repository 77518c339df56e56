"""The bell that wakes workers when work was put: an event inside the process, NOTIFY between machines.

NOTIFY is sent after the commit, by one thread, on a connection of its own, many rings in one. Sent inside the writing
transaction it would take PostgreSQL's database-wide notification lock over the commit's disk write, so that all commits
would queue behind each other. A bell that is never heard costs time, not work: workers also look now and then.
"""

from __future__ import annotations

import threading
import time

import psycopg
import structlog

CHANNEL = "hotich_work"
_GATHER_SECONDS = 0.005
_RETRY_SECONDS = 2.0
_log = structlog.get_logger(__name__)


class Bell:
    """`ring` after a commit that put work; `wait` until someone rang. `conninfo` None: inside this process only."""

    def __init__(self, conninfo: str | None = None) -> None:
        self._conninfo = conninfo
        self._heard = threading.Event()
        self._rung = threading.Event()
        self._closing = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._lock = threading.Lock()

    def ring(self) -> None:
        """Wake the waiter here, and soon those of other processes."""
        self.wake()
        if self._conninfo is not None:
            self._rung.set()
            self._start("bell-notify", self._notify)

    def wake(self) -> None:
        """Wake the waiter of this process only."""
        self._heard.set()

    def wait(self, seconds: float) -> bool:
        """Wait until rung or for `seconds`; True when rung. One waiter at a time: a ring wakes one."""
        rung = self._heard.wait(seconds)
        self._heard.clear()
        return rung

    def listen(self) -> None:
        """From now on also hear what other processes ring."""
        if self._conninfo is not None:
            self._start("bell-listen", self._listen)

    def close(self) -> None:
        """Stop the threads, if any."""
        self._closing.set()
        self._rung.set()
        self._heard.set()
        for thread in self._threads.values():
            thread.join()

    def _start(self, name: str, target: object) -> None:
        if name in self._threads or self._closing.is_set():
            return
        with self._lock:
            if name not in self._threads:
                thread = threading.Thread(target=self._keep_trying, args=(target,), name=name, daemon=True)
                self._threads[name] = thread
                thread.start()

    def _keep_trying(self, target) -> None:  # type: ignore[no-untyped-def]
        while not self._closing.is_set():
            try:
                with psycopg.connect(self._conninfo or "", autocommit=True) as connection:
                    target(connection)
            except psycopg.Error as error:
                # Workers still poll; say that the bell is down and try again.
                _log.warning("bell.down", reason=type(error).__name__)
                self._closing.wait(_RETRY_SECONDS)

    def _notify(self, connection: psycopg.Connection) -> None:
        connection.execute("SET synchronous_commit = off")
        while not self._closing.is_set():
            self._rung.wait()
            time.sleep(_GATHER_SECONDS)
            self._rung.clear()
            connection.execute(f"NOTIFY {CHANNEL}")

    def _listen(self, connection: psycopg.Connection) -> None:
        connection.execute(f"LISTEN {CHANNEL}")
        self._heard.set()  # something may have been put before we listened
        while not self._closing.is_set():
            for _ in connection.notifies(timeout=0.5, stop_after=1):
                self._heard.set()
