"""What the corpus run sends: files of several messages, frames written down, fragments, and what is no message."""

from __future__ import annotations

import unicodedata

import pytest

from benchmarks.corpus_files import is_full_of_everything, may_be_silent, messages_in, parcels_of
from tests.unit.benchmarks.messages import message

NAMES = [unicodedata.normalize(form, "Nguyễn^Hương^Thị") for form in ("NFC", "NFD")]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_a_file_of_several_messages_is_sent_frame_by_frame_and_once_as_a_whole(name: str, end: str) -> None:
    one, two = message("A", name, end), message("B", name, end)

    parcels = parcels_of("hospital/all.hl7", one + two)

    assert [(each.way, each.number) for each in parcels] == [("mllp", 1), ("mllp", 2), ("/hl7v2", 0)]
    assert [each.raw.rstrip() for each in parcels] == [one.rstrip(), two.rstrip(), (one + two).rstrip()]


def test_a_batch_of_one_is_sent_without_its_envelope_and_once_with_it() -> None:
    one = message("A")
    batch = b"FHS|^~\\&|\rBHS|^~\\&|\r" + one + b"BTS|1\rFTS|1\r"

    single, whole = parcels_of("batch.hl7", batch)

    assert single.raw == one
    assert whole.way == "/hl7v2" and whole.raw == batch


@pytest.mark.parametrize(("begin", "end"), [(b"\x0b", b"\x1c\r"), (b"[SOM]", b"[EOM]")])
def test_frames_that_a_file_holds_are_not_part_of_the_messages(begin: bytes, end: bytes) -> None:
    one, two = message("A"), message("B")

    assert [each.strip() for each in messages_in(begin + one + end + begin + two + end)] == [one.strip(), two.strip()]


def test_a_word_that_begins_like_a_header_inside_a_line_begins_no_message() -> None:
    raw = message("A") + b"NTE|1||see MSH|^~\\&| of the other system\r"

    assert messages_in(raw) == [raw]


def test_a_fragment_without_header_is_sent_as_it_is_and_an_empty_file_is_not() -> None:
    assert messages_in(b"PID|1||BN1\r") == [b"PID|1||BN1\r"]
    assert parcels_of("empty.hl7", b" \r\n") == []


def test_what_names_a_resource_or_is_broken_json_goes_to_fhir_and_other_json_nowhere() -> None:
    assert [each.way for each in parcels_of("a.json", b'\xef\xbb\xbf{"resourceType": "Bundle"}')] == ["/fhir"]
    assert [each.way for each in parcels_of("a.json", b'{"resourceType": "Patient"}')] == ["/fhir/Patient"]
    assert [each.way for each in parcels_of("a.json", b'{"resourceType": ')] == ["/fhir"]
    assert parcels_of("a.json", b'{"kind": "birth"}') == []
    assert parcels_of("a.json", b"[1]") == []


def test_ndjson_goes_line_by_line() -> None:
    raw = b'{"resourceType": "Bundle"}\n\n{"resourceType": "Patient"}\n'

    assert [(each.way, each.number) for each in parcels_of("a.ndjson", raw)] == [("/fhir", 1), ("/fhir/Patient", 2)]


def test_xml_goes_where_its_root_belongs() -> None:
    resource = b'<?xml version="1.0"?><Patient id="1" xmlns="http://hl7.org/fhir"/>'

    assert [each.way for each in parcels_of("a.xml", resource)] == ["/fhir/Patient"]
    assert [each.way for each in parcels_of("a.xml", b"<HSDLGCS><GIAYCHUNGSINH/></HSDLGCS>")] == ["/moh"]
    assert parcels_of("a.xml", b"<project/>") == []


def test_text_is_sent_only_when_a_message_begins_in_it() -> None:
    assert parcels_of("notes.txt", b"how to use MSH|") == []
    assert [each.way for each in parcels_of("notes.txt", message("A"))] == ["mllp"]


@pytest.mark.parametrize(("order", "at", "dead"), [("1", "20261120", "Y"), ("Y", "20261120", "N")])
def test_a_message_with_birth_order_death_time_and_death_mark_is_full_of_everything(
    order: str, at: str, dead: str
) -> None:
    assert is_full_of_everything(message("A", more="|" * 19 + f"{order}|||||{at}|{dead}"))


@pytest.mark.parametrize(("order", "at", "dead"), [("", "20261120", "Y"), ("Y", "", "Y"), ("Y", "20261120", '""')])
def test_a_message_that_lacks_or_deletes_one_of_the_three_is_not(order: str, at: str, dead: str) -> None:
    assert not is_full_of_everything(message("A", more="|" * 19 + f"{order}|||||{at}|{dead}"))
    assert not is_full_of_everything(message("A"))


@pytest.mark.parametrize(
    ("accept", "application", "silent"),
    [
        ("", "", False),
        ("AL", "NE", False),
        ("NE", "AL", False),
        ("NE", "NE", True),
        ("NE", "", True),
        ("ER", "SU", True),
    ],
)
def test_silence_is_expected_only_of_a_sender_who_asked_for_it(accept: str, application: str, silent: bool) -> None:
    assert may_be_silent(message("A", modes=f"|||{accept}|{application}")) is silent
