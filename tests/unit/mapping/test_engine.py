from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.dossier import Owed
from gateway.domain.finding import Finding
from gateway.domain.notification import BirthNotification
from gateway.domain.person import Address, PersonName, Sex
from gateway.domain.provenance import Provenance
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import Filled, fill_form, read_event
from gateway.mapping.registry import TRANSFORMS
from gateway.ports.hospital import Event, Feed

HEAD = 'basis = "a made-up standard"\nkind = "birth"\nin_force = 2025-01-01\n'
SEX = "code,value,name,valid_from,valid_to,source\nM,male,,,,s\nF,female,,,,s\nU,,,,,s\n"
TODAY = date(2026, 11, 23)
FEED = Feed()

Load = Callable[..., Catalogue]
MakeEvent = Callable[..., Event]


def read(load: Load, event: Event, rows: str) -> Any:
    catalogue = load({"inbound/notebook/birth.toml": HEAD + rows, "codes/sex.csv": SEX})
    return read_event(catalogue, "notebook", event, "m1", FEED, TODAY)


# Inbound


def test_a_reading_is_typed_and_says_where_every_value_came_from(load: Load, event: MakeEvent) -> None:
    rows = """
    [[row]]
    to = "child.sex"
    from = "sex"
    codes = "sex"
    [[row]]
    to = "birth.weight_g"
    from = "weight"
    using = "integer"
    [[row]]
    to = "child.born"
    from = ["born", "event"]
    using = "date"
    """
    reading = read(load, event({"sex": "f", "weight": "3200", "event": "202611230815"}), rows)
    told = reading.notification
    assert isinstance(told, BirthNotification)
    assert (told.child.sex, told.birth.weight_g) == (Sex.FEMALE, 3200)
    assert told.child.born == PartialDate(2026, 11, 23, 8, 15)
    assert reading.provenance["child.born"] == Provenance("m1", "event", "inbound/notebook/birth.toml#child.born")
    assert reading.provenance.keys() == {"child.sex", "birth.weight_g", "child.born"}
    assert (reading.message, reading.kind, reading.patients) == ("m1", "birth", ("P1",))


def test_the_first_path_that_yields_a_value_wins(load: Load, event: MakeEvent) -> None:
    rows = '[[row]]\nto = "child.phone"\nfrom = ["a", "b", "c"]\n'
    reading = read(load, event({"a": ["  "], "b": "0999", "c": "0888"}), rows)
    assert reading.notification.child.phone == "0999"
    assert reading.unread == ("c",)


def test_parts_are_put_together_and_replace_those_of_a_whole(load: Load, event: MakeEvent) -> None:
    rows = """
    [[row]]
    to = "mother.address.commune_code"
    from = "commune"
    [[row]]
    to = "mother.address.line"
    from = "line"
    [[row]]
    to = "mother.address.country"
    value = "VN"
    """
    reading = read(load, event({"commune": "21583", "line": "12 Lê Lợi"}), rows)
    assert reading.notification.mother.address == Address(line="12 Lê Lợi", commune_code="21583", country="VN")
    where = reading.provenance["mother.address"]
    assert (where.path, where.rule) == ("commune; line; value", "inbound/notebook/birth.toml#mother.address")


def test_a_row_with_a_condition_applies_only_when_it_holds(load: Load, event: MakeEvent) -> None:
    rows = """
    [[row]]
    to = "birth.live"
    value = false
    when = "outcome = still"
    [[row]]
    to = "birth.live"
    value = true
    when = "outcome != still"
    [[row]]
    to = "birth.multiple"
    value = true
    when = "order valued"
    [[row]]
    to = "child.phone"
    from = "phone"
    when = "order absent"
    """
    reading = read(load, event({"outcome": "still", "order": "2", "phone": "1"}), rows)
    assert reading.notification.birth.live is False
    assert reading.notification.birth.multiple is True
    assert reading.notification.child.phone is None
    assert read(load, event({}), rows).notification.birth.live is True


def test_of_two_rows_that_both_hold_the_first_counts(load: Load, event: MakeEvent) -> None:
    rows = """
    [[row]]
    to = "child.phone"
    from = "a"
    when = "b valued"
    [[row]]
    to = "child.phone"
    from = "b"
    when = "a valued"
    [[row]]
    to = "mother.name.given"
    from = "a"
    when = "b valued"
    [[row]]
    to = "mother.name.given"
    from = "b"
    when = "a valued"
    """
    told = read(load, event({"a": "first", "b": "second"}), rows).notification
    assert (told.child.phone, told.mother.name) == ("first", PersonName(given="first"))


def test_a_code_without_a_crosswalk_is_a_finding_and_not_passed_on(load: Load, event: MakeEvent) -> None:
    reading = read(load, event({"sex": "Q"}), '[[row]]\nto = "child.sex"\nfrom = "sex"\ncodes = "sex"\n')
    assert reading.notification.child.sex is None
    assert reading.findings == (Finding("value.no_crosswalk", "sex", "sex"),)


def test_a_code_that_stands_for_nothing_is_no_value_and_no_finding(load: Load, event: MakeEvent) -> None:
    reading = read(load, event({"sex": "U"}), '[[row]]\nto = "child.sex"\nfrom = "sex"\ncodes = "sex"\n')
    assert (reading.notification.child.sex, reading.findings) == (None, ())


