"""Every way in: HL7 v2, FHIR and the Ministry's XML over HTTP, what is refused and where that is told, resends."""

from __future__ import annotations

import json
from xml.etree import ElementTree as ET

import pytest

from gateway.cli.samples import samples_directory
from tests.journeys.outsider import Outsider, sample, segments
from tests.serving_child import wait_until

ONE_BY_ONE = "birth/fhir-resources-posted-one-by-one"
REUSED = "birth/control-id-used-again-for-other-content"
pytestmark = pytest.mark.timeout(90)


def test_a_birth_by_hl7v2_over_http_gets_its_ack_and_lies_on_the_desk(gateway: Outsider) -> None:
    answer = gateway.post("/hl7v2", sample("birth/registered-by-a04-with-the-mother-in-nk1/01-adt-a04.hl7"))
    assert (answer.status_code, segments(answer.content)["MSA"][1]) == (200, "AA")
    assert gateway.get_case(segments(answer.content)["MSH"][9])["kind"] == "birth"


def test_a_fhir_transaction_becomes_a_dossier(gateway: Outsider) -> None:
    answer = gateway.post("/fhir", sample("birth/fhir-transaction-of-the-community-guide/01-transaction.json"))
    assert answer.status_code == 200
    assert answer.json()["resourceType"] == "Bundle"
    born = json.loads(sample("birth/fhir-transaction-of-the-community-guide/dossier.json"))[0]["dossier"]["fields"]

    def its_dossier() -> bool:
        dossiers = [gateway.api(f"/api/cases/{line['id']}")["dossier"] for line in sent_births(gateway)]
        filled = [dossier["dossier"]["fields"] for dossier in dossiers]
        return any((had["nksNgaySinh"], had["meSoDDCN"]) == (born["nksNgaySinh"], born["meSoDDCN"]) for had in filled)

    wait_until(its_dossier, "the dossier of this birth")


def sent_births(gateway: Outsider) -> list[dict[str, str]]:
    """Births on a desk. Other tests share the gateway: theirs lie there too."""
    return [line for line in gateway.all_of("/api/cases") if line["kind"] == "birth" and line["status"] == "sent"]


def test_fhir_resources_posted_one_by_one_become_one_case(gateway: Outsider) -> None:
    trackings = []
    for file in ("01-observation", "02-patient", "03-related-person", "04-patient-update"):
        raw = sample(f"{ONE_BY_ONE}/{file}.json")
        answer = gateway.post(f"/fhir/{json.loads(raw)['resourceType']}", raw)
        assert answer.status_code == 201
        (issue,) = answer.json()["issue"]
        assert issue["severity"] == "information"
        trackings.append(issue["diagnostics"].rpartition(" ")[2])

    def all_in_one() -> bool:
        case = gateway.find_case(trackings[0], "sent", "corrected")
        return case is not None and set(trackings) <= set(case["messages"])

    wait_until(all_in_one, "four resources in one case")


@pytest.mark.parametrize(
    ("path", "kind", "message_type"),
    [
        ("birth/giay-chung-sinh-document/01-giay-chung-sinh.xml", "birth", "HSDLGCS"),
        ("birth/xml9-in-the-insurance-envelope/01-giamdinhhs.xml", "birth", "GIAMDINHHS"),
        ("death/giay-bao-tu-document/01-giay-bao-tu.xml", "death", "HSDLGBT"),
    ],
)
def test_a_document_of_the_ministry_becomes_a_dossier(
    gateway: Outsider, path: str, kind: str, message_type: str
) -> None:
    answer = gateway.post("/moh", sample(path))
    assert answer.status_code == 200
    tracking = tracking_of("/moh", answer.content)
    assert gateway.get_case(tracking)["kind"] == kind
    (line,) = [line for line in gateway.all_of("/api/messages") if line["id"] == tracking]
    assert (line["format"], line["type"], line["relevance"]) == ("moh", message_type, kind)


def test_hotich_send_delivers_over_both_ways(gateway: Outsider) -> None:
    birth = samples_directory() / "birth/foreign-father/01-adt-a01.hl7"
    paper = samples_directory() / "death/only-the-birth-year-known/01-adt-a03.hl7"
    gateway.server.right("send", birth, "--to", f"mllp://127.0.0.1:{gateway.server.ports[0]}")
    gateway.server.right("send", paper, "--to", gateway.server.http, token=gateway.token)
    for file in (birth, paper):
        (again,) = gateway.mllp(file.read_bytes())
        assert gateway.get_case(segments(again.body)["MSH"][9])


def test_a_resource_of_another_type_than_the_address_is_refused_and_logged(gateway: Outsider) -> None:
    before = refused(gateway, "http")
    answer = gateway.post("/fhir/Observation", sample(f"{ONE_BY_ONE}/02-patient.json"))
    assert answer.status_code in (400, 422)
    (issue,) = answer.json()["issue"]
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert issue["expression"] == ["resourceType"]
    assert refused(gateway, "http") == before + 1


