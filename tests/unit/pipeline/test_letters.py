"""Letters from the registration to the PDF, by the real steps, on both databases."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, select, update

from gateway.domain.commune import Commune
from gateway.domain.finding import Finding
from gateway.errors import GatewayError, MappingError
from gateway.lanes import lanes
from gateway.mapping.catalogue import Catalogue
from gateway.pipeline.desk import decide
from gateway.pipeline.handover import mark_handover, plan_handover
from gateway.pipeline.letter_wording import check_templates, review_letters, wording_for
from gateway.pipeline.letters import MakeLetter, StoredLetter, find_letter, letter_work
from gateway.pipeline.results import result_findings
from gateway.pipeline.typesetting import set_pdf, template_mistake
from gateway.ports.commune import Outcome
from gateway.store.partner_tables import Letter, OutcomeRow
from gateway.store.session import Store, execute
from gateway.store.tables import CaseRow, DossierRow
from gateway.store.vault import Vault
from gateway.views.handovers import find_handover, list_day, list_left, list_unplanned
from gateway.views.letters import list_letters
from gateway.views.reach import EVERYTHING, Reach
from tests.samples.folders import SAMPLES as FOLDER
from tests.samples.folders import catalogue, readers
from tests.waiting_world import SAMPLES, WaitingWorld
from tests.web_world import HERE, ON

BIRTH, DEATH = "ks-thu", "kt-thu"
NUMBERS = {"so": "45/2026", "quyenSo": "01/2026", "trangSo": "45", "ngayDangKy": "23.11.2026"}
MAPPINGS = FOLDER.parent / "mappings"
HOUR = 3600


@pytest.fixture
def world(store: Store, vault: Vault, clock: Any, monkeypatch: pytest.MonkeyPatch) -> WaitingWorld:
    """A birth and a death on the desk."""
    monkeypatch.setitem(SAMPLES, BIRTH, "birth/newborn-admitted-with-pv1-4-n")
    monkeypatch.setitem(SAMPLES, DEATH, "death/discharge-with-death-and-cause")
    made = WaitingWorld(store, vault, clock)
    made.open_cases(BIRTH, DEATH)
    return made


def register(world: WaitingWorld, case_id: str) -> None:
    number = {"soDinhDanh": "999226000777"} if case_id == BIRTH else {}
    assert decide(world.services, case_id, "register", "can-bo", "", NUMBERS | number) == {}
    world.work()


def letter_of(world: WaitingWorld, case_id: str) -> StoredLetter | None:
    with world.store.read() as conn:
        return find_letter(conn, world.vault, case_id)


def text_of(pdf: bytes) -> str:
    shown = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True).stdout.decode()
    return " ".join(shown.split())


def dossier_of(world: WaitingWorld, case_id: str) -> dict[str, Any]:
    with world.store.read() as conn:
        sealed = conn.execute(select(DossierRow.sealed).where(DossierRow.case_id == case_id)).scalar_one()
    content: dict[str, Any] = orjson.loads(world.vault.unseal(sealed))
    return content


def change(world: WaitingWorld, case_id: str, *findings: dict[str, str], **fields: str) -> None:
    """Say something else in the stored dossier."""
    content = dossier_of(world, case_id)
    content["dossier"]["dossier"]["fields"] |= fields
    content["dossier"]["findings"] += findings
    sealed = world.vault.seal(orjson.dumps(content))
    with world.store.write() as conn:
        conn.execute(update(DossierRow).where(DossierRow.case_id == case_id).values(sealed=sealed))


def make_again(world: WaitingWorld, case_id: str) -> None:
    with world.store.write() as conn:
        lanes.put_many(conn, [letter_work(case_id)], world.now)
    world.work()


def test_every_registration_has_its_letter_sealed_and_logged_without_a_name(world: WaitingWorld) -> None:
    register(world, BIRTH)
    register(world, DEATH)
    birth, death = letter_of(world, BIRTH), letter_of(world, DEATH)
    assert birth is not None
    assert death is not None
    mother = dossier_of(world, BIRTH)["dossier"]["dossier"]["fields"]["meHoTen"]
    assert "THƯ CHÚC MỪNG" in text_of(birth.pdf)
    assert mother in text_of(birth.pdf)
    assert "THƯ CHIA BUỒN" in text_of(death.pdf)
    with world.store.read() as conn:
        stored = bytes(conn.execute(select(Letter.sealed).where(Letter.case_id == BIRTH)).scalar_one())
    assert b"%PDF" not in stored
    entries = world.entries("letter")
    assert [(entry["subject"], entry["letter"]) for entry in entries] == [(BIRTH, "birth"), (DEATH, "death")]
    assert mother not in str(entries)


def test_the_cause_of_death_never_reaches_the_letter(world: WaitingWorld) -> None:
    change(world, DEATH, nktNguyenNhanChet="Nhồi máu đánh dấu")
    register(world, DEATH)
    letter = letter_of(world, DEATH)
    assert letter is not None
    shown = text_of(letter.pdf)
    assert "qua đời" in shown
    assert "Nhồi máu" not in shown
    assert "Nhồi máu".encode("utf-16-be") not in letter.pdf


def test_a_name_that_looks_like_typst_comes_out_as_text(world: WaitingWorld) -> None:
    name = 'Nguyễn #read("/etc/passwd") ] [ $x$ *đậm* \\ @a {born} // Ẫẵ'
    change(world, BIRTH, meHoTen=name, chaHoTen="")
    register(world, BIRTH)
    letter = letter_of(world, BIRTH)
    assert letter is not None
    assert name in text_of(letter.pdf)


def test_a_letter_made_again_is_the_same_and_a_corrected_one_takes_its_place(world: WaitingWorld) -> None:
    register(world, BIRTH)
    first = letter_of(world, BIRTH)
    world.clock.pass_seconds(HOUR)
    make_again(world, BIRTH)
    assert len(world.entries("letter")) == 1
    change(world, BIRTH, meHoTen="Lò Thị Sửa")
    make_again(world, BIRTH)
    again = letter_of(world, BIRTH)
    assert first is not None
    assert again is not None
    assert again.pdf != first.pdf
    assert "Lò Thị Sửa" in text_of(again.pdf)
    with world.store.read() as conn:
        (line,) = list_letters(conn, EVERYTHING)
    assert line.hours(world.now) < 1


def test_nobody_is_congratulated_on_a_child_who_died(world: WaitingWorld) -> None:
    change(world, BIRTH, Finding("birth.died", "PID-30").as_json())
    register(world, BIRTH)
    assert letter_of(world, BIRTH) == StoredLetter("withheld", b"")
    with world.store.read() as conn:
        lines = list_letters(conn, EVERYTHING)
    assert review_letters(catalogue(), lines, world.now + 10**15, ON).missing == ()


def test_a_letter_is_no_longer_handed_out_when_the_childs_death_becomes_known_later(world: WaitingWorld) -> None:
    register(world, BIRTH)
    kinds = []
    for case_id in (BIRTH, DEATH):
        with world.store.write() as conn:
            execute(conn, "INSERT INTO case_key (key, case_id) VALUES (?, ?)", (b"same child", case_id))
        with world.store.read() as conn:
            found = find_handover(conn, world.vault, EVERYTHING, BIRTH)
        assert found is not None
        kinds.append((found.line.letter, found.pdf[:4]))
    assert kinds == [("birth", b"%PDF"), ("withheld", b"")]


def test_cases_registered_before_there_were_letters_are_found_and_made(world: WaitingWorld) -> None:
    register(world, BIRTH)
    with world.store.write() as conn:
        conn.execute(delete(Letter))
        conn.execute(delete(OutcomeRow))
        conn.execute(update(CaseRow).where(CaseRow.id == BIRTH).values(status="corrected"))
    with world.store.read() as conn:
        lines = list_letters(conn, EVERYTHING)
    assert [line.case_id for line in lines] == [BIRTH]
    assert review_letters(catalogue(), lines, world.now, ON).pending
    late = review_letters(catalogue(), lines, world.now + 25 * HOUR * 1_000_000, ON)
    assert [line.case_id for line in late.missing] == [BIRTH]
    make_again(world, BIRTH)
    with world.store.read() as conn:
        review = review_letters(catalogue(), list_letters(conn, EVERYTHING), world.now, ON)
    assert (review.missing, review.pending, review.in_time) == ((), (), 1)


def test_a_letter_made_after_its_time_is_late_and_periods_and_communes_are_kept_apart(world: WaitingWorld) -> None:
    register(world, BIRTH)
    with world.store.write() as conn:
        conn.execute(update(Letter).values(made_at=world.now + 25 * HOUR * 1_000_000))
    with world.store.read() as conn:
        lines = list_letters(conn, EVERYTHING)
        (line,) = lines
        assert list_letters(conn, EVERYTHING, until=line.registered_at) == []
        assert list_letters(conn, EVERYTHING, since=line.registered_at + 1) == []
        assert list_letters(conn, Reach(None, frozenset({"00004"}), None)) == []
        assert len(list_letters(conn, Reach(None, frozenset({line.commune_code}), None), line.registered_at)) == 1
    assert review_letters(catalogue(), lines, world.now, ON).late == (line,)


def test_findings_about_a_result_know_the_child(world: WaitingWorld) -> None:
    def codes(**changed: str) -> list[str]:
        told = Outcome("registered", result=NUMBERS | {"soDinhDanh": "999226000777"} | changed)
        with world.store.read() as conn:
            return [finding.code for finding in result_findings(conn, world.services, BIRTH, 1, told)]

    change(world, BIRTH, nksGioiTinh="1", nksNgaySinh="20.11.2026")
    assert codes() == []
    assert codes(soDinhDanh="999326000777") == ["result.id_differs"]
    assert codes(ngayDangKy="19.11.2026") == ["result.before_event"]
    with world.store.read() as conn:
        assert result_findings(conn, world.services, BIRTH, 1, Outcome("accepted")) == ()


def test_a_handover_is_planned_listed_and_handed_over_once(world: WaitingWorld) -> None:
    services = world.services
    assert plan_handover(services, "none", "home", "2026-11-24", "can-bo") == {"choice": "Không có hồ sơ này."}
    assert plan_handover(services, BIRTH, "office", "2026-11-24", "benh-vien") == {}
    assert plan_handover(services, BIRTH, "home", "2026-11-25", "can-bo") == {}
    assert "đăng ký" in mark_handover(services, BIRTH, "can-bo", done=True)
    register(world, BIRTH)
    register(world, DEATH)
    with world.store.read() as conn:
        assert list_day(conn, world.vault, EVERYTHING, "2026-11-24") == []
        (line,) = list_day(conn, world.vault, EVERYTHING, "2026-11-25")
        assert (line.case_id, line.choice, line.who, line.letter, line.registered) == (
            BIRTH, "home", "can-bo", "birth", True,
        )  # fmt: skip
        assert [left.case_id for left in list_left(conn, world.vault, EVERYTHING, "2026-11-26")] == [BIRTH]
        assert [left.case_id for left in list_unplanned(conn, world.vault, EVERYTHING, 0)] == [DEATH]
        elsewhere = Reach(frozenset({"99999"}), None, None)
        assert list_day(conn, world.vault, elsewhere, "2026-11-25") == []
        assert find_handover(conn, world.vault, elsewhere, BIRTH) is None
    assert mark_handover(services, BIRTH, "can-bo", done=True) == ""
    assert mark_handover(services, BIRTH, "can-bo", done=True) == ""
    assert list(plan_handover(services, BIRTH, "home", "2026-11-25", "can-bo")) == ["choice"]
    with world.store.read() as conn:
        assert list_left(conn, world.vault, EVERYTHING, "2026-11-26") == []
    assert mark_handover(services, BIRTH, "can-bo", done=False) == ""
    actions = [(entry["action"], entry["who"]) for entry in world.entries("handover")]
    assert actions == [
        ("planned", "benh-vien"), ("planned", "can-bo"), ("done", "can-bo"), ("undone", "can-bo"),
    ]  # fmt: skip


# What overlays may change, without a database


@pytest.fixture(scope="module")
def overlaid(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Catalogue]:
    """Makes a small mapping set: the shipped letters under an overlay of these files."""
    root = tmp_path_factory.mktemp("shipped")
    for path in ("codes/letters.csv", "letters/birth.typ", "letters/death.typ", "letters/handover.typ"):
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_bytes((MAPPINGS / path).read_bytes())

    def make(**files: str) -> Catalogue:
        over = tmp_path_factory.mktemp("over")
        for name, text in files.items():
            path = over / name.replace("__", "/").replace("_typ", ".typ").replace("_csv", ".csv")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return Catalogue.load(root, readers(), [over])

    return make


HEAD = "code,value,name,valid_from,valid_to,office,title,signer,heading,paragraphs,within_hours,source\n"


def test_a_communes_own_words_come_before_its_provinces_and_everybodys(overlaid: Callable[..., Catalogue]) -> None:
    rows = (
        "birth/52,birth,Tỉnh,2026-01-01,,,,Người Ký Tỉnh,THƯ,Mừng {child}.,,thử\n"
        "birth/21583,rieng,Phường,2026-01-01,2026-12-31,,CHỦ TỊCH,Người Ký,THƯ,Mừng {child}.,2,thử\n"
    )
    made = overlaid(codes__letters_csv=HEAD + rows, letters__rieng_typ="#json(bytes(sys.inputs.data)).signer")
    own = wording_for(made, "birth", HERE, ON)
    assert (own.template, own.signer, own.within_hours) == ("rieng", "Người Ký", 2.0)
    assert wording_for(made, "birth", HERE, ON.replace(year=2027)).signer == "Người Ký Tỉnh"
    assert wording_for(made, "birth", replace(HERE, province_code="01", code="00004"), ON).signer == ""
    assert "Người Ký" in text_of(set_pdf("rieng", made.template("rieng"), {"signer": own.signer}))
    assert check_templates(made, ON) == {}


def test_a_template_of_an_overlay_replaces_the_shipped_one(overlaid: Callable[..., Catalogue]) -> None:
    assert overlaid(letters__birth_typ="Khác").template("birth") == b"Kh\xc3\xa1c"
    with pytest.raises(MappingError, match=r"letters/<name>\.typ"):
        overlaid(letter__birth_typ="Khác")


@pytest.mark.parametrize(
    ("row", "template", "words"),
    [
        ("birth/*,thu,n,,,,,,THƯ,{cause},,thử\n", "x", "cause"),
        ("birth/*,thu,n,,,,,,THƯ,Mừng,,thử\n", "#json(bytes(sys.inputs.data)).cause", "cause"),
        ("birth/*,thu,n,,,,,,THƯ,Mừng,,thử\n", '#import "@preview/x:1.0.0": *', "no packages"),
        ("birth/*,thu,n,,,,,,THƯ,Mừng,,thử\n", '#read("/etc/hostname")', "not found"),
        ("birth/*,khong,n,,,,,,THƯ,Mừng,,thử\n", "x", "no template"),
        ("birth/*,thu,n,,,,,,THƯ,Mừng,mai,thử\n", "x", "within_hours"),
        ("cuoi/*,thu,n,,,,,,THƯ,Mừng,,thử\n", "x", "birth/… or death/…"),
    ],
)
def test_a_row_or_template_that_cannot_be_used_is_named(
    overlaid: Callable[..., Catalogue], row: str, template: str, words: str
) -> None:
    wrong = check_templates(overlaid(codes__letters_csv=HEAD + row, letters__thu_typ=template), ON)
    assert [words in told for told in wrong.values()] == [True]


def test_the_shipped_letters_can_be_set_and_name_no_signer() -> None:
    assert check_templates(catalogue(), ON) == {}
    assert {wording_for(catalogue(), kind, HERE, ON).signer for kind in ("birth", "death")} == {""}
    here = Commune("21583", "Phường Quy Nhơn", "52", "Tỉnh Gia Lai", "2025-07-01")
    assert wording_for(catalogue(), "death", here, ON).heading == "THƯ CHIA BUỒN"


def test_a_template_that_fails_tells_the_log_nothing_of_the_person() -> None:
    with pytest.raises(GatewayError) as failed:
        set_pdf("hong", b"#panic(sys.inputs.data)", {"to": "Lò Thị Kín"})
    assert failed.value.code == "letter.template"
    assert "Lò Thị Kín" not in str(failed.value)
    assert failed.value.__suppress_context__
    assert template_mistake(b"#x", {}) != ""


def test_equal_data_give_equal_bytes_at_any_time() -> None:
    template = catalogue().template("birth")
    data = {"office": "a", "heading": "b", "dateline": "", "to": "Đỗ Thị Ự", "address": "", "paragraphs": ["ẵ"]}
    data |= {"title": "", "signer": ""}
    assert set_pdf("birth", template, data) == set_pdf("birth", template, dict(data))
    assert set_pdf("birth", template, {**data, "to": "Đỗ Thị Ử"}) != set_pdf("birth", template, data)
    assert text_of(set_pdf("x", b"#datetime.today().year()", {})) == "1970"


def test_the_handler_serves_the_kind_that_outcomes_put() -> None:
    assert MakeLetter.kind == letter_work("x")[1] == "letter"
