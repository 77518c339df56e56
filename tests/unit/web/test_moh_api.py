"""POST /moh: the document itself goes to the intake, and nothing wrapped."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import pytest

from gateway.web.accounts import create_token
from tests.hospital_messages import birth_paper
from tests.web_world import TestClient, World


@pytest.fixture
def hospital(world: World) -> Iterator[TestClient]:
    with world.store.write() as conn:
        token = create_token(conn, "his", "hospital", world.now, feed="benh-vien-thu")
    with TestClient(world.app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def test_the_document_goes_to_the_intake_byte_for_byte(world: World, hospital: TestClient) -> None:
    for headers in ({}, {"Content-Type": "application/xml"}, {"Content-Encoding": "identity"}):
        hospital.post("/moh", content=birth_paper(), headers=headers)
    assert world.intake.heard == [(birth_paper(), "moh", "benh-vien-thu")] * 3


def test_a_compressed_body_or_a_form_is_refused_and_not_half_understood(world: World, hospital: TestClient) -> None:
    answers = [
        hospital.post("/moh", content=gzip.compress(birth_paper()), headers={"Content-Encoding": "gzip"}),
        hospital.post("/moh", files={"file": ("giay.xml", birth_paper())}),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [
        (415, "moh.body_wrapped")
    ] * 2
    assert world.intake.heard == []
