from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.unit.web.conftest import SignIn, csrf_of
from tests.web_world import TestClient, World

REGISTERED = {
    "so": "45/2026",
    "quyenSo": "01/2026",
    "trangSo": "45",
    "ngayDangKy": "23.11.2026",
    "soDinhDanh": "999226000777",
}


def decide(client: TestClient, code: str, action: str, **typed: str) -> Any:
    token = csrf_of(client.get(f"/ho-so/{code}").text)
    form = {"csrf": token, "version": "1", "action": action, **typed}
    return client.post(f"/ho-so/{code}/quyet-dinh", data=form, follow_redirects=False)


def kept(world: World, code: str) -> tuple[str, dict[str, Any]]:
    with world.store.read() as conn:
        state, sealed = conn.exec_driver_sql("SELECT state, sealed FROM desk_item WHERE code = ?", (code,)).one()
    return state, orjson.loads(world.vault.unseal(sealed))


def test_a_dossier_is_accepted_with_one_button(world: World, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert decide(client, "hs-sinh", "accept").status_code == 303
    assert kept(world, "hs-sinh")[0] == "accepted"
    page = client.get("/ho-so/hs-sinh").text
    assert "Trần Thị Cán Bộ" in page
    assert "Tiếp nhận hồ sơ" not in page


@pytest.mark.parametrize(("action", "state"), [("ask", "needs_more"), ("refuse", "refused")])
def test_asking_and_refusing_need_words(world: World, sign_in: SignIn, action: str, state: str) -> None:
    client = sign_in("can-bo")
    silent = decide(client, "hs-sinh", action, words="  ")
    assert silent.status_code == 422
    assert f'id="words-{action}-error"' in silent.text
    assert kept(world, "hs-sinh")[0] == "received"
    assert decide(client, "hs-sinh", action, words="Thiếu giấy kết hôn").status_code == 303
    assert kept(world, "hs-sinh")[0] == state
    assert "Thiếu giấy kết hôn" in client.get("/ho-so/hs-sinh").text


def test_a_registration_is_recorded_with_its_numbers(world: World, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert decide(client, "hs-sinh", "register", **REGISTERED).status_code == 303
    state, content = kept(world, "hs-sinh")
    assert (state, content["result"]) == ("registered", REGISTERED)
    page = client.get("/ho-so/hs-sinh").text
    assert "45/2026" in page
    assert '<form method="post" action="/ho-so/' not in page


@pytest.mark.parametrize(
    ("field", "typed"),
    [("so", "45"), ("quyenSo", ""), ("trangSo", "bốn"), ("ngayDangKy", "31.02.2026"), ("soDinhDanh", "123")],
)
def test_a_mistake_is_shown_beside_its_field_and_nothing_typed_is_lost(
    world: World, sign_in: SignIn, field: str, typed: str
) -> None:
    answer = decide(sign_in("can-bo"), "hs-sinh", "register", **{**REGISTERED, field: typed})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert answer.text.count('aria-invalid="true"') == 1
    for name, value in {**REGISTERED, field: typed}.items():
        assert f'name="{name}" value="{value}"' in answer.text
    assert kept(world, "hs-sinh")[0] == "received"


def test_a_decision_on_an_older_version_is_refused(world: World, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    answer = decide(client, "hs-sinh", "accept", version="0")
    assert answer.status_code == 422
    assert "vừa được sửa" in answer.text
    assert kept(world, "hs-sinh")[0] == "received"


def test_an_unknown_action_changes_nothing(world: World, sign_in: SignIn) -> None:
    assert decide(sign_in("can-bo"), "hs-sinh", "burn").status_code == 422
    assert kept(world, "hs-sinh")[0] == "received"


def test_a_decision_needs_the_form_token(world: World, sign_in: SignIn) -> None:
    form = {"csrf": "guessed", "version": "1", "action": "accept"}
    assert sign_in("can-bo").post("/ho-so/hs-sinh/quyet-dinh", data=form).status_code == 403
    assert kept(world, "hs-sinh")[0] == "received"


def test_a_decision_is_in_the_log_without_words_or_names(world: World, sign_in: SignIn) -> None:
    decide(sign_in("can-bo"), "hs-sinh", "ask", words="Thiếu giấy của Đặng Văn Khánh")
    (entry,) = world.entries("decided")
    assert entry["subject"] == "hs-sinh"
    assert "Khánh" not in str(entry)
