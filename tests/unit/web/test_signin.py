from __future__ import annotations

import hashlib
from typing import Any

import pytest

from gateway.web.accounts import disable_user
from tests.unit.web.conftest import SignIn, csrf_of, enter
from tests.web_world import PASSWORD, TestClient, World


def test_pages_lead_to_the_sign_in_and_back(anyone: TestClient) -> None:
    answer = anyone.get("/ho-so/hs-sinh", follow_redirects=False)
    assert answer.headers["location"] == "/dang-nhap?tiep=/ho-so/hs-sinh"
    done: Any = enter(anyone, "can-bo", onward="/ho-so/hs-sinh")
    assert (done.status_code, done.headers["location"]) == (303, "/ho-so/hs-sinh")


def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(anyone: TestClient) -> None:
    done: Any = enter(anyone, "can-bo")
    cookie = next(value for value in done.headers.get_list("set-cookie") if value.startswith("hotich="))
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_with_https_the_cookie_is_bound_to_this_host(world: World) -> None:
    from gateway.web.site import WebOptions
    from tests.web_world import FORMS, create_app

    app = create_app(world.services, world.intake, FORMS, WebOptions(secure_cookies=True))
    client = TestClient(app, base_url="https://testserver")
    done: Any = enter(client, "can-bo")
    cookie = next(value for value in done.headers.get_list("set-cookie") if value.startswith("__Host-hotich="))
    assert "Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie
    assert client.get("/").headers["strict-transport-security"]


def test_the_database_holds_no_cookie(world: World, anyone: TestClient) -> None:
    enter(anyone, "can-bo")
    cookie = anyone.cookies["hotich"]
    with world.store.read() as conn:
        (stored,) = conn.exec_driver_sql("SELECT id FROM session").scalars()
    assert stored == hashlib.sha256(cookie.encode()).hexdigest()


def test_signing_in_again_makes_a_new_session(anyone: TestClient) -> None:
    enter(anyone, "can-bo")
    first = anyone.cookies["hotich"]
    enter(anyone, "can-bo")
    assert anyone.cookies["hotich"] != first


def test_a_planted_cookie_is_never_taken_over(anyone: TestClient) -> None:
    anyone.cookies.set("hotich", "planted", domain="testserver.local", path="/")
    enter(anyone, "can-bo")
    assert anyone.cookies["hotich"] != "planted"


@pytest.mark.parametrize("name", ["can-bo", "không-ai"])
def test_wrong_and_unknown_get_the_same_answer(anyone: TestClient, name: str) -> None:
    answer: Any = enter(anyone, name, "sai")
    assert answer.status_code == 401
    assert "không đúng, hoặc tài khoản đang bị khóa" in answer.text
    assert f'value="{name}"' in answer.text
    assert "sai" not in answer.text.split("<form")[1].split("</form>")[0]


def test_a_sign_in_form_of_another_site_is_refused(anyone: TestClient) -> None:
    form = {"csrf": "guessed", "ten": "can-bo", "mat_khau": PASSWORD}
    assert anyone.post("/dang-nhap", data=form).status_code == 403
    assert "hotich" not in anyone.cookies


@pytest.mark.parametrize(
    "away", ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "", "/a\nb"]
)
def test_the_sign_in_leads_nowhere_else(anyone: TestClient, away: str) -> None:
    done: Any = enter(anyone, "can-bo", onward=away)
    assert done.headers["location"] == "/"


def test_signing_out_ends_the_session_on_the_server(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    cookie = client.cookies["hotich"]
    token = csrf_of(client.get("/").text)
    client.post("/dang-xuat", data={"csrf": token})
    client.cookies = {"hotich": cookie}
    assert client.get("/", follow_redirects=False).status_code == 303


def test_signing_out_needs_the_form_token(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert client.post("/dang-xuat", data={"csrf": "guessed"}).status_code == 403
    assert client.get("/", follow_redirects=False).status_code == 200


def test_a_session_ends_after_an_idle_hour_and_after_its_hours(world: World, sign_in: SignIn) -> None:
    idle, busy = sign_in("can-bo"), sign_in("can-bo")
    for _ in range(2 * 8 - 1):
        world.clock.pass_seconds(30 * 60)
        assert busy.get("/", follow_redirects=False).status_code == 200
    assert idle.get("/", follow_redirects=False).status_code == 303
    world.clock.pass_seconds(31 * 60)
    assert busy.get("/", follow_redirects=False).status_code == 303


def test_closing_an_account_ends_its_sessions(world: World, sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    with world.store.write() as conn:
        disable_user(conn, "can-bo")
    assert client.get("/", follow_redirects=False).status_code == 303


def test_signing_in_is_logged(world: World, anyone: TestClient) -> None:
    enter(anyone, "can-bo", "sai")
    enter(anyone, "can-bo")
    assert world.entries("signed_in") == [{"subject": "can-bo", "role": "officer"}]
