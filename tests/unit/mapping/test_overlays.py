"""Overlays for everyone, for some feeds and for some provinces: who counts where, and in which order."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.bootstrap import load_catalogue
from gateway.cli.main import build_app
from gateway.domain.case import Case, Edit
from gateway.domain.notification import flatten
from gateway.domain.provenance import Provenance
from gateway.errors import MappingError, SettingsError
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import read_event
from gateway.mapping.overlays import Overlay
from gateway.mapping.wire import wire_text
from gateway.pipeline.prepare import prepare_dossier
from gateway.plugins import load_plugins
from gateway.ports.hospital import Event, Feed
from gateway.settings import load as load_settings
from tests.unit.mapping.conftest import MAPPINGS, NotebookReader
from tests.unit.mapping.notifications import BIRTH, LINKED, LINKED_2025, ORDINARY, TODAY

READERS: Any = {"notebook": NotebookReader()}
CODES = "code,value,name,valid_from,valid_to,source\n"
NOTES = 'basis = "s"\nkind = "birth"\nin_force = 2024-01-01\n'
SEX = NOTES + '[[row]]\nto = "child.sex"\nfrom = "sex"\ncodes = "sex"\n'
PHONE = NOTES + '[[row]]\nto = "child.phone"\nvalue = "{}"\n'
BASE = {
    "inbound/notebook/birth.toml": PHONE.format("base") + SEX.removeprefix(NOTES),
    "codes/sex.csv": CODES + "m,male,,,,s\n",
}
SCOPES: list[dict[str, tuple[str, ...]]] = [{}, {"feeds": ("a",)}, {"provinces": ("52",)}]
Layers = Callable[..., Catalogue]
Write = Callable[..., Path]


@pytest.fixture
def layers(write: Write) -> Layers:
    """A set of overlays over BASE; each is (files, scope)."""

    def make(*above: tuple[Mapping[str, str], Mapping[str, tuple[str, ...]]]) -> Catalogue:
        over = []
        for place, (files, scope) in enumerate(above):
            directory = write(files, f"layer-{place}")
            directory.mkdir(exist_ok=True)
            over.append(Overlay(directory, **scope))
        return Catalogue.load(write(BASE), READERS, over)

    return make


def phone(catalogue: Catalogue) -> str | None:
    rows = catalogue.inbound("notebook", "birth", TODAY).rows
    return next((str(row.value) for row in rows if row.to == "child.phone"), None)


def says(word: str) -> dict[str, str]:
    return {"inbound/notebook/birth.toml": PHONE.format(word)}


# The catalogue


def test_of_two_overlays_for_one_row_the_later_wins(layers: Layers) -> None:
    assert phone(layers((says("first"), {}), (says("second"), {}))) == "second"
    scoped = {"feeds": ("a",)}
    assert phone(layers((says("first"), scoped), (says("second"), {})).within("a")) == "second"
    assert phone(layers((says("first"), {}), (says("second"), scoped)).within("a")) == "second"


def test_a_feeds_overlay_does_not_leak_to_another_feed(layers: Layers) -> None:
    catalogue = layers((says("a's"), {"feeds": ("a",)}), (says("b's"), {"feeds": ("b", "c")}))
    assert [phone(catalogue.within(name)) for name in ("a", "b", "c", "d", "")] == ["a's", "b's", "b's", "base", "base"]
    assert phone(catalogue) == "base"


def test_a_provinces_overlay_counts_in_that_province_and_with_a_feed_only_where_both_hold(layers: Layers) -> None:
    catalogue = layers(
        (says("52"), {"provinces": ("52",)}), (says("a in 52"), {"feeds": ("a",), "provinces": ("52", "01")})
    )
    told = {(feed, code): phone(catalogue.within(feed, code)) for feed in ("a", "b") for code in ("52", "01", "79", "")}
    assert {scope for scope, word in told.items() if word == "a in 52"} == {("a", "52"), ("a", "01")}
    assert told["b", "52"] == "52"
    assert [told[scope] for scope in (("a", "79"), ("a", ""), ("b", "01"), ("b", "79"), ("b", ""))] == ["base"] * 5


def test_a_part_taken_from_a_part_is_the_same(layers: Layers) -> None:
    catalogue = layers((says("a's"), {"feeds": ("a",)}), (says("52"), {"provinces": ("52",)}))
    assert catalogue.within("a").within("b") is catalogue.within("b")
    assert phone(catalogue.within("a").within("a", "52")) == "52"


def test_an_overlay_keeps_the_place_of_the_rows_it_replaces(write: Write) -> None:
    form = MAPPINGS / "outbound/1.000656/2025-07-01.toml"
    header = form.read_text(encoding="utf-8").partition("\n[[row]]")[0]
    local = f'{header}\n[[row]]\nto = "nktHoTen"\nvalue = "local"\n[[row]]\nto = "nktMoi"\nnote = "new"\n'
    above = write({"outbound/1.000656/2025-07-01.toml": local})
    plain, laid = (Catalogue.load(MAPPINGS, {}, over) for over in ((), (above,)))
    for name in (LINKED, ORDINARY):
        fields = [
            list(dict.fromkeys(row.field for row in each.form("death", name, TODAY).rows)) for each in (plain, laid)
        ]
        assert fields[1] == [*fields[0], "nktMoi"]


def test_a_whole_field_replaces_its_parts_and_parts_the_whole(write: Write) -> None:
    form = MAPPINGS / "outbound/1.001193/2025-07-01.toml"
    header = form.read_text(encoding="utf-8").partition("\n[[row]]")[0]
    rows = '\n[[row]]\nto = "meNoiCuTru"\nvalue = "in one line"\n[[row]]\nto = "meHoTen.Ten"\nvalue = "given"\n'
    above = write({"outbound/1.001193/2025-07-01.toml": header + rows})
    laid = Catalogue.load(MAPPINGS, {}, [above]).form("birth", LINKED, TODAY).rows
    told = {row.to for row in laid}
    assert {to for to in told if to.startswith("meNoiCuTru")} == {"meNoiCuTru"}
    assert {to for to in told if to.startswith("meHoTen")} == {"meHoTen.Ten"}


def test_codes_of_a_feed_are_read_for_that_feed_only(layers: Layers, event: Callable[..., Event]) -> None:
    catalogue = layers(({"codes/sex.csv": CODES + "m,female,,,,this hospital\n"}, {"feeds": ("a",)}))

    def sex(feed: str) -> Any:
        part, page = catalogue.within(feed), {"sex": "m"}
        return read_event(part, "notebook", event(page), "m1", Feed(feed), TODAY).notification.child.sex

    assert [sex(feed) for feed in ("a", "b")] == ["female", "male"]


# Hash and archive


def test_the_hash_and_the_archive_keep_scopes(layers: Layers, write: Write) -> None:
    catalogues = [layers((says("local"), scope)) for scope in (*SCOPES, {"feeds": ("b",)})]
    assert len({catalogue.hash for catalogue in catalogues}) == 4
    for catalogue in catalogues:
        again = Catalogue.from_archive(catalogue.archive(), READERS)
        assert again.hash == catalogue.hash
        assert again.archive() == catalogue.archive()
        for scope in (("a", ""), ("b", ""), ("a", "52"), ("", "52"), ("", "")):
            assert phone(again.within(*scope)) == phone(catalogue.within(*scope))


def test_every_part_has_the_hash_and_archive_of_the_whole_set(layers: Layers) -> None:
    catalogue = layers((says("a's"), {"feeds": ("a",)}))
    assert catalogue.within("a").hash == catalogue.hash
    assert catalogue.within("a").archive() == catalogue.archive()


def test_order_is_part_of_the_hash(layers: Layers) -> None:
    first, second = (says("one"), {}), (says("two"), {})
    assert layers(first, second).hash != layers(second, first).hash


def test_an_empty_overlay_changes_nothing_and_survives_the_archive(layers: Layers) -> None:
    catalogue = layers(({}, {}), (says("local"), {"feeds": ("a",)}))
    again = Catalogue.from_archive(catalogue.archive(), READERS)
    assert again.hash == catalogue.hash == layers((says("local"), {"feeds": ("a",)})).hash
    assert phone(again.within("a")) == "local"


def test_many_overlays_keep_their_order_in_the_archive(layers: Layers) -> None:
    catalogue = layers(*((says(str(number)), {}) for number in range(12)))
    assert phone(catalogue) == phone(Catalogue.from_archive(catalogue.archive(), READERS)) == "11"


# Mistakes


@pytest.mark.parametrize(
    "scope", [{}, {"feeds": ("a",)}, {"provinces": ("52",)}, {"feeds": ("a",), "provinces": ("52",)}]
)
def test_a_mistake_in_any_overlay_refuses_the_start(layers: Layers, scope: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(MappingError, match=r"layer-0/inbound/notebook/birth.toml:7: .*no code table `nowhere`"):
        layers(({"inbound/notebook/birth.toml": SEX.replace('"sex"\n', '"nowhere"\n')}, scope))


def test_a_mistake_is_told_once_however_many_parts_it_is_in(layers: Layers) -> None:
    with pytest.raises(MappingError) as refused:
        layers(
            (says("x").copy() | {"codes/sex.csv": CODES + ",male,,,,s\n"}, {"feeds": ("a", "b"), "provinces": ("52",)})
        )
    assert len(refused.value.mistakes) == 1


def test_a_table_that_only_one_of_two_feeds_has_is_a_mistake_for_the_other(layers: Layers) -> None:
    rules = {"inbound/notebook/birth.toml": SEX.replace('codes = "sex"', 'codes = "local"')}
    table = {"codes/local.csv": CODES + "m,male,,,,s\n"}
    with pytest.raises(MappingError, match="no code table `local`"):
        layers((rules, {"feeds": ("a", "b")}), (table, {"feeds": ("a",)}))
    assert layers((rules, {"feeds": ("a",)}), (table, {"feeds": ("a",)})).within("a")


def test_codes_of_a_feed_that_cannot_become_the_target_are_a_mistake(layers: Layers) -> None:
    with pytest.raises(MappingError, match="has a value that cannot become Sex"):
        layers(({"codes/sex.csv": CODES + "f,nữ,,,,this hospital\n"}, {"feeds": ("a",)}))


def test_a_feeds_own_table_without_a_column_that_a_row_reads_is_a_mistake(layers: Layers) -> None:
    rules = {"inbound/notebook/birth.toml": SEX.replace('codes = "sex"', 'codes = "local.other"')}
    table = CODES.replace(",source", ",other,source") + "m,x,,,,male,s\n"
    right = ({"codes/local.csv": table}, {"feeds": ("a",)})
    assert layers((rules, {"feeds": ("a",)}), right).within("a")
    wrong = ({"codes/local.csv": CODES + "m,male,,,,s\n"}, {"feeds": ("b",)})
    with pytest.raises(MappingError, match="has no column `other`"):
        layers((rules, {"feeds": ("a", "b")}), right, wrong)


def test_a_province_that_is_not_on_todays_list_is_refused_by_its_code(write: Write) -> None:
    above = write({"codes/sex.csv": CODES + "m,male,,,,s\n"})
    assert Catalogue.load(MAPPINGS, {}, [Overlay(above, provinces=("52", "01"))])
    with pytest.raises(MappingError, match="no province `35`"):
        Catalogue.load(MAPPINGS, {}, [Overlay(above, provinces=("52", "35"))])


def test_wrong_lists_of_units_in_an_overlay_refuse_the_start(write: Write) -> None:
    above = write({"units/communes.csv": "code,name\n1,x\n"})
    with pytest.raises(MappingError):
        Catalogue.load(MAPPINGS, {}, [Overlay(above, feeds=("a",))])


def test_a_form_that_one_kind_lacks_cannot_be_given_to_communes(write: Write) -> None:
    form = (MAPPINGS / "outbound/1.001193/2025-07-01.toml").read_text(encoding="utf-8")
    above = write(
        {
            "outbound/1.001193/own.toml": form.replace('form = "nhanHoSoDKHT"', 'form = "own"'),
            "codes/commune_forms.csv": CODES + "52,own,,,,s\n",
        }
    )
    with pytest.raises(MappingError, match="no form `own` for every kind"):
        Catalogue.load(MAPPINGS, {}, [above])


# The step


def prepared(catalogue: Catalogue, feed: str, commune: str) -> dict[str, Any]:
    """The birth as `prepare` makes it for a feed, with the commune an officer chose."""
    facts = flatten(BIRTH)
    edits = {"commune.code": Edit(commune, "an officer", "2026-11-23T01:00:00Z", "asked the family")}
    case = Case("birth", BIRTH, {path: Provenance("m", path, f"in#{path}") for path in facts}, edits=edits)
    dossier = prepare_dossier(case, Feed(feed), catalogue, datetime(2026, 11, 23, 3, tzinfo=UTC))
    return {"form": dossier.form, "wire": dossier.wire, "module": dossier.module, "fields": dossier.fields}


HERE, HA_NOI = "21583", "00004"
FORM_OF_52 = {"codes/commune_forms.csv": CODES + f"52,{LINKED_2025},,,,Gia Lai's own system\n"}
FORM_OF_COMMUNE = {"codes/commune_forms.csv": CODES + f"{HERE},{ORDINARY},,,,this commune's system\n"}


def own_row(value: str) -> dict[str, str]:
    text = (MAPPINGS / "outbound/1.001193/2025-07-01.toml").read_text(encoding="utf-8")
    header = text.partition("\n[[row]]")[0]
    return {"outbound/1.001193/2025-07-01.toml": f'{header}\n[[row]]\nto = "soLuongBanSao"\nvalue = "{value}"\n'}


def test_a_province_overlay_applies_to_dossiers_of_that_province_only(write: Write) -> None:
    over = [
        Overlay(write(own_row("5"), "a"), provinces=("52",)),
        Overlay(write(own_row("3"), "b"), feeds=("khoa-san",)),
    ]
    catalogue = Catalogue.load(MAPPINGS, {}, over)
    told = {
        (feed, code): prepared(catalogue, feed, code)["fields"]["soLuongBanSao"]
        for feed in ("khoa-san", "khoa-nhi")
        for code in (HERE, HA_NOI)
    }
    assert told == {
        ("khoa-san", HERE): "3",
        ("khoa-san", HA_NOI): "3",
        ("khoa-nhi", HERE): "5",
        ("khoa-nhi", HA_NOI): "",
    }


def test_the_form_goes_by_the_commune_then_its_province_then_everyone(write: Write) -> None:
    catalogue = Catalogue.load(MAPPINGS, {}, [write(FORM_OF_52, "a")])
    assert prepared(catalogue, "f", HERE)["form"] == LINKED_2025
    assert prepared(catalogue, "f", HA_NOI)["form"] == LINKED
    closer = Catalogue.load(MAPPINGS, {}, [write(FORM_OF_52, "a"), write(FORM_OF_COMMUNE, "b")])
    told = prepared(closer, "f", HERE)
    assert (told["form"], told["wire"], told["module"]) == (ORDINARY, "xml", "KS")
    assert wire_text(told["wire"], told["fields"]).startswith("<hotich><hoso><maGCS>")


def test_an_archived_set_prepares_alike(write: Write) -> None:
    over = [Overlay(write(FORM_OF_52, "a"), feeds=("khoa-san",)), Overlay(write(own_row("5"), "b"), provinces=("52",))]
    catalogue = Catalogue.load(MAPPINGS, {}, over)
    again = Catalogue.from_archive(catalogue.archive(), {})
    for feed in ("khoa-san", "khoa-nhi"):
        for code in (HERE, HA_NOI):
            assert prepared(again, feed, code) == prepared(catalogue, feed, code)
    assert prepared(again, "khoa-san", HERE)["form"] == LINKED_2025


# The settings


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A directory with nothing of the environment's settings."""
    monkeypatch.chdir(tmp_path)
    for name in ("CONFIG", "MAPPING_OVERLAYS", "FEEDS"):
        monkeypatch.delenv(f"HOTICH_{name}", raising=False)
    return tmp_path


