"""Outcomes as ADT^A31: what the message says, who can read it, and what its acknowledgements mean."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import hl7
import pytest

from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.hl7v2_conformance import conformance_of
from adapters.hospital.outcome_hl7v2 import Hl7v2OutcomeSender, write_message
from adapters.hospital.outcome_mllp import FAILURES, MllpReceiver
from gateway.errors import Misunderstood, PortError, Refused, SettingsError, Unreachable
from gateway.ports.hospital import Feed
from gateway.testing.outcome_senders import WORDS, notice
from tests.certificates import Authority
from tests.mllp_peer import MllpPeer
from tests.samples.folders import catalogue
from tests.web_world import ON

TABLE = partial(catalogue().table, on=ON)
FEED = Feed("his", facility_code="99001", senders=("HIS_MAU|BV_MAU",))


def parsed(**changed: Any) -> Any:
    """The message as the `hl7` package reads it."""
    raw = write_message(replace(notice(), **changed), FEED, TABLE("outcome_notice"))
    return hl7.parse(raw.decode("utf-8"))


def observed(message: Any) -> dict[str, str]:
    """OBX-3.1 → OBX-5.1."""
    return {str(row[3][0][0]): str(row[5][0] if row[2][0] != "CE" else row[5][0][0]) for row in message.segments("OBX")}


def test_the_registered_childs_number_stands_beside_the_patient_number() -> None:
    assert str(parsed()["PID"][0][3]).split("~") == [
        "BN-0001^^^99001^MR",
        "00001.GCS.99001.26^^^99001^BCT",
        "999226000012^^^CSDLQGDC^NNVNM",
    ]


def test_it_goes_back_to_the_system_that_sends_and_names_itself_by_the_notices_key() -> None:
    msh = parsed()["MSH"][0]
    assert [str(msh[field]) for field in (5, 6, 9, 10, 12, 18)] == [
        "HIS_MAU", "BV_MAU", "ADT^A31^ADT_A05", notice().key, "2.5.1", "UNICODE UTF-8",
    ]  # fmt: skip
    assert str(msh[7]) == "20261123100000+0700"


def test_register_numbers_and_tracking_ids_are_observations() -> None:
    assert observed(parsed()) == {
        "state": "registered",
        "code": "H21.999-261123-0001",
        "so": "12/2026",
        "quyenSo": "01/2026",
        "trangSo": "7",
        "ngayDangKy": "23.11.2026",
        "commune": "21583",
        "message": "gw.17",
    }


def test_words_with_separators_and_line_ends_stay_one_field() -> None:
    words = "Thiếu|giấy ^ tờ & số ~ 12\\13\r\nMSH|^~\\&|\x0b\x1c\r lời cuối"
    message = parsed(state="needs_more", words=words)
    assert hl7.parse(str(message)).segments("MSH").__len__() == 1
    (row,) = [row for row in message.segments("OBX") if str(row[3][0][0]) == "words"]
    assert message.unescape(str(row[5])) == " ".join(words.split())


def test_hl7apy_finds_the_structure_conformant() -> None:
    raw = write_message(replace(notice(), words=WORDS), FEED, TABLE("outcome_notice"))
    # Both tables name patterns, 99zzz and NNxxx, that the checker takes for codes.
    open_tables = [("OBX-3.3", "HL70396"), ("OBX-5.3", "HL70396"), ("PID-3.5", "HL70203")]
    departures = [(each.place, each.problem) for each in conformance_of(raw)]
    assert [each for each in departures if (each[0], each[1][-7:]) not in open_tables] == []
    assert conformance_of(raw.replace(b"PV1|1|N", b"PV1|1|")) != conformance_of(raw)


def test_our_own_reader_finds_neither_birth_nor_death_in_it() -> None:
    reader = Hl7v2Reader()
    for kind in ("birth", "death"):
        raw = write_message(replace(notice(), kind=kind), FEED, TABLE("outcome_notice"))
        assert reader.header(raw).control_id == notice().key
        assert reader.unusable(raw, FEED) is None
        assert reader.events(raw, FEED) == []


def test_a_case_known_by_a_paper_alone_is_named_by_it_and_one_known_by_nothing_by_its_id() -> None:
    assert str(parsed(patients=("Patient/nb-1",), personal_id="")["PID"][0][3]) == "00001.GCS.99001.26^^^99001^BCT"
    nothing = parsed(patients=(), paper_number="", personal_id="")
    assert str(nothing["PID"][0][3]) == "ks-000000000001^^^HOTICH^U"


def test_a_death_tells_the_number_of_its_own_paper() -> None:
    message = parsed(kind="death", personal_id="", paper_number="BT-7/2026", patients=("BN-9",))
    assert str(message["PID"][0][3]) == "BN-9^^^99001^MR~BT-7/2026^^^99001^DC"


def send(peer: MllpPeer, ca: str = "") -> None:
    Hl7v2OutcomeSender(TABLE).send(notice("needs_more"), replace(FEED, answer_to=peer.url, answer_ca=ca))


@pytest.mark.parametrize("code", ["AA", "CA"])
def test_an_acceptance_of_either_mode_ends_it(code: str) -> None:
    with MllpPeer() as peer:
        peer.always = code
        send(peer)
        assert len(peer.received) == 1


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        ("AE", Refused, "answer.refused"),
        ("CE 101", Refused, "answer.refused"),
        ("AR", Refused, "answer.refused"),
        ("CR 204", Refused, "answer.refused"),
        ("AR 207", Unreachable, "answer.busy"),
        ("AE 206", Unreachable, "answer.busy"),
        ("ZZ", Misunderstood, "answer.not_an_ack"),
        ("other", Misunderstood, "answer.other_message"),
        ("not_hl7", Misunderstood, "answer.not_an_ack"),
        ("garbage", Misunderstood, "answer.not_framed"),
        ("drop", Unreachable, "answer.closed"),
    ],
)
def test_each_answer_means_one_thing(answer: str, error: type[PortError], code: str) -> None:
    with MllpPeer() as peer:
        peer.always = answer
        with pytest.raises(error) as raised:
            send(peer)
    assert type(raised.value) is error
    assert raised.value.code == code
    assert WORDS not in raised.value.message
    if error is not Unreachable:
        assert raised.value.evidence


MESSAGE = write_message(notice(), FEED, TABLE("outcome_notice"))


def codes(receiver: MllpReceiver, times: int) -> list[str]:
    """What so many exchanges end with."""
    found = []
    for _ in range(times):
        try:
            found.append("" if b"MSA|AA|" in receiver.exchange(MESSAGE) else "?")
        except Unreachable as error:
            found.append(error.code)
    return found


def test_a_receiver_that_says_nothing_is_unreachable_and_then_left_alone() -> None:
    with MllpPeer() as peer:
        peer.always = "silent"
        receiver = MllpReceiver(peer.url, answer_seconds=0.05, rest_seconds=60)
        assert codes(receiver, 5) == ["answer.timeout"] * FAILURES + ["answer.rests"] * 2
        with pytest.raises(Unreachable) as raised:
            receiver.exchange(MESSAGE)
    assert 50 < raised.value.retry_after <= 60
    assert len(peer.received) == FAILURES


def test_after_the_rest_one_message_tries_and_the_receiver_is_well_again() -> None:
    with MllpPeer() as peer:
        peer.script.extend(["drop"] * (FAILURES + 1))
        receiver = MllpReceiver(peer.url, rest_seconds=0)
        assert codes(receiver, FAILURES + 3) == ["answer.closed"] * (FAILURES + 1) + ["", ""]


def test_of_many_that_wait_for_a_silent_receiver_one_alone_holds_a_thread() -> None:
    with MllpPeer() as peer, ThreadPoolExecutor(4) as at_once:
        peer.always = "silent"
        receiver = MllpReceiver(peer.url, answer_seconds=0.2, rest_seconds=60)
        codes(receiver, 1)
        found = [code for told in at_once.map(lambda _: codes(receiver, 1), range(4)) for code in told]
    assert sorted(found) == ["answer.rests"] * 3 + ["answer.timeout"]


def test_over_tls_the_receivers_certificate_is_checked(tmp_path: Path) -> None:
    authority, stranger = Authority(tmp_path, "ca"), Authority(tmp_path, "other")
    with MllpPeer(certificate=authority.issue("his").file) as peer:
        send(peer, str(authority.file))
        assert len(peer.received) == 1
        with pytest.raises(Unreachable):
            send(peer, str(stranger.file))
        with pytest.raises(Refused) as raised:
            send(peer, str(tmp_path / "none.pem"))
        assert raised.value.code == "answer.settings"
        assert not isinstance(raised.value, SettingsError)
        assert len(peer.received) == 1
