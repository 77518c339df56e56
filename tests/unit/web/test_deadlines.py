from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateway.domain.clocks import Clock, clocks
from gateway.domain.dates import PartialDate
from gateway.domain.dossier import as_json
from gateway.domain.office import OFFICE_ZONE
from gateway.domain.time_left import Left
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.overlays import Overlay
from gateway.pipeline.desk import choose_commune, decide
from gateway.store.session import Store
from gateway.store.vault import Vault
from gateway.views.desk import DeskDossier, DeskLine
from gateway.web.pages.deadlines import Happened, deadlines_of, on_the_desk
from gateway.web.pages.words import ShownClock, clock_words, day_words
from tests.samples.folders import catalogue
from tests.unit.domain.test_clocks import MAPPINGS
from tests.unit.web.conftest import SignIn
from tests.waiting_world import CANH_VINH, WaitingWorld, add_settlers
from tests.web_world import birth, death

REGISTER = Clock(
    "register_by", "Đăng ký khai sinh", "Luật nói.", "Luật X, unverified", "days", "2026-11-23", "2027-01-22"
)


def at(day: int, hour: int = 10, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=OFFICE_ZONE)


# In words


@pytest.mark.parametrize(
    ("left", "words", "pressing"),
    [
        (Left("running", 12), "còn 12 ngày (hạn 22.01.2027, thứ sáu)", "fine"),
        (Left("running", 7), "còn 7 ngày (hạn 22.01.2027, thứ sáu)", "soon"),
        (Left("running", 0, 150), "còn 2 giờ 30 phút làm việc (hạn 22.01.2027, thứ sáu)", "soon"),
        (Left("running", 0, 120), "còn 2 giờ làm việc (hạn 22.01.2027, thứ sáu)", "soon"),
        (Left("running", 0, 5), "còn 5 phút làm việc (hạn 22.01.2027, thứ sáu)", "soon"),
        (Left("last_day"), "hôm nay là ngày cuối (hạn 22.01.2027, thứ sáu)", "soon"),
        (Left("overdue", 3), "quá hạn 3 ngày (hạn 22.01.2027, thứ sáu)", "late"),
        (Left("overdue", 0, 30), "quá hạn 30 phút làm việc (hạn 22.01.2027, thứ sáu)", "late"),
        (Left("overdue"), "quá hạn (hạn 22.01.2027, thứ sáu)", "late"),
        (Left("met"), "đã đăng ký trong hạn (hạn 22.01.2027, thứ sáu)", "none"),
        (Left("missed"), "đã đăng ký sau hạn (hạn 22.01.2027, thứ sáu)", "none"),
        (Left("stopped"), "hồ sơ đã kết thúc (hạn 22.01.2027, thứ sáu)", "none"),
    ],
)
def test_what_is_left_is_told_in_words(left: Left, words: str, pressing: str) -> None:
    shown = clock_words("register_by", (REGISTER, left))
    assert (shown.left, shown.pressing) == (words, pressing)


def test_working_days_are_called_so() -> None:
    family = replace(REGISTER, name="supplement_by", unit="working_days")
    assert clock_words("supplement_by", (family, Left("running", 5))).left.startswith("còn 5 ngày làm việc (")


def test_what_is_not_certain_stands_beside_in_vietnamese() -> None:
    shown = clock_words("register_by", (replace(REGISTER, holidays_known=False), Left("running", 12)))
    assert (shown.label, shown.rule, shown.source) == ("Đăng ký khai sinh", "Luật nói.", "Luật X")
    assert shown.doubts == (
        "Căn cứ chưa được kiểm chứng.",
        "Chưa có lịch nghỉ lễ của năm này: ngày nghỉ lễ chưa được trừ.",
    )
    assert clock_words("register_by", (replace(REGISTER, source="Luật X"), Left("running", 12))).doubts == ()


@pytest.mark.parametrize(
    ("starts", "words"),
    [
        ("", "chưa có ngày chết"),
        ("1950", "chưa có ngày chết đầy đủ (mới biết năm 1950)"),
        ("1950-03", "chưa có ngày chết đầy đủ (mới biết tháng 03.1950)"),
    ],
)
def test_a_clock_that_waits_says_for_what(starts: str, words: str) -> None:
    waiting = replace(REGISTER, starts=starts, ends="", waits="chưa có ngày chết")
    shown = clock_words("register_by", (waiting, Left("waits")))
    assert (shown.left, shown.pressing) == (words, "none")


def test_days_and_hours_have_their_weekday() -> None:
    assert day_words("2026-11-09T13:30") == "13:30 ngày 09.11.2026, thứ hai"
    assert day_words("2026-11-29") == "29.11.2026, chủ nhật"
    assert day_words("sớm") == "sớm"


# Which clocks, as things went