def config(directory: Path, overlays: str) -> Path:
    file = directory / "hotich.toml"
    feeds = '[feeds.khoa-san]\nsenders = ["A|1"]\n[feeds.khoa-nhi]\nsenders = ["B|1"]\n'
    file.write_text(f"mapping_overlays = {overlays}\n{feeds}", encoding="utf-8")
    return file


def test_settings_keep_the_order_and_scope_of_overlays(settled: Path) -> None:
    stated = '["first", {path = "second", feeds = ["khoa-san"]}, {path = "/srv/third", provinces = ["52", "01"]}]'
    assert load_settings(config(settled, stated)).mapping_overlays == (
        Overlay(settled / "first"),
        Overlay(settled / "second", feeds=("khoa-san",)),
        Overlay(Path("/srv/third"), provinces=("52", "01")),
    )


def test_overlays_may_come_from_the_environment(settled: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOTICH_MAPPING_OVERLAYS", '["a", {"path": "b", "provinces": ["52"]}]')
    assert load_settings().mapping_overlays == (Overlay(Path("a")), Overlay(Path("b"), provinces=("52",)))


@pytest.mark.parametrize(
    ("overlays", "problem"),
    [
        ('"local"', "write a list of paths or of tables"),
        ('[{feeds = ["khoa-san"]}]', "an overlay's table needs `path`"),
        ('[{path = "a", feed = ["khoa-san"]}]', "feed: no such key; did you mean feeds?"),
        ('[{path = "a", feeds = "khoa-san"}]', "mapping_overlays.0.feeds"),
        ("[5]", "mapping_overlays"),
        ('[{path = "a", feeds = []}]', "feeds is an empty list: leave it out, or name whom the overlay is for"),
    ],
)
def test_a_wrong_overlay_in_the_settings_is_refused_with_its_reason(settled: Path, overlays: str, problem: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load_settings(config(settled, overlays))
    assert problem in str(refused.value)


def test_an_overlay_for_a_feed_nobody_set_up_is_refused_by_name(settled: Path, write: Write) -> None:
    place = write(own_row("5"))
    settings = load_settings(config(settled, f'[{{path = "{place}", feeds = ["khoa-san", "khoa-noi"]}}]'))
    with pytest.raises(SettingsError, match="no feed khoa-noi") as refused:
        load_catalogue(settings, load_plugins(), {})
    assert refused.value.code == "settings.no_such_feed"


# From outside


MESSAGE = (
    "MSH|^~\\&|{app}|1|GW|GW|20261123101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261123101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Bé gái^^||20261120093000+0700|F||||||||||||||25\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583||||||||||||||||||||||||25\r"
    "PV1|1|I||N\r"
)


def tried(directory: Path, feed: str) -> dict[str, Any]:
    """What `hotich try --feed` says of the dossier."""
    command = ["try", "birth.hl7", "--feed", feed, "--config", str(directory / "hotich.toml"), "--json"]
    done = CliRunner().invoke(build_app(), command)
    assert done.stdout.startswith("{"), done.output
    told = json.loads(done.stdout)["cases"][0]["dossier"]
    return {"form": told["form"], "ethnicity": told["fields"]["meDanToc"], "copies": told["fields"]["soLuongBanSao"]}


def test_a_hospitals_habit_and_a_provinces_form_are_settings_away(settled: Path, write: Write) -> None:
    """A hospital sends 25 and means Kinh; Gia Lai takes the 2025 form and two copies: each only where it counts."""
    write({"codes/ethnicity.csv": CODES + "25,01,Kinh,,,this hospital\n"}, "san")
    write(FORM_OF_52 | own_row("2"), "gia-lai")
    (settled / "birth.hl7").write_text(MESSAGE.format(app="A"), encoding="utf-8", newline="")
    config(settled, '[{path = "san", feeds = ["khoa-san"]}, {path = "gia-lai", provinces = ["52"]}]')
    assert tried(settled, "khoa-san") == {"form": LINKED_2025, "ethnicity": "01", "copies": "2"}
    assert tried(settled, "khoa-nhi") == {"form": LINKED_2025, "ethnicity": "25", "copies": "2"}
    config(settled, '["san", {path = "gia-lai", provinces = ["01"]}]')
    assert tried(settled, "khoa-nhi") == {"form": LINKED, "ethnicity": "01", "copies": ""}