def refused(gateway: Outsider, subject: str) -> int:
    """How many refusals the log tells of."""
    return [entry["kind"] for entry in gateway.logged(subject)].count("refused")


@pytest.mark.parametrize("path", ["/fhir", "/fhir/Patient"])
def test_several_resources_in_one_request_are_refused_with_one_answer(gateway: Outsider, path: str) -> None:
    lines = b'{"resourceType":"Patient","id":"a"}\n{"resourceType":"Patient","id":"b"}\n'
    before = len(gateway.all_of("/api/messages"))
    answer = gateway.post(path, lines)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["severity"] == "error"
    assert len(gateway.all_of("/api/messages")) == before


def test_a_type_that_is_not_taken_is_told_in_fhirs_own_way(gateway: Outsider) -> None:
    answer = gateway.post("/fhir/Medication", b'{"resourceType": "Medication"}')
    assert answer.status_code in (404, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize(
    ("path", "raw", "place"),
    [
        ("/fhir", b'{"resourceType": "Bundle", ', "offset"),
        ("/fhir/Patient", b'{"resourceType": "Patient", "id": }', "offset"),
        ("/moh", sample("other/malformed-xml/01-giay-chung-sinh.xml"), "line 6, column 19"),
        ("/moh", sample("other/xml-with-an-external-entity/01-giay-chung-sinh.xml"), "DOCTYPE"),
        ("/hl7v2", sample("other/no-message-header/01-no-msh.hl7"), "offset 0"),
        ("/hl7v2", sample("other/message-without-control-id/01-adt-a01.hl7"), "MSH^1^10"),
    ],
    ids=["cut-bundle", "cut-patient", "malformed-xml", "external-entity", "no-header", "no-control-id"],
)
def test_an_unreadable_body_is_refused_naming_the_place_and_still_logged(
    gateway: Outsider, path: str, raw: bytes, place: str
) -> None:
    answer = gateway.post(path, raw)
    assert answer.status_code in (400, 422)
    assert place in answer.text
    (entry,) = gateway.logged(tracking_of(path, answer.content))
    assert entry["kind"] == "refused"
    assert entry["meta"]["size"] == len(raw)


def tracking_of(path: str, answer: bytes) -> str:
    """The log's number of a refused message, as each format's answer names it."""
    if path == "/moh":
        return str(ET.fromstring(answer).get("message"))
    if path == "/hl7v2":
        assert segments(answer)["ERR"][4] == "E"
        return segments(answer)["MSH"][9]
    diagnostics = json.loads(answer)["issue"][0]["diagnostics"]
    return str(diagnostics.partition("(message ")[2].rstrip(")"))


@pytest.mark.parametrize("path", ["/hl7v2", "/fhir", "/fhir/Patient", "/moh"])
def test_nobody_hands_in_without_a_token(gateway: Outsider, path: str) -> None:
    assert gateway.post(path, b"MSH|^~\\&|", token="").status_code == 401
    assert gateway.post(path, b"MSH|^~\\&|", token="hotich_made_up").status_code == 401


def test_the_same_message_again_gets_the_same_answer_and_is_nothing_new(gateway: Outsider) -> None:
    raw = sample(f"{REUSED}/01-adt-a01.hl7")
    first, again = gateway.mllp(raw, raw)
    over_http = gateway.post("/hl7v2", raw)
    assert first.taken
    assert first.body == again.body == over_http.content
    tracking = segments(first.body)["MSH"][9]
    assert [line["id"] for line in gateway.all_of("/api/messages")].count(tracking) == 1
    case = gateway.get_case(tracking)
    assert case["messages"] == [tracking]
    assert [entry["kind"] for entry in gateway.logged(tracking)].count("received") == 1


def test_the_same_control_id_with_other_content_is_refused_and_overwrites_nothing(gateway: Outsider) -> None:
    (first,) = gateway.mllp(sample(f"{REUSED}/01-adt-a01.hl7"))
    tracking = segments(first.body)["MSH"][9]
    before = gateway.get_case(tracking)
    other = sample(f"{REUSED}/02-adt-a01-other.hl7")
    (by_mllp,) = gateway.mllp(other)
    by_http = gateway.post("/hl7v2", other)
    assert by_http.status_code == 409
    for answer in (by_mllp.body, by_http.content):
        told = segments(answer)
        assert told["MSA"][1] == "CR"
        assert told["ERR"][3].startswith("205^")
        (entry,) = gateway.logged(told["MSH"][9])
        assert (entry["kind"], entry["meta"]["where"]) == ("refused", "MSH-10")
    assert gateway.get_case(tracking) == before
