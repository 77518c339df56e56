"""A sender of outcomes to test with, and the contract every sender to hospitals must keep."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal
from unicodedata import normalize

import pytest

from gateway.domain.notice import OutcomeNotice
from gateway.errors import PortError, Refused, Unreachable
from gateway.ports.hospital import Feed, OutcomeSender

WORDS = "Thiếu giấy tờ của người mẹ Đặng Thị Mẫu"


def notice(state: str = "registered", key: str = "K7XQ2M4ZP6RT3W5A") -> OutcomeNotice:
    """What an invented hospital is told of an invented child."""
    registered = state == "registered"
    numbers = {"so": "12/2026", "quyenSo": "01/2026", "trangSo": "7", "ngayDangKy": "23.11.2026"}
    return OutcomeNotice(
        key=key,
        case_id="ks-000000000001",
        kind="birth",
        state=state,
        at=datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
        code="H21.999-261123-0001",
        facility_code="99001",
        patients=("BN-0001", "Patient/nb-1"),
        messages=("gw.17",),
        paper_number="00001.GCS.99001.26",
        commune="21583",
        personal_id="999226000012" if registered else "",
        words="" if registered else WORDS,
        result=numbers if registered else {},
    )


class FakeOutcomeSender:
    """ports.hospital.OutcomeSender that remembers. Set `failure` to make every call raise it."""

    def __init__(self, way: str = "webhook", failure: PortError | None = None) -> None:
        self.way = way
        self.failure = failure
        self.sent: list[OutcomeNotice] = []

    def send(self, notice: OutcomeNotice, feed: Feed) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(notice)


class OutcomeSenderContract:
    """What every sender promises. Subclass in a test module and say how to make one, where its receiver is, and what
    came there."""

    def make_sender(self) -> OutcomeSender:
        raise NotImplementedError

    def make_feed(self) -> Feed:
        """A feed whose receiver takes everything."""
        raise NotImplementedError

    def received(self) -> list[bytes]:
        """The messages that came to the receiver, oldest first, each time they came."""
        raise NotImplementedError

    def nobody(self) -> Feed:
        """A feed at whose address nobody listens."""
        raise NotImplementedError

    def refusing(self) -> Feed | None:
        """A feed whose receiver says no to everything; None for a way in which nobody can."""
        raise NotImplementedError

    def test_it_has_a_way_for_the_settings(self) -> None:
        assert self.make_sender().way

    @pytest.mark.parametrize("state", ["registered", "needs_more", "refused", "rejected", "cancelled"])
    def test_every_state_that_is_told_arrives(self, state: str) -> None:
        self.make_sender().send(notice(state), self.make_feed())
        (message,) = self.received()
        assert state.encode() in message
        assert (b"999226000012" in message) is (state == "registered")

    def test_a_notice_sent_again_is_the_same_message(self) -> None:
        sender, feed = self.make_sender(), self.make_feed()
        sender.send(notice(), feed)
        sender.send(notice(), feed)
        assert len(set(self.received())) == 1

    def test_another_notice_is_another_message(self) -> None:
        sender, feed = self.make_sender(), self.make_feed()
        sender.send(notice(), feed)
        sender.send(notice(key="A7XQ2M4ZP6RT3W5B"), feed)
        assert len(set(self.received())) == 2

    @pytest.mark.parametrize("form", ["NFC", "NFD"])
    def test_the_communes_words_arrive_as_they_were_said(self, form: Literal["NFC", "NFD"]) -> None:
        words = normalize(form, WORDS)
        self.make_sender().send(replace(notice("needs_more"), words=words), self.make_feed())
        (message,) = self.received()
        assert words.encode() in message

    def test_where_nobody_listens_it_is_unreachable(self) -> None:
        with pytest.raises(Unreachable) as raised:
            self.make_sender().send(notice(), self.nobody())
        self.assert_says_nothing_of_anybody(raised.value)

    def test_a_receiver_that_says_no_is_a_refusal_with_its_words(self) -> None:
        feed = self.refusing()
        if feed is None:
            return
        with pytest.raises(Refused) as raised:
            self.make_sender().send(notice("needs_more"), feed)
        assert raised.value.evidence
        self.assert_says_nothing_of_anybody(raised.value)

    def assert_says_nothing_of_anybody(self, error: PortError) -> None:
        """No number and no word of a notice may stand in an error's words."""
        told = notice("needs_more")
        for personal in (*told.patients, told.paper_number, told.words, notice().personal_id):
            assert personal not in error.message
