from __future__ import annotations

import pytest

from gateway.store.session import Store, now_us
from gateway.web import accounts
from gateway.web.accounts import (
    LOCKED_US,
    WRONG_IN_A_ROW,
    AccountError,
    authenticate,
    create_token,
    create_user,
    disable_user,
    find_token,
    list_users,
    revoke_token,
    set_password,
)
from gateway.web.principal import Principal, codes
from tests.web_world import PASSWORD, World


def wrong_times(world: World, times: int) -> None:
    for _ in range(times):
        assert authenticate(world.store, "can-bo", "sai", world.now) is None


def test_the_right_password_brings_the_person_with_the_own_communes(world: World) -> None:
    person = authenticate(world.store, "can-bo", PASSWORD, world.now)
    assert person == Principal("can-bo", "officer", "Trần Thị Cán Bộ", frozenset({"21583"}), frozenset())


def test_five_wrong_passwords_close_the_account_for_fifteen_minutes(world: World) -> None:
    wrong_times(world, WRONG_IN_A_ROW)
    assert authenticate(world.store, "can-bo", PASSWORD, world.now) is None
    assert authenticate(world.store, "can-bo", PASSWORD, world.now + LOCKED_US) is not None


def test_a_right_password_forgets_the_wrong_ones(world: World) -> None:
    wrong_times(world, WRONG_IN_A_ROW - 1)
    assert authenticate(world.store, "can-bo", PASSWORD, world.now) is not None
    wrong_times(world, WRONG_IN_A_ROW - 1)
    assert authenticate(world.store, "can-bo", PASSWORD, world.now) is not None


def test_an_unknown_name_costs_a_password_check_too(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    right = accounts._verify
    monkeypatch.setattr(accounts, "_verify", lambda hashed, password: checked.append(hashed) or right(hashed, password))
    assert authenticate(world.store, "không-ai", "gì đó", world.now) is None
    assert len(checked) == 1
    parameters = checked[0].rsplit("$", 2)[0]
    with world.store.read() as conn:
        stored = conn.exec_driver_sql("SELECT password FROM person LIMIT 1").scalar_one()
    assert stored.rsplit("$", 2)[0] == parameters


def test_a_closed_account_lets_nobody_in(world: World) -> None:
    with world.store.write() as conn:
        disable_user(conn, "can-bo")
    assert authenticate(world.store, "can-bo", PASSWORD, world.now) is None


def test_a_new_password_opens_a_locked_account(world: World) -> None:
    wrong_times(world, WRONG_IN_A_ROW)
    with world.store.write() as conn:
        set_password(conn, "can-bo", "mật khẩu mới hẳn")
    assert authenticate(world.store, "can-bo", "mật khẩu mới hẳn", world.now) is not None


@pytest.mark.parametrize(
    ("name", "role", "password", "code"),
    [
        ("a", "chief", PASSWORD, "account.role"),
        ("can-bo", "officer", PASSWORD, "account.exists"),
        ("b", "officer", "ngắn", "account.password"),
        (" c", "officer", PASSWORD, "account.name"),
        ("", "officer", PASSWORD, "account.name"),
    ],
)
def test_an_account_that_cannot_be_is_refused(world: World, name: str, role: str, password: str, code: str) -> None:
    with pytest.raises(AccountError) as refused, world.store.write() as conn:
        create_user(conn, name, role, "", password)
    assert refused.value.code == code


def test_changing_an_unknown_account_is_refused(world: World) -> None:
    with pytest.raises(AccountError), world.store.write() as conn:
        disable_user(conn, "không-ai")


def test_the_list_of_users_holds_no_password(world: World) -> None:
    with world.store.read() as conn:
        users = list_users(conn)
    assert [user.name for user in users] == ["benh-vien", "can-bo", "can-bo-khac", "kiem-tra", "quan-tri"]
    assert "argon2" not in str(users)


def test_a_token_is_known_by_its_digest_only_and_can_be_revoked(world: World) -> None:
    with world.store.write() as conn:
        token = create_token(conn, "his", "hospital", world.now, feed="benh-vien-thu", facilities=["99001"])
        stored = conn.exec_driver_sql("SELECT id FROM token").scalar_one()
    assert token not in stored
    with world.store.read() as conn:
        principal = find_token(conn, token)
        assert find_token(conn, stored) is None
    assert principal == Principal("token:his", "hospital", "his", frozenset(), frozenset({"99001"}), "benh-vien-thu")
    with world.store.write() as conn:
        assert revoke_token(conn, "his", world.now) == 1
    with world.store.read() as conn:
        assert find_token(conn, token) is None


def test_a_star_means_all_and_nothing_means_none() -> None:
    assert codes("*") is None
    assert codes("") == frozenset()
    assert codes("21583 21589") == {"21583", "21589"}


def test_users_and_tokens_are_kept_alike_on_both_databases(store: Store, clock: object) -> None:
    now = now_us(clock)  # type: ignore[arg-type]
    with store.write() as conn:
        create_user(conn, "a", "auditor", "Kiểm Tra", PASSWORD)
        token = create_token(conn, "t", "auditor", now)
    assert authenticate(store, "a", "sai", now) is None
    person = authenticate(store, "a", PASSWORD, now)
    assert person is not None
    with store.read() as conn:
        assert find_token(conn, token) is not None