def shown_of(dossier: Any, now: datetime, happened: Happened) -> dict[str, ShownClock]:
    told = deadlines_of(as_json(dossier), "2027-01-19", catalogue(), now, happened)
    return {name: clock_words(name, one) for name, one in told.items()}


def a_birth(**changed: Any) -> Any:
    made = clocks("birth", date(2026, 11, 20), PartialDate(2026, 11, 20, 9, 0), at(20), catalogue())
    return replace(birth(), clocks=made, **changed)


def test_a_dossier_of_before_shows_its_bare_deadlines() -> None:
    shown = shown_of(birth(), at(23), Happened())
    assert shown["register_by"] == ShownClock("Hạn đăng ký", "19.01.2027, thứ ba", "none")


def test_while_no_commune_has_it_the_decision_does_not_run() -> None:
    shown = shown_of(a_birth(), at(23), Happened(done={"send_paper_by": at(20, 11)}))
    assert shown["decide_by"].left == "xã chưa nhận hồ sơ"
    assert shown["supplement_by"].left == "xã chưa yêu cầu bổ sung"
    assert shown["send_paper_by"].left.startswith("đã gửi trong hạn")
    assert shown["register_by"].left == "còn 57 ngày (hạn 19.01.2027, thứ ba)"


def test_nobody_is_accused_of_sending_late_when_only_the_last_data_is_known() -> None:
    shown = shown_of(a_birth(), at(23), Happened(done={"send_paper_by": at(22)}))
    assert shown["send_paper_by"].left.startswith("đã có dữ liệu, chưa rõ có gửi trong hạn không")
    assert shown["send_paper_by"].pressing == "none"


def test_the_commune_decides_from_when_it_has_the_dossier() -> None:
    # Received on Monday the 23rd at 15:01: Tuesday the 24th (which no law seen makes a holiday).
    shown = shown_of(a_birth(), at(24, 9), Happened(received=at(23, 15, 1)))
    assert shown["decide_by"].left == "hôm nay là ngày cuối (hạn 24.11.2026, thứ ba)"
    assert "(giấy khai sinh)" in shown["decide_by"].rule


def test_a_provinces_own_rule_counts_for_its_dossiers_alone(tmp_path: Path) -> None:
    (tmp_path / "codes").mkdir()
    columns = "code,value,name,valid_from,valid_to,unit,rule,waits,source"
    row = "decide,10:00,Xã trả kết quả,,,same_day_until,Nhận trước {value}.,,invented"
    (tmp_path / "codes" / "clocks.csv").write_text(f"{columns}\n{row}\n", encoding="utf-8")
    late_for_them = Happened(received=at(23, 10, 1))
    ends = {}
    for province in ("52", "01"):
        tables = Catalogue.load(MAPPINGS, {}, [Overlay(tmp_path, provinces=(province,))])
        told = deadlines_of(as_json(a_birth()), "2027-01-19", tables, at(23, 11), late_for_them)
        ends[province] = clock_words("decide_by", told["decide_by"]).left
    assert ends["52"] == "còn 1 ngày (hạn 24.11.2026, thứ ba)"
    assert ends["01"] == "hôm nay là ngày cuối (hạn 23.11.2026, thứ hai)"


def test_a_death_received_under_the_new_law_gives_a_giay_chung_tu() -> None:
    made = clocks("death", date(2027, 2, 27), None, None, catalogue())
    told = replace(death(), clocks=made)
    before = shown_of(told, at(24), Happened(received=datetime(2027, 2, 28, 12, tzinfo=UTC)))
    after = shown_of(told, at(24), Happened(received=datetime(2027, 3, 1, 2, tzinfo=UTC)))
    assert "trích lục khai tử" in before["decide_by"].rule
    assert "giấy chứng tử" in after["decide_by"].rule


def on_desk(state: str, *acts: tuple[str, datetime], day: str = "") -> Happened:
    received = int(at(20).timestamp() * 1_000_000)
    line = DeskLine("hs", "hs", "birth", "21583", 1, state, received, received, "2027-01-19", {})
    history = [{"at": moment.isoformat(), "who": "x", "action": action, "words": ""} for action, moment in acts]
    return on_the_desk(DeskDossier(line, {}, "", "", {"ngayDangKy": day}, history))


def test_the_family_has_seven_working_days_from_the_last_time_it_was_asked() -> None:
    happened = on_desk("needs_more", ("ask", at(20, 14)), ("accept", at(23)), ("ask", at(24)))
    shown = shown_of(a_birth(), at(24, 16), happened)
    # From the 25th: Wed, Thu, Fri, and Mon to Thu: 3 December.
    assert shown["supplement_by"].left == "còn 7 ngày làm việc (hạn 03.12.2026, thứ năm)"
    assert shown["decide_by"].left.startswith("xã đã trả lời trong hạn")


