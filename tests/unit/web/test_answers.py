from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from gateway.web import reads
from tests.unit.web.conftest import SignIn
from tests.web_world import TestClient, World, birth


@pytest.mark.parametrize("path", ["/dang-nhap", "/api/cases", "/healthz", "/static/style.css", "/no-such-page"])
def test_every_answer_carries_the_security_headers(anyone: TestClient, path: str) -> None:
    headers = anyone.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "script-src" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_pages_and_data_are_not_cached(sign_in: SignIn) -> None:
    client = sign_in("can-bo")
    assert client.get("/ho-so/hs-sinh").headers["cache-control"] == "no-store"
    assert client.get("/api/cases").headers["cache-control"] == "no-store"


def test_no_page_uses_scripts_or_inline_styles(sign_in: SignIn) -> None:
    for name in ("can-bo", "benh-vien", "kiem-tra", "quan-tri"):
        page = sign_in(name).get("/").text
        assert "<script" not in page
        assert "style=" not in page
        assert "http" not in page.replace("http-equiv", "")


def test_without_the_log_nothing_is_shown(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise OperationalError("INSERT", None, Exception("disk full"))

    monkeypatch.setattr(reads, "append", broken)
    client = sign_in("can-bo")
    for path in ("/", "/ho-so/hs-sinh", "/ho-so/hs-sinh/dossier.xml", "/api/cases/hs-sinh"):
        answer = client.get(path)
        assert answer.status_code == 503
        assert "Thu Hòa" not in answer.text


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/api/cases?after=nonsense", "page.bad_cursor"),
        ("/api/cases?after=WzFd", "page.bad_cursor"),
        ("/api/cases?limit=0", "request.invalid"),
        ("/api/cases?limit=Tr%E1%BA%A7n", "request.invalid"),
        ("/api/none", "http.not_found"),
    ],
)
def test_errors_have_one_shape_and_repeat_nothing(sign_in: SignIn, path: str, code: str) -> None:
    answer = sign_in("kiem-tra").get(path)
    assert set(answer.json()) == {"error"}
    assert set(answer.json()["error"]) == {"code", "message", "where"}
    assert answer.json()["error"]["code"] == code
    assert "nonsense" not in answer.text
    assert "Trần" not in answer.text


def test_a_list_is_walked_by_its_cursor_without_gaps(world: World, sign_in: SignIn) -> None:
    for number in range(5):
        world.add_dossier(f"hs-{number}", birth())
    client = sign_in("kiem-tra")
    for path, key in (("/api/cases", "id"), ("/api/deliveries", "case_id")):
        seen: list[str] = []
        after: str | None = ""
        while after is not None:
            answer = client.get(path, params={"limit": 2, "after": after}).json()
            seen += [item[key] for item in answer["items"]]
            after = answer["next"]
        assert len(seen) == len(set(seen)) == 9


def test_health_answers_without_signing_in(anyone: TestClient) -> None:
    assert anyone.get("/healthz").json() == {"status": "ok"}
    assert anyone.get("/readyz").json() == {"status": "ready"}


def test_a_store_that_does_not_answer_is_not_ready(world: World, anyone: TestClient) -> None:
    with world.store.write() as conn:
        conn.exec_driver_sql("DROP TABLE chain")
    answer = anyone.get("/readyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "store.unavailable")


def test_the_numbers_count_routes_not_addresses(world: World, sign_in: SignIn, anyone: TestClient) -> None:
    sign_in("can-bo").get("/ho-so/hs-sinh")
    anyone.get("/no-such/%C4%90%E1%BA%B7ng")
    text = anyone.get("/metrics").text
    assert 'route="/ho-so/{code}",status="200"' in text
    assert 'hotich_desk_items{state="received"} 2.0' in text
    assert 'hotich_lanes{state="due"} 4.0' in text
    assert "hs-sinh" not in text
    assert "%C4%90" not in text


def test_the_description_is_served_and_needs_nothing_from_elsewhere(anyone: TestClient) -> None:
    described = anyone.get("/openapi.json").json()
    intake = {"/hl7v2", "/fhir", "/fhir/{resource_type}", "/moh"}
    assert intake | {"/api/cases", "/api/messages"} <= set(described["paths"])
    assert anyone.get("/docs").status_code == 404
