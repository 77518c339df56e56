"""A commune that exchanges files, mostly over SFTP: signed containers go into an outbox, receipts come into an inbox.

Each version is one file `<code>-v<version>.asice` (gateway.sealing.asice), put there once and for all: written beside
its place, noted in the book, then renamed. After a crash in between the next attempt finds either the unfinished file,
and renames it, or none, and knows that it had its name already, even if the partner took it away since.
"""

from __future__ import annotations

import contextlib
import re
from hashlib import sha256
from pathlib import Path

import structlog

from adapters.commune.folder_book import Book, Page
from adapters.commune.folder_files import find, opened, remove, replace, write_new
from adapters.commune.folder_inbox import WRONG, Inbox, open_inbox
from adapters.commune.folder_receipt import REASONS, WrongReceipt, outcome_of, read_receipt
from gateway.errors import Misunderstood, Refused, SettingsError
from gateway.ports.clock import Clock
from gateway.ports.commune import Delivery, Outcome
from gateway.ports.signing import SigningKey
from gateway.sealing.asice import write_container
from gateway.sealing.received import received_of
from gateway.store.session import Store
from gateway.store.vault import Vault

log = structlog.get_logger("hotich.commune_folder")

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_MODE = 0o640
"""The partner's account reads containers through its group."""


class FolderSystem:
    """Entry point `gateway.commune: folder`. `outbox` and `inbox` are directories that the partner reaches too; without
    them two below `directory` are made. What was sent and answered is kept in `directory`/sent. Several processes
    may share all three, on several machines where the file system has locks."""

    takes_corrections = True

    def __init__(
        self,
        name: str,
        directory: Path,
        store: Store,
        vault: Vault,
        clock: Clock,
        signing: SigningKey,
        outbox: Path | None = None,
        inbox: Path | None = None,
        poll_seconds: float = 60.0,
    ) -> None:
        self.name, self.poll_seconds = name, float(poll_seconds)
        if self.poll_seconds <= 0:
            words = f"commune_systems.{name}.poll_seconds must be above 0: nobody else says that a receipt came"
            raise SettingsError("settings.wrong", words)
        self.store, self.clock, self.signing = store, clock, signing
        self.outbox, self.inbox = outbox or directory / "outbox", inbox or directory / "inbox"
        own = [directory / "sent", *(place for place in (self.outbox, self.inbox) if place.parent == directory)]
        for place in own:  # others are the operator's: one that is missing is a mount that is missing
            _make(place)
        self._book = Book(directory / "sent", vault)

    def submit(self, delivery: Delivery) -> Outcome:
        """Put the version into the outbox, unless it was put there before; what is known of the dossier. Raises
        Misconfigured or Unreachable for directories that fail, Refused for a code that cannot name a file."""
        code, version = delivery.code, delivery.version
        if not _CODE.fullmatch(code):
            raise Refused("commune.code_unusable", "the dossier's code cannot name a file: letters, digits and . _ -")
        with self._book.page(code) as page, opened(self.inbox), opened(self.outbox) as outbox:
            name = f"{code}-v{version}.asice"
            if version not in page.sent():
                self._prepare(page, outbox, delivery, name)
            if find(outbox, _unfinished(name)):
                replace(outbox, _unfinished(name), name)
            with contextlib.suppress(Misunderstood):  # told by the next `status`; this version is on its way
                self._take_receipts(page, code)
            return outcome_of(code, page.sent(), page.receipts())

    def status(self, delivery: Delivery) -> Outcome | None:
        """What the receipts say; None for a code of which nothing was sent. Raises Misunderstood, naming file and
        remedy, for a receipt that makes no sense; it is then in `inbox`/wrong."""
        code = delivery.code
        if not _CODE.fullmatch(code) or not self._book.has(code):
            return None
        with self._book.page(code) as page:
            if not page.sent():
                return None
            self._take_receipts(page, code, put_aside=True)
            return outcome_of(code, page.sent(), page.receipts())

    def _prepare(self, page: Page, outbox: int, delivery: Delivery, name: str) -> None:
        """Everything but the final name. A file that has it already without a note is from a book that was lost."""
        now = self.clock.now()
        about = {"version": delivery.version, "withdrawn": delivery.withdrawn, "at": now.isoformat()}
        remove(outbox, _unfinished(name))
        if find(outbox, name) is None:
            with self.store.read() as conn:
                received = received_of(conn, delivery.case_id)
            container = write_container(delivery, received, self.signing, now)
            write_new(outbox, _unfinished(name), container, _MODE)
            about["sha256"] = sha256(container).hexdigest()
        page.note_sent(delivery.version, about)

    def _take_receipts(self, page: Page, code: str, *, put_aside: bool = False) -> None:
        with open_inbox(self.inbox, self.clock.now()) as inbox:
            for version, withdrawn in page.sent().items():
                stem = f"{code}-v{version}"
                taken = inbox.take(stem)
                if taken is None:
                    continue
                try:
                    receipt = read_receipt(*taken, code, version, withdrawn=withdrawn)
                except WrongReceipt as wrong:
                    raise self._misunderstood(inbox, stem, wrong.reason, taken[0], put_aside=put_aside) from None
                page.note_receipt(version, receipt)
                inbox.forget(stem)

    def _misunderstood(self, inbox: Inbox, stem: str, reason: str, raw: bytes, *, put_aside: bool) -> Misunderstood:
        words = f"{stem}.json: {REASONS[reason][1]}; the commune must mend it and put it into {self.inbox} again"
        if put_aside:
            log.error("commune.receipt_wrong", system=self.name, file=f"{stem}.json", reason=reason)
            with contextlib.suppress(OSError):  # then it is found wrong again at the next look
                inbox.put_aside(stem, reason)
                words += f"; what came is in {self.inbox / WRONG}"
        return Misunderstood("commune.receipt_wrong", words, raw)


def _unfinished(name: str) -> str:
    return f".{name}.part"


def _make(directory: Path) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise SettingsError("settings.directory_unusable", f"{directory} cannot be made: {error.strerror}") from error
