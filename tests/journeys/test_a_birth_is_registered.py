"""The main journey: a hospital's message over a socket, the sealed dossier on the desk, the registration back."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.samples import samples_directory
from gateway.web.rendering import VIETNAM
from tests.journeys.outsider import AUDITOR, OFFICER, STRANGER, Browser, Outsider, sample, segments
from tests.serving_child import wait_until

BIRTH = "birth/newborn-admitted-with-pv1-4-n/01-adt-a01.hl7"
CHILDS_NUMBER = "999226000012"
pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module")
def case(gateway: Outsider) -> dict[str, Any]:
    """What became of one birth that the `hl7` package's client delivered."""
    answer = segments(gateway.mllp_send(samples_directory() / BIRTH))
    assert answer["MSA"][1:] == ["CA", "MAU-B01-01"]
    return gateway.get_case(answer["MSH"][9], "sent", "registered")


@pytest.fixture(scope="module")
def xml(gateway: Outsider, case: dict[str, Any]) -> bytes:
    """The sealed dossier, downloaded by the officer."""
    officer = gateway.sign_in(OFFICER)
    return officer.open(f"/ho-so/{case['dossier_code']}/dossier.xml").content


def xmlsec1_accepts(document: Path, certificate: Path) -> bool:
    """The verdict of Debian's xmlsec1, which knows nothing of us but the certificate."""
    tool = shutil.which("xmlsec1")
    assert tool, "xmlsec1 is missing; install it: apt-get install -y xmlsec1"
    properties = "http://uri.etsi.org/01903/v1.3.2#:SignedProperties"
    command: list[str | Path] = [tool, "--verify", "--id-attr:Id", properties, "--trusted-pem", certificate, document]
    return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode == 0


def certificate_of(gateway: Outsider) -> Path:
    """The certificate an operator hands to whoever shall verify."""
    (found,) = [path for path in gateway.server.data.rglob("*.pem") if b"BEGIN CERTIFICATE" in path.read_bytes()]
    return found


def changed(xml: bytes) -> bytes:
    """One byte changed, and still well-formed XML: the mother was born a day later."""
    assert xml.count(b"14.03.1997") == 1
    return xml.replace(b"14.03.1997", b"15.03.1997")


def test_the_dossier_says_what_the_sample_expects(case: dict[str, Any]) -> None:
    fields = case["dossier"]["dossier"]["fields"]
    assert fields["meHoTen"] == "Nguyễn Thị Thanh Hương"
    assert fields["nksHoTen"] == ""
    assert fields["nksNgaySinh"] == "02.11.2026"
    assert case["commune_code"] == "21583"


def test_the_officer_finds_it_on_the_desk_and_reads_where_each_value_came_from(
    gateway: Outsider, case: dict[str, Any]
) -> None:
    officer = gateway.sign_in(OFFICER)
    address = f"/ho-so/{case['dossier_code']}"
    assert address in officer.desk()
    assert officer.open(address).status_code == 200
    for words in ("Nguyễn Thị Thanh Hương", "Trần Quốc Bảo", "PID-7", "Còn thiếu"):
        assert words in officer.text()


def test_an_officer_of_another_commune_never_sees_it(gateway: Outsider, case: dict[str, Any]) -> None:
    stranger = gateway.sign_in(STRANGER)
    address = f"/ho-so/{case['dossier_code']}"
    assert address not in stranger.desk()
    for path in (address, f"{address}/dossier.xml", f"/api/cases/{case['id']}"):
        answer = stranger.open(path)
        assert answer.status_code == 404
        assert "Nguyễn" not in answer.text


def test_a_wrong_password_opens_nothing(gateway: Outsider) -> None:
    browser = gateway.sign_in(OFFICER, "không phải mật khẩu")
    assert browser.answer is not None
    assert browser.answer.status_code == 401
    assert browser.open("/").url.path == "/dang-nhap"


def test_xmlsec1_accepts_the_dossier_and_rejects_a_changed_byte(gateway: Outsider, xml: bytes, tmp_path: Path) -> None:
    genuine, forged = tmp_path / "genuine.xml", tmp_path / "forged.xml"
    genuine.write_bytes(xml)
    forged.write_bytes(changed(xml))
    assert xmlsec1_accepts(genuine, certificate_of(gateway))
    assert not xmlsec1_accepts(forged, certificate_of(gateway))


def test_hotich_verify_says_the_same(gateway: Outsider, xml: bytes, tmp_path: Path) -> None:
    file = tmp_path / "dossier.xml"
    file.write_bytes(xml)
    gateway.server.right("verify", file, "--trust", certificate_of(gateway))
    file.write_bytes(changed(xml))
    done = gateway.server.run("verify", file)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_a_forged_form_registers_nothing(gateway: Outsider, case: dict[str, Any]) -> None:
    officer = gateway.sign_in(OFFICER)
    data = {"csrf": "made-up", "action": "accept", "version": str(case["version"])}
    assert officer.client.post(f"/ho-so/{case['dossier_code']}/quyet-dinh", data=data).status_code == 403


def register(officer: Browser, code: str) -> None:
    """Take the dossier over and enter the register's numbers, as the officer does after signing the paper."""
    today = datetime.now(VIETNAM)
    numbers = {
        "so": f"12/{today.year}",
        "quyenSo": f"01/{today.year}",
        "trangSo": "7",
        "ngayDangKy": f"{today:%d.%m.%Y}",
    }
    officer.open(f"/ho-so/{code}")
    action = f"/ho-so/{code}/quyet-dinh"
    assert officer.submit(action, action="accept").status_code == 200
    incomplete = officer.submit(action, action="register", **numbers)
    assert incomplete.status_code == 422
    assert f"12/{today.year}" in incomplete.text
    assert officer.submit(action, action="register", **numbers, soDinhDanh=CHILDS_NUMBER).status_code == 200


def test_the_hospital_hears_of_the_registration_and_the_auditor_who_looked(gateway: Outsider) -> None:
    (receipt,) = gateway.mllp(sample("birth/father-unknown/01-adt-a01.hl7"))
    tracking = segments(receipt.body)["MSH"][9]
    case = gateway.get_case(tracking)
    officer = gateway.sign_in(OFFICER)
    register(officer, case["dossier_code"])
    assert CHILDS_NUMBER in officer.text()

    path = f"/api/cases/{case['id']}"
    wait_until(lambda: gateway.api(path)["status"] == "registered", "the registration reaches the case")
    assert gateway.api(path)["dossier_status"] == "registered"
    delivery = next(item for item in gateway.all_of("/api/deliveries") if item["case_id"] == case["id"])
    assert (delivery["case_status"], delivery["state"]) == ("registered", "idle")

    auditor = gateway.sign_in(AUDITOR)
    auditor.open(f"/nhat-ky?ma={case['id']}")
    shown = auditor.text()
    assert OFFICER in shown
    assert "Nguyễn" not in shown
    told = json.loads(gateway.server.right("log", "show", case["id"], "--json"))["entries"]
    kinds = [entry["kind"] for entry in told]
    assert kinds == [entry["kind"] for entry in gateway.logged(case["id"])]
    wanted = ["correlated", "identified", "prepared", "sealed", "forwarded", "decided", "followed"]
    assert [kind for kind in dict.fromkeys(kinds) if kind in wanted] == wanted
    assert "read" in kinds
