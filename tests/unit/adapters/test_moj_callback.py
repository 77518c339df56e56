"""Calls of the civil-status exchange: who may call, and what a call says."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.commune.moj_callback import SIGNATURE
from adapters.commune.moj_rest import MojRest
from gateway.errors import Refused, UnreadableMessage
from gateway.ports.commune import Outcome
from tests.moj_world import CODE, moj

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)
SECRET = b"shared s3cret"
RESULT = {"soDangKy": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "24.11.2026"}
TOLD = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "24.11.2026"}


@pytest.fixture(scope="module")
def commune(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MojRest]:
    secret: Path = tmp_path_factory.mktemp("moj") / "secret"
    secret.write_bytes(SECRET + b"\n")
    commune = moj("https://example.test/moj", callback_secret=secret)
    yield commune
    commune.close()


def body_of(**told: Any) -> bytes:
    return orjson.dumps({"maTTHC": "2.000986", "maHoSo": CODE, "coQuanXuLy": 5} | told)


def signed(body: bytes, at: datetime = NOW, secret: bytes = SECRET) -> dict[str, str]:
    seconds = str(int(at.timestamp()))
    signature = hmac.new(secret, f"{seconds}.".encode() + body, sha256).hexdigest()
    return {SIGNATURE: f"t={seconds},v1={signature}"}


@pytest.mark.parametrize(
    ("told", "outcome"),
    [
        ({"trangThai": 1}, Outcome("pending", CODE)),
        ({"trangThai": 3}, Outcome("accepted", CODE)),
        ({"trangThai": "7", "ghiChu": "đã chuyển"}, Outcome("accepted", CODE, "đã chuyển")),
        ({"trangThai": 2, "noiDungXuLy": "Thiếu tên"}, Outcome("needs_more", CODE, "Thiếu tên")),
        ({"trangThai": 6, "noiDungXuLy": "Sai xã"}, Outcome("refused", CODE, "Sai xã")),
        ({"trangThai": 4, "ketQuaXuLy": orjson.dumps(RESULT).decode()}, Outcome("registered", CODE, "", TOLD)),
        ({"trangThai": 5, "ketQuaXuLy": RESULT}, Outcome("registered", CODE, "", TOLD)),
    ],
)
def test_each_state_of_the_linked_service_is_understood(
    commune: MojRest, told: dict[str, Any], outcome: Outcome
) -> None:
    body = body_of(**told)
    call = commune.read_callback(signed(body), body, NOW)
    assert (call.code, call.outcome) == (CODE, outcome)


def test_the_same_call_has_the_same_key_and_another_one_another(commune: MojRest) -> None:
    body, later = body_of(trangThai=3), NOW + timedelta(seconds=1)
    keys = [commune.read_callback(signed(body, at), body, NOW).key for at in (NOW, NOW, later)]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("seconds", [-300, 300])
def test_five_minutes_either_way_are_in_time(commune: MojRest, seconds: int) -> None:
    body = body_of(trangThai=3)
    assert commune.read_callback(signed(body, NOW + timedelta(seconds=seconds)), body, NOW).code == CODE


@pytest.mark.parametrize("seconds", [-301, 301, -86_400])
def test_a_call_out_of_time_is_refused_though_it_is_signed(commune: MojRest, seconds: int) -> None:
    body = body_of(trangThai=3)
    with pytest.raises(Refused) as refused:
        commune.read_callback(signed(body, NOW + timedelta(seconds=seconds)), body, NOW)
    assert refused.value.code == "callback.too_old"


def test_a_call_with_another_secret_or_another_body_is_refused(commune: MojRest) -> None:
    body = body_of(trangThai=3)
    for headers, arrived in ((signed(body, secret=b"guess"), body), (signed(body), body.replace(b"3", b"4"))):
        with pytest.raises(Refused) as refused:
            commune.read_callback(headers, arrived, NOW)
        assert refused.value.code == "callback.wrong_signature"


def test_a_signed_call_cannot_be_made_younger(commune: MojRest) -> None:
    body = body_of(trangThai=3)
    old = signed(body, NOW - timedelta(days=1))[SIGNATURE]
    _, _, signature = old.partition(",")
    with pytest.raises(Refused) as refused:
        commune.read_callback({SIGNATURE: f"t={int(NOW.timestamp())},{signature}"}, body, NOW)
    assert refused.value.code == "callback.wrong_signature"


def test_one_of_two_signatures_is_enough_while_a_secret_is_changed(commune: MojRest) -> None:
    body = body_of(trangThai=3)
    other = signed(body, secret=b"next")[SIGNATURE].partition(",")[2]
    headers = {SIGNATURE: f"{signed(body)[SIGNATURE]},{other}"}
    assert commune.read_callback(headers, body, NOW).code == CODE


@pytest.mark.parametrize(
    "header", ["", "t=1", "v1=00", "t=now,v1=00", "t=-1,v1=00", "t=1,t=2,v1=00", "t=²,v1=00", "t=1,v1", "nonsense"]
)
def test_a_call_without_a_readable_signature_is_refused(commune: MojRest, header: str) -> None:
    with pytest.raises(Refused):
        commune.read_callback({SIGNATURE: header}, body_of(trangThai=3), NOW)


def test_a_signature_that_is_no_text_of_digits_is_compared_all_the_same(commune: MojRest) -> None:
    body = body_of(trangThai=3)
    with pytest.raises(Refused):
        commune.read_callback({SIGNATURE: f"t={int(NOW.timestamp())},v1=đúng"}, body, NOW)


def test_nobody_may_call_where_no_secret_is_set() -> None:
    commune = moj("https://example.test/moj")
    body = body_of(trangThai=3)
    with pytest.raises(Refused) as refused:
        commune.read_callback(signed(body, secret=b""), body, NOW)
    commune.close()
    assert refused.value.code == "callback.not_configured"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html/>",
        orjson.dumps({"trangThai": 3}),
        body_of(maHoSo="", trangThai=3),
        body_of(maHoSo=17, trangThai=3),
        body_of(),
        body_of(trangThai=0),
        body_of(trangThai=8),
        body_of(trangThai=4, ketQuaXuLy="Nguyễn Thử Nghiệm"),
        body_of(trangThai=4, ketQuaXuLy=RESULT | {"ngayDangKy": "99.99.2026"}),
        body_of(trangThai=4),
        body_of(trangThai=5, ketQuaXuLy="{}"),
    ],
)
def test_a_signed_call_that_makes_no_sense_is_unreadable_and_says_no_name(commune: MojRest, body: bytes) -> None:
    with pytest.raises(UnreadableMessage) as raised:
        commune.read_callback(signed(body), body, NOW)
    assert "Nguyễn" not in raised.value.message
