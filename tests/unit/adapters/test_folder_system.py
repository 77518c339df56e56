"""A commune that exchanges files: what goes into the outbox, what receipts mean."""

from __future__ import annotations

import shutil
import stat
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gateway.errors import Misunderstood, Refused, SettingsError
from gateway.ports.commune import Outcome
from gateway.sealing.asice_verify import verify_container
from gateway.sealing.asice_zip import read_zip
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.testing.commune import delivery
from gateway.testing.dossiers import ENVELOPE
from tests.commune_folder_world import KEY, PDF, Commune, make_commune
from tests.conftest import StillClock

NAME = f"{ENVELOPE.code}-v1"
NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}


@pytest.fixture
def a_store(_sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    file = tmp_path / "hotich.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    yield store
    store.close()


@pytest.fixture
def commune(a_store: Store, vault: Vault, clock: StillClock, tmp_path: Path) -> Commune:
    """A commune to which the first version was sent."""
    made = make_commune(tmp_path, a_store, vault, clock)
    made.system.submit(delivery())
    return made


def told(commune: Commune) -> Outcome:
    outcome = commune.system.status(delivery())
    assert outcome is not None
    return outcome


def test_what_lies_in_the_outbox_is_a_whole_signed_container(commune: Commune) -> None:
    assert commune.waiting() == [f"{NAME}.asice"]
    raw = (commune.outbox / f"{NAME}.asice").read_bytes()
    report = verify_container(raw, KEY.certificates)
    assert report.intact
    assert orjson.loads(read_zip(raw)["receipt.json"])["code"] == ENVELOPE.code


def test_a_withdrawal_is_a_container_whose_dossier_says_so(commune: Commune) -> None:
    commune.system.submit(delivery(version=2, withdrawn=True))
    raw = (commune.outbox / f"{ENVELOPE.code}-v2.asice").read_bytes()
    report = verify_container(raw)
    assert report.ok
    assert report.dossier is not None and report.dossier.document is not None
    assert report.dossier.document.dossier.withdrawn
    assert orjson.loads(read_zip(raw)["receipt.json"])["withdrawn"] is True


def test_the_partners_group_may_read_it_and_nobody_else(commune: Commune) -> None:
    assert stat.S_IMODE((commune.outbox / f"{NAME}.asice").stat().st_mode) & 0o137 == 0


def test_a_version_the_partner_took_away_is_not_put_there_again(commune: Commune) -> None:
    (commune.outbox / f"{NAME}.asice").unlink()
    assert commune.system.submit(delivery()) == Outcome("pending", ENVELOPE.code)
    assert list(commune.outbox.iterdir()) == []


def test_a_version_still_there_stays_as_it_is(commune: Commune) -> None:
    file = commune.outbox / f"{NAME}.asice"
    before = (file.read_bytes(), file.stat().st_ino)
    commune.system.submit(delivery())
    assert (file.read_bytes(), file.stat().st_ino) == before


def test_the_book_lost_does_not_send_twice_what_still_lies_there(commune: Commune, tmp_path: Path) -> None:
    file = commune.outbox / f"{NAME}.asice"
    before = file.read_bytes()
    shutil.rmtree(tmp_path / "xa-tep" / "sent" / ENVELOPE.code)
    (commune.outbox / f".{NAME}.asice.part").write_bytes(before[:100])
    assert commune.system.status(delivery()) is None
    commune.system.submit(delivery())
    assert file.read_bytes() == before
    assert commune.waiting() == [f"{NAME}.asice"]
    assert not (commune.outbox / f".{NAME}.asice.part").exists()


def test_the_book_holds_no_personal_data(commune: Commune, tmp_path: Path) -> None:
    commune.put("registered", words="Đặng Thị Thúy Hòa đã nhận", result={**NUMBERS, "soDinhDanh": "999226000777"})
    assert told(commune).state == "registered"
    kept = [file.read_bytes() for file in (tmp_path / "xa-tep" / "sent").rglob("*") if file.is_file()]
    assert len(kept) >= 2
    for secret in ("Thúy", "999226000777", "45/2026"):
        assert all(unicodedata.normalize("NFC", secret).encode() not in content for content in kept)


@pytest.mark.parametrize("state", ["accepted", "needs_more", "refused", "rejected"])
def test_a_receipt_says_what_became_of_the_dossier(commune: Commune, state: str) -> None:
    words = unicodedata.normalize("NFD", "Thiếu giấy tờ của mẹ")
    commune.put(state, words=words)
    assert told(commune) == Outcome(state, ENVELOPE.code, words)


def test_a_registration_comes_with_its_numbers_and_its_paper(commune: Commune) -> None:
    commune.put_raw(f"{NAME}.pdf", PDF)
    commune.put("registered", result=NUMBERS)
    assert told(commune) == Outcome("registered", ENVELOPE.code, "", NUMBERS, PDF)


def test_receipts_are_taken_away_and_remembered(commune: Commune) -> None:
    commune.put_raw(f"{NAME}.pdf", PDF)
    (commune.put("registered", result=NUMBERS).parent / f"{NAME}.json.ok").touch()
    first = told(commune)
    assert list(commune.inbox.iterdir()) == []
    assert told(commune) == first


def test_the_receipt_that_came_last_counts(commune: Commune) -> None:
    commune.put("accepted")
    assert told(commune).state == "accepted"
    commune.put("needs_more", words="Thiếu giấy")
    assert told(commune).state == "needs_more"


def test_the_receipt_for_the_highest_version_counts_in_whatever_order_they_come(commune: Commune) -> None:
    commune.system.submit(delivery(version=2))
    commune.put("registered", 2, result=NUMBERS)
    assert told(commune).state == "registered"
    commune.put("needs_more", 1)
    assert told(commune).state == "registered"


def test_a_receipt_that_crosses_a_withdrawal_does_not_answer_it(commune: Commune) -> None:
    commune.system.submit(delivery(version=2, withdrawn=True))
    commune.put("accepted", 1)
    assert told(commune).state == "pending"
    commune.put("accepted", 2, words="Trẻ đang ở cùng mẹ")
    assert told(commune) == Outcome("accepted", ENVELOPE.code, "Trẻ đang ở cùng mẹ")


@pytest.mark.parametrize("answer", ["cancelled", "accepted", "refused"])
def test_a_registered_dossier_stays_registered_whatever_is_answered(commune: Commune, answer: str) -> None:
    commune.put("registered", result=NUMBERS)
    commune.system.submit(delivery(version=2, withdrawn=True))
    assert told(commune).state == "pending"
    commune.put(answer, 2, words="đã lập hồ sơ thu hồi")
    assert told(commune) == Outcome("registered", ENVELOPE.code, "đã lập hồ sơ thu hồi", NUMBERS)


def test_a_corrected_version_of_a_rejected_dossier_begins_anew(commune: Commune) -> None:
    commune.put("rejected", words="Sai mã")
    assert told(commune).state == "rejected"
    assert commune.system.submit(delivery(version=2)).state == "pending"


def test_a_receipt_still_being_written_is_left_until_it_is_whole(commune: Commune) -> None:
    whole = orjson.dumps({"code": ENVELOPE.code, "version": 1, "state": "accepted"})
    file = commune.put_raw(f"{NAME}.json", whole[:20], seconds_old=5)
    assert told(commune).state == "pending"
    assert file.read_bytes() == whole[:20]
    file.write_bytes(whole)
    commune.age(file, 0.5)
    assert told(commune).state == "pending", "whole, but somebody wrote a moment ago"
    commune.age(file, 1.5)
    assert told(commune).state == "accepted"


def test_a_marker_says_that_a_receipt_is_complete(commune: Commune) -> None:
    file = commune.put("accepted")
    commune.age(file, 0.1)
    marker = commune.put_raw(f"{NAME}.json.done", b"", seconds_old=5)
    assert told(commune).state == "pending", "the marker is older than the file: it vouches for an earlier one"
    commune.age(marker, 0)
    assert told(commune).state == "accepted"


def test_a_receipt_waits_for_the_pdf_beside_it(commune: Commune) -> None:
    paper = commune.put_raw(f"{NAME}.pdf", PDF[:-8], seconds_old=30)
    commune.put("registered", result=NUMBERS)
    assert told(commune).state == "pending"
    paper.write_bytes(PDF)
    commune.age(paper, 2)
    assert told(commune).paper == PDF


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_partner_whose_clock_is_wrong_is_heard(commune: Commune, seconds: float) -> None:
    commune.put_raw(f"{NAME}.json", orjson.dumps({"code": ENVELOPE.code, "version": 1, "state": "accepted"}), seconds)
    assert told(commune).state == "accepted"


def test_a_byte_order_mark_does_no_harm(commune: Commune) -> None:
    raw = orjson.dumps({"code": ENVELOPE.code, "version": 1, "state": "accepted"})
    commune.put_raw(f"{NAME}.json", b"\xef\xbb\xbf" + raw)
    assert told(commune).state == "accepted"


def test_receipts_for_other_dossiers_and_versions_are_left_alone(commune: Commune) -> None:
    others = [commune.put("accepted", 2), commune.put("accepted", 1, "HT99-261123-0002")]
    assert told(commune).state == "pending"
    assert all(file.exists() for file in others)


def test_a_receipt_taken_before_a_crash_is_read_first(commune: Commune) -> None:
    commune.put("accepted").rename(commune.inbox / f".{NAME}.json.taken")
    commune.put("needs_more")
    assert told(commune).state == "accepted"
    assert told(commune).state == "needs_more"


def test_a_wrong_receipt_does_not_hold_up_the_next_version(commune: Commune) -> None:
    commune.put("no such state")
    commune.system.submit(delivery(version=2))
    assert f"{ENVELOPE.code}-v2.asice" in commune.waiting()
    with pytest.raises(Misunderstood):
        commune.system.status(delivery())


@pytest.mark.parametrize("code", ["../x", "a/b", "", ".hidden", "a b", "x" * 101, "mã"])
def test_a_code_that_cannot_name_a_file_is_refused(commune: Commune, code: str) -> None:
    with pytest.raises(Refused) as refused:
        commune.system.submit(replace(delivery(), code=code))
    assert refused.value.code == "commune.code_unusable"
    assert commune.system.status(replace(delivery(), code=code)) is None
    assert commune.waiting() == [f"{NAME}.asice"]


def test_somebody_has_to_ask(a_store: Store, vault: Vault, clock: StillClock, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        make_commune(tmp_path, a_store, vault, clock, poll_seconds=0)
    assert "commune_systems.xa-tep.poll_seconds" in refused.value.message


def test_workers_who_send_the_same_version_at_once_put_it_there_once(commune: Commune) -> None:
    second = delivery(version=2)
    with ThreadPoolExecutor(4) as workers:
        states = {outcome.state for outcome in workers.map(commune.system.submit, [second] * 8)}
    assert states == {"pending"}
    assert commune.waiting() == [f"{NAME}.asice", f"{ENVELOPE.code}-v2.asice"]
    assert verify_container((commune.outbox / f"{ENVELOPE.code}-v2.asice").read_bytes()).ok