def test_what_cannot_be_read_is_a_finding_at_its_place(load: Load, event: MakeEvent) -> None:
    rows = '[[row]]\nto = "birth.weight_g"\nfrom = "weight"\nusing = "integer"\n'
    reading = read(load, event({"weight": "heavy"}, findings=(Finding("birth.too_old", "x"),)), rows)
    assert [(finding.code, finding.where) for finding in reading.findings] == [
        ("birth.too_old", "x"),
        ("value.unreadable", "weight"),
    ]


def test_a_required_row_without_a_value_is_a_finding(load: Load, event: MakeEvent) -> None:
    reading = read(load, event({}), '[[row]]\nto = "child.born"\nfrom = "born"\nusing = "date"\nrequired = true\n')
    assert reading.findings == (Finding("value.missing", "child.born"),)


def test_a_transform_that_gives_another_type_than_it_says_is_a_programming_error(
    load: Load, event: MakeEvent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(TRANSFORMS, "shout", lambda values, context: "LOUD")
    with pytest.raises(TypeError, match=r"birth.toml#child.born: shout gave str, not .*PartialDate"):
        read(load, event({"born": "2026"}), '[[row]]\nto = "child.born"\nfrom = "born"\nusing = "shout"\n')


# Outbound: a form that has nothing to do with births, so that nothing national can hide in the engine

CLUB = """
basis = "Statutes of the Tennis Club of Nowhere, section 3"
kind = "membership"
in_force = 2024-01-01
procedure = "join"
form = "club-card"

[[row]]
to = "memberName"
from = "player.name"
using = "full_name"
required = true

[[row]]
to = "hand"
from = "player.hand"
codes = "hands"

[[row]]
to = "racket.maker"
from = "racket.maker"
[[row]]
to = "racket.strings"
from = "racket.strings"
value = "nylon"

[[row]]
to = "fee"
value = "20"
when = "player.junior = true"
[[row]]
to = "fee"
value = "50"
when = "player.junior != true"

[[row]]
to = "sponsor"
owed_by = "family"
from = "player.sponsor"

[[row]]
to = "locker"
note = "given by the caretaker"

[[row]]
to = "guardian"
from = "player.guardian"
required = true
when = "player.junior = true"
"""
HANDS = "code,value,name,valid_from,valid_to,source\nleft,L,,,,statutes\nright,R,,,,statutes\n"
MIEN = PersonName("Nguyễn", "Thị", "Mến")


def fill(load: Load, view: dict[str, Any]) -> Filled:
    catalogue = load({"outbound/join/2024.toml": CLUB, "codes/hands.csv": HANDS})
    sources = {path: Provenance("m7", f"in:{path}", f"in.toml#{path}") for path in view}
    return fill_form(catalogue.outbound("membership", TODAY), view, sources, catalogue, FEED, TODAY)


def test_a_form_lists_every_field_filled_or_not(load: Load) -> None:
    filled = fill(load, {"player.name": MIEN, "player.hand": "left"})
    assert filled.fields == {
        "memberName": "Nguyễn Thị Mến",
        "hand": "L",
        "racket": {"strings": "nylon"},
        "fee": "50",
        "sponsor": "",
        "locker": "",
        "guardian": "",
    }


def test_what_is_owed_is_listed_with_who_owes_it(load: Load) -> None:
    assert fill(load, {"player.name": MIEN}).owed == (Owed("sponsor", "family"),)
    assert fill(load, {"player.name": MIEN, "player.sponsor": "Racket Ltd"}).owed == ()


def test_a_required_field_without_a_value_is_missing_and_a_finding(load: Load) -> None:
    filled = fill(load, {})
    assert filled.missing == ("memberName",)
    assert filled.findings == (Finding("value.missing", "memberName"),)


def test_a_requirement_binds_only_when_its_condition_holds(load: Load) -> None:
    assert fill(load, {"player.name": MIEN}).missing == ()
    assert fill(load, {"player.name": MIEN, "player.junior": True}).missing == ("guardian",)


def test_conditions_choose_between_rows_of_one_field(load: Load) -> None:
    assert fill(load, {"player.name": MIEN, "player.junior": True}).fields["fee"] == "20"
    assert fill(load, {"player.name": MIEN, "player.junior": False}).fields["fee"] == "50"


def test_of_two_rows_of_a_field_that_both_hold_the_first_counts(load: Load) -> None:
    twice = CLUB.replace('when = "player.junior != true"', 'when = "player.name valued"')
    catalogue = load({"outbound/join/2024.toml": twice, "codes/hands.csv": HANDS})
    view = {"player.name": MIEN, "player.junior": True, "player.guardian": "Cô Ba"}
    sources = {path: Provenance("m7", path, path) for path in view}
    filled = fill_form(catalogue.outbound("membership", TODAY), view, sources, catalogue, FEED, TODAY)
    assert filled.fields["fee"] == "20"


def test_a_field_points_at_its_message_path_and_both_rules(load: Load) -> None:
    sources = fill(load, {"player.name": MIEN, "racket.maker": "Acme"}).provenance
    rule = "in.toml#player.name > outbound/join/2024.toml#memberName"
    assert sources["memberName"] == Provenance("m7", "in:player.name", rule)
    assert sources["racket"].path == "in:racket.maker"
    assert sources["fee"] == Provenance("gateway", "value", "outbound/join/2024.toml#fee")
    assert "sponsor" not in sources


def test_an_outbound_code_without_a_crosswalk_is_a_finding_at_the_field(load: Load) -> None:
    filled = fill(load, {"player.name": MIEN, "player.hand": "both"})
    assert filled.fields["hand"] == ""
    assert filled.findings == (Finding("value.no_crosswalk", "hand", "hands"),)
