"""The embedded population directory and its CSV file. Every person here is invented."""

from __future__ import annotations

import json
import stat
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from adapters.population.citizens_csv import COLUMNS
from adapters.population.embedded import EmbeddedPopulation
from gateway.domain.dates import PartialDate
from gateway.domain.identity import Verdict, decide_verdict
from gateway.domain.person import Address, Person, PersonName, Sex
from gateway.errors import Misunderstood, SettingsError
from gateway.testing.population import question

FULL = """personal_id,cmnd,full_name,born,sex,ethnicity,nationality,address,commune_code,commune,province_code,province
999196000017,999000017,Đặng Thị Thúy Hòa,1996-04-09,female,01,VN,"tổ 3, khu 2",21553,Phường Quy Nhơn,52,Gia Lai
999050000028,,Y Ngông,1950,male,,,,,,,
"""


@pytest.fixture
def population(tmp_path: Path) -> Iterator[EmbeddedPopulation]:
    opened = EmbeddedPopulation(tmp_path / "population.db")
    yield opened
    opened.close()


def load(population: EmbeddedPopulation, text: str) -> int:
    path = population.path.with_name("citizens.csv")
    path.write_text(text, encoding="utf-8")
    return population.load_csv(path)


def found(population: EmbeddedPopulation, number: str) -> Person | None:
    return population.lookup(question(personal_id=number)).person


def test_every_column_reaches_the_person(population: EmbeddedPopulation) -> None:
    assert load(population, FULL) == 2
    assert found(population, "999196000017") == Person(
        name=PersonName("Đặng", "Thị Thúy", "Hòa"),
        sex=Sex.FEMALE,
        born=PartialDate(1996, 4, 9),
        personal_id="999196000017",
        cmnd="999000017",
        address=Address("tổ 3, khu 2", "Phường Quy Nhơn", "21553", "", "", "Gia Lai", "52"),
        ethnicity="01",
        nationality="VN",
    )


def test_a_year_alone_stays_a_year(population: EmbeddedPopulation) -> None:
    load(population, FULL)
    person = found(population, "999050000028")
    assert person is not None
    assert person.born == PartialDate(1950)


def test_three_name_columns_keep_a_compound_surname(population: EmbeddedPopulation) -> None:
    load(population, "personal_id,ho,chu_dem,ten\n999196000017,Tôn Nữ,Thị,Bích\n")
    person = found(population, "999196000017")
    assert person is not None
    assert person.name == PersonName("Tôn Nữ", "Thị", "Bích")


def test_a_byte_order_mark_and_decomposed_names_are_read(population: EmbeddedPopulation) -> None:
    load(population, "\ufeff" + unicodedata.normalize("NFD", FULL))
    person = found(population, "999196000017")
    assert person is not None
    assert person.name == PersonName("Đặng", "Thị Thúy", "Hòa")


def test_loading_twice_changes_nothing_and_a_new_row_replaces(population: EmbeddedPopulation) -> None:
    load(population, FULL)
    before = found(population, "999196000017")
    assert load(population, FULL) == 2
    assert found(population, "999196000017") == before
    load(population, "personal_id,full_name\n999196000017,Lê Na\n")
    after = found(population, "999196000017")
    assert after is not None
    assert after.name == PersonName("Lê", "", "Na")
    assert population.lookup(question(cmnd="999000017")).person is None


def test_a_wrong_name_gets_the_record_so_that_the_difference_can_be_shown(population: EmbeddedPopulation) -> None:
    load(population, FULL)
    query = question(personal_id="999196000017", name=PersonName("Lê", "Thị", "Khác"))
    answer = population.lookup(query)
    assert decide_verdict(query, answer).verdict is Verdict.DIFFERS
    assert json.loads(answer.evidence)["personal_id"] == "999196000017"


def test_nobody_is_evidence_too(population: EmbeddedPopulation) -> None:
    assert population.lookup(question(personal_id="999196000017")).evidence == b"null"


