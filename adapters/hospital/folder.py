"""Folder intake: a file put into a feed's folder is a message, a batch or a file of messages of that feed.

A file is taken once it is complete: nobody wrote to it for the feed's `folder_settle_seconds`, or a marker beside it
says so (`births.hl7.ok`). Senders that name what they are writing `.tmp`, `.part`, `.filepart` or with a leading dot
and rename it afterwards are never read too early. Only after the intake has stored what it held, the file moves to
`done/<day>/`, or to `refused/`, with the answer beside it (`NAME.ack`) and a line for people (`NAME.txt`). What could
not be stored for the moment stays and is tried again. A program killed at any point repeats what it had begun; the
intake recognises the content (adapters.hospital.drop_folder).

Each folder is watched by a thread of its own: one that hangs or may not be entered does not hold up the others. File
names may hold patients' names, so logs tell the feed and the kind of trouble only.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import structlog

from adapters.hospital.drop_folder import DropFolder, Mark, Offer, Taken
from adapters.hospital.refusals import SENTENCES
from gateway.domain.drop_folder import DONE, REFUSED
from gateway.errors import SettingsError
from gateway.ports.clock import Clock
from gateway.ports.hospital import Answer, Feed, Intake

MAX_BYTES = 16 * 1024 * 1024
_AT_ONCE, _BYTES_AT_ONCE = 64, 8 * 1024 * 1024
_LATER = (429, 503)
"""Answers that mean: not now. The file stays and is handed in again."""

_STRANGER = "Đây không phải là tệp thường (liên kết, ống, thiết bị) nên không đọc.\n"
_T = TypeVar("_T")
log = structlog.get_logger("hotich.folder")


class FolderListener:
    """ports.hospital.Listener over the folders of all `feeds` that have one. `poll_seconds` is how often a folder is
    looked into, `drain_seconds` how long `stop` waits for files being stored."""

    def __init__(
        self,
        feeds: Mapping[str, Feed],
        clock: Clock,
        *,
        max_bytes: int = MAX_BYTES,
        poll_seconds: float = 2.0,
        drain_seconds: float = 10.0,
    ) -> None:
        self.watches = [_Watch(feed, clock, max_bytes) for feed in feeds.values() if feed.folder]
        _refuse_nested([watch.path for watch in self.watches])
        self.poll_seconds, self.drain_seconds = poll_seconds, drain_seconds
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, intake: Intake) -> str:
        """Watch the folders; returns how many. A folder that is not there or may not be entered is told and looked for
        again: the others do not wait for it."""
        self._tasks = [asyncio.create_task(self._run(watch, intake)) for watch in self.watches]
        return f"{len(self._tasks)} folders"

    async def stop(self) -> None:
        """Take no more files; let those being stored have their answers and be put away."""
        self._stopping.set()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=self.drain_seconds)
            for task in late:
                log.warning("folder.stopped_with_unanswered")
                task.cancel()
        for watch in self.watches:
            watch.thread.shutdown(wait=False, cancel_futures=True)

    async def _run(self, watch: _Watch, intake: Intake) -> None:
        while not self._stopping.is_set():
            try:
                await watch.look(intake, self._stopping)
            except Exception as error:  # noqa: BLE001 - a defect of ours must not end the watch for good
                log.error("folder.defect", feed=watch.feed.name, error=type(error).__name__)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self.poll_seconds)


@dataclass
class _Watch:
    """One feed's folder. `_known` are the files seen and since when they are as they are."""

    feed: Feed
    clock: Clock
    max_bytes: int
    _known: dict[tuple[str, bool], tuple[Mark, float]] = field(default_factory=dict)
    _trouble: str = ""
    _troubles: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.path = Path(self.feed.folder)
        self.thread = ThreadPoolExecutor(1, thread_name_prefix=f"folder-{self.feed.name}")

    async def look(self, intake: Intake, stopping: asyncio.Event) -> None:
        """Take every complete file, in order."""
        self._troubles = set()
        ready = await self._in_thread(self._ready) or []
        while ready and not stopping.is_set():
            window, ready = ready[:_AT_ONCE], ready[_AT_ONCE:]
            taken, left = await self._in_thread(partial(self._take, window)) or ([], [])
            ready = [*left, *ready]
            answers = await self._hand_in(taken, intake)
            if not await self._in_thread(partial(self._put_away, taken, answers)):
                break  # nothing can be stored now
        self._tell_trouble()

    async def _in_thread(self, work: Callable[[], _T]) -> _T | None:
        """What `work` returns; None, and the reason noted, when the folder refuses."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self.thread, work)
        except OSError as error:
            self._note(error)
            return None

    def _ready(self) -> list[Offer]:
        """The complete files. A file is remembered from look to look; it is our own clock that counts, not the time in
        its attributes, which senders set as they like."""
        now = time.monotonic()
        with DropFolder(self.path) as folder:
            for name in folder.strangers():
                with self._noting():
                    folder.refuse_stranger(
                        name, "Đây không phải là tệp thường (liên kết, ống, thiết bị) nên không đọc.\n"
                    )
                    log.warning("folder.stranger_refused", feed=self.feed.name)
            offers = folder.offers()
        before, self._known = self._known, {}
        ready = []
        for offer in offers:
            key = offer.name, offer.again
            mark, since = before.get(key, (offer.mark, now))
            self._known[key] = offer.mark, since if mark == offer.mark else now
            if offer.marked or now - self._known[key][1] >= self.feed.folder_settle_seconds:
                ready.append(offer)
        return ready

    def _take(self, window: Sequence[Offer]) -> tuple[list[Taken], list[Offer]]:
        """The files of a window that are still as they were offered; and what did not fit into memory with them."""
        taken: list[Taken] = []
        with DropFolder(self.path) as folder:
            for place, offer in enumerate(window):
                if sum(len(file.raw) for file in taken) >= _BYTES_AT_ONCE:
                    return taken, list(window[place:])
                with self._noting():
                    file = folder.take(offer, self.max_bytes)
                    taken += [file] if file else []
        return taken, []

    async def _hand_in(self, taken: Sequence[Taken], intake: Intake) -> list[Answer]:
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[Answer]] = [loop.create_future() for _ in taken]
        for file, answer in zip(taken, answers, strict=True):
            intake.submit(file.raw, None, self.feed.name, partial(_settle, answer))
        return list(await asyncio.gather(*answers))

    def _put_away(self, taken: Sequence[Taken], answers: Sequence[Answer]) -> bool:
        """Move the files with their answers; whether all of them could be stored."""
        with DropFolder(self.path) as folder:
            for file, answer in zip(taken, answers, strict=True):
                if answer.status in _LATER:
                    self._troubles.add("not_stored")
                    continue
                accepted = answer.code.endswith("A")
                now = self._now()
                with self._noting():
                    place = (DONE, now.date().isoformat()) if accepted else (REFUSED,)
                    folder.put_away(file, place, answer.body, _words(answer, now))
        return all(answer.status not in _LATER for answer in answers)

    def _now(self) -> datetime:
        return self.clock.now().astimezone(timezone(timedelta(minutes=self.feed.offset)))

    @contextlib.contextmanager
    def _noting(self) -> Iterator[None]:
        """One file that refuses does not hold up the next."""
        try:
            yield
        except OSError as error:
            self._note(error)

    def _note(self, error: OSError) -> None:
        self._troubles.add(errno.errorcode.get(error.errno or 0, type(error).__name__))

    def _tell_trouble(self) -> None:
        """Once, when it begins, changes or ends."""
        trouble = " ".join(sorted(self._troubles))
        if trouble != self._trouble:
            self._trouble = trouble
            if trouble:
                log.error("folder.trouble", feed=self.feed.name, reasons=trouble)
            else:
                log.info("folder.trouble_over", feed=self.feed.name)


def _settle(future: asyncio.Future[Answer], answer: Answer) -> None:
    if not future.done():  # else the gateway is closing and nobody waits for it any more
        future.set_result(answer)


def _words(answer: Answer, at: datetime) -> str:
    """The line for people."""
    when = f"{at:%H:%M:%S ngày %d/%m/%Y}"
    if answer.code.endswith("A"):
        return f"Đã nhận và lưu an toàn lúc {when} ({answer.code}).\n"
    why = SENTENCES.get(answer.status, SENTENCES[400])
    return f"{why} ({answer.code}, {answer.status}), lúc {when}. Lý do đầy đủ nằm trong tệp .ack bên cạnh.\n"


def _refuse_nested(paths: Sequence[Path]) -> None:
    """Two feeds cannot share files. Raises SettingsError."""
    real = sorted(path.resolve() for path in paths)
    for above, below in pairwise(real):
        if below.is_relative_to(above):
            words = f"feeds.NAME.folder: {below} is, or lies in, {above} of another feed; give each feed its own folder"
            raise SettingsError("settings.folder_shared", words)