def test_what_the_family_supplied_ends_its_clock() -> None:
    shown = shown_of(a_birth(), at(30), on_desk("accepted", ("ask", at(20, 14)), ("accept", at(23))))
    assert shown["supplement_by"].left.startswith("đã bổ sung trong hạn")


def test_a_registration_counts_by_its_day_in_the_register() -> None:
    acts = ("register", at(20, 14))
    in_time = shown_of(a_birth(), at(30), on_desk("registered", acts, day="19.01.2027"))
    late = shown_of(a_birth(), at(30), on_desk("registered", acts, day="20.01.2027"))
    unread = shown_of(a_birth(), at(30), on_desk("registered", acts, day="?"))
    assert in_time["register_by"].left.startswith("đã đăng ký trong hạn")
    assert late["register_by"].left.startswith("đã đăng ký sau hạn")
    assert unread["register_by"].left.startswith("đã đăng ký trong hạn")


def test_a_refused_dossier_has_no_running_clock() -> None:
    shown = shown_of(a_birth(), at(30) + timedelta(days=300), on_desk("refused", ("ask", at(20)), ("refuse", at(24))))
    assert shown["register_by"].left.startswith("hồ sơ đã kết thúc")
    assert shown["supplement_by"].left.startswith("hồ sơ đã kết thúc")
    assert {clock.pressing for clock in shown.values()} == {"none"}


# On the pages


@pytest.fixture
def world(_sqlite_template: Path, tmp_path: Path, vault: Vault, clock: Any) -> Iterator[WaitingWorld]:
    file = tmp_path / "clocks.sqlite"
    shutil.copy(_sqlite_template, file)
    store = Store.open(f"sqlite:///{file}")
    add_settlers(store)
    made = WaitingWorld(store, vault, clock)
    made.open_cases("cho-chia-tach")
    yield made
    store.close()


def clocks_on(page: str) -> dict[str, str]:
    """Label → everything a screen reader reads of each clock."""
    section = page.split('id="h-clocks"')[1].split("</section>", maxsplit=1)[0]
    found = re.findall(r"<li class=\"(\w+)\">\s*<h3>(.*?)</h3>(.*?)</li>", section, re.DOTALL)
    return {label: " ".join(re.sub(r"<[^>]*>", " ", rest).split()) for _, label, rest in found}


def test_the_waiting_case_shows_every_clock_with_rule_and_source(sign_in: SignIn, world: WaitingWorld) -> None:
    shown = clocks_on(sign_in("dieu-phoi").get("/cho-xu-ly/cho-chia-tach").text)
    assert list(shown) == ["Đăng ký khai sinh", "Cơ sở y tế gửi giấy", "Xã trả kết quả", "Gia đình bổ sung hồ sơ"]
    assert re.match(r"còn \d+ ngày \(hạn \d\d\.\d\d\.202\d, thứ", shown["Đăng ký khai sinh"])
    assert "Đăng ký trong 60 ngày" in shown["Đăng ký khai sinh"]
    assert "Luật 60/2014/QH13 Đ15 k1" in shown["Đăng ký khai sinh"]
    assert shown["Cơ sở y tế gửi giấy"].startswith("đã có dữ liệu, chưa rõ")
    assert shown["Xã trả kết quả"].startswith("xã chưa nhận hồ sơ")


def test_overdue_is_read_aloud_and_marked_on_the_page(sign_in: SignIn, world: WaitingWorld, clock: Any) -> None:
    clock.pass_seconds(120 * 86_400)
    page = sign_in("dieu-phoi").get("/cho-xu-ly/cho-chia-tach").text
    assert re.match(r"⚠ Cảnh báo: quá hạn \d+ ngày \(hạn", clocks_on(page)["Đăng ký khai sinh"])
    assert '<li class="late">' in page
    assert "⚠" not in clocks_on(page)["Xã trả kết quả"]


def test_the_dossier_shows_the_communes_clock_and_the_familys_once_asked(
    sign_in: SignIn, world: WaitingWorld, clock: Any
) -> None:
    assert choose_commune(world.services, "cho-chia-tach", CANH_VINH, "dieu-phoi", "Theo giấy tờ.") == {}
    world.work()
    page = clocks_on(sign_in("dieu-phoi").get("/ho-so/cho-chia-tach").text)
    assert "hạn" in page["Xã trả kết quả"]
    assert page["Gia đình bổ sung hồ sơ"].startswith("xã chưa yêu cầu bổ sung")
    clock.pass_seconds(60)
    assert decide(world.services, "cho-chia-tach", "ask", "dieu-phoi", "Thiếu tên con.", {}) == {}
    page = clocks_on(sign_in("dieu-phoi").get("/ho-so/cho-chia-tach").text)
    assert page["Gia đình bổ sung hồ sơ"].startswith("còn 7 ngày làm việc (hạn")
    assert page["Xã trả kết quả"].startswith("xã đã trả lời trong hạn")