WRONG = {
    "no number": ("personal_id,full_name\n,Lê Bí Mật\n", ":2:", "neither personal_id nor cmnd"),
    "eleven digits": ("personal_id,full_name\n99919600001,Lê Bí Mật\n", ":2:", "exactly 12 digits"),
    "other digits": ("personal_id,full_name\n٩٩٩١٩٦٠٠٠٠١٧,Lê Bí Mật\n", ":2:", "exactly 12 digits"),
    "no such day": ("personal_id,full_name,born\n999196000017,Lê Bí Mật,1996-02-30\n", ":2:", "born must be"),
    "no name": ("personal_id,full_name\n999196000017,\n", ":2:", "no name"),
    "two names": ("personal_id,full_name,ten\n999196000017,Lê Bí Mật,Na\n", ":2:", "give one of the two"),
    "sex": ("personal_id,full_name,sex\n999196000017,Lê Bí Mật,nữ\n", ":2:", "sex must be"),
    "nationality": ("personal_id,full_name,nationality\n999196000017,Lê Bí Mật,Việt\n", ":2:", "two capital letters"),
    "too many values": ("personal_id,full_name\n999196000017,Lê, Bí Mật\n", ":2:", "double quotes"),
    "twice": ("cmnd,full_name\n999000017,Lê Na\n\n999000017,Lê Bí Mật\n", ":4:", "already on line 2"),
    "unknown column": ("personal_id,full_name,phone\n", ":1:", "unknown: phone"),
    "no header": ("999196000017,Lê Na\n", ":1:", "the columns are"),
    "empty": ("", ":1:", "the columns are"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_line_is_told_with_its_place_and_remedy_but_not_its_person(
    population: EmbeddedPopulation, case: str
) -> None:
    text, place, words = WRONG[case]
    with pytest.raises(SettingsError) as refused:
        load(population, text)
    assert place in str(refused.value)
    assert words in str(refused.value)
    assert "Mật" not in str(refused.value)


def test_all_mistakes_are_told_at_once_and_nothing_is_loaded(population: EmbeddedPopulation) -> None:
    with pytest.raises(SettingsError) as refused:
        load(population, "personal_id,full_name\n999196000017,Lê Na\n1,Lê Ba\n2,Lê Tư\n")
    assert len(str(refused.value).splitlines()) == 2
    assert found(population, "999196000017") is None


def test_a_file_that_is_not_utf8_or_not_there_is_told(population: EmbeddedPopulation, tmp_path: Path) -> None:
    (tmp_path / "legacy.csv").write_bytes(FULL.encode("utf-16"))
    for name in ("legacy.csv", "missing.csv"):
        with pytest.raises(SettingsError) as refused:
            population.load_csv(tmp_path / name)
        assert refused.value.code == "population.csv_unreadable"


def test_only_the_owner_can_read_the_directory(population: EmbeddedPopulation) -> None:
    assert stat.S_IMODE(population.path.stat().st_mode) == 0o600


def test_it_is_for_development_only(population: EmbeddedPopulation) -> None:
    assert population.development_only


def test_threads_share_one_directory(population: EmbeddedPopulation) -> None:
    load(population, FULL)
    with ThreadPoolExecutor(4) as threads:
        people = list(threads.map(lambda _: found(population, "999196000017"), range(200)))
    assert len(people) == 200
    assert all(person == people[0] is not None for person in people)


def test_a_reopened_directory_still_knows_its_citizens(population: EmbeddedPopulation) -> None:
    load(population, FULL)
    again = EmbeddedPopulation(population.path)
    assert found(again, "999196000017") is not None
    again.close()


def test_a_path_that_cannot_hold_a_directory_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("not a database, but long enough to be read as one" * 20)
    for path in (tmp_path, tmp_path / "missing" / "population.db", tmp_path / "notes.txt"):
        with pytest.raises(SettingsError) as refused:
            EmbeddedPopulation(path)
        assert refused.value.code == "population.file_unusable"


def test_a_record_written_by_something_else_is_misunderstood(population: EmbeddedPopulation) -> None:
    population._connection.execute("INSERT INTO citizen VALUES ('999196000017', NULL, '[1]')")
    with pytest.raises(Misunderstood):
        found(population, "999196000017")


def test_every_column_is_documented() -> None:
    assert all(COLUMNS.values())


def test_a_spouse_in_the_file_is_offered_with_the_person(population: EmbeddedPopulation) -> None:
    load(
        population,
        "personal_id,full_name,spouse_id\n999196000017,Đặng Thị Hòa,999095000011\n999095000011,Lê Văn An,\n"
        "999050000028,Y Ngông,999050000029\n",
    )
    offered = population.lookup(question(personal_id="999196000017")).relatives
    assert offered["spouse"].personal_id == "999095000011"
    assert population.lookup(question(personal_id="999095000011")).relatives == {}
    assert population.lookup(question(personal_id="999050000028")).relatives == {}
