"""One table from acknowledgement and error to HTTP status."""

from __future__ import annotations

import pytest

from adapters.hospital.refusals import SENTENCES, status_of
from gateway.errors import UnreadableMessage


@pytest.mark.parametrize(
    ("code", "reason", "hl7_code", "status"),
    [
        ("AR", "fhir.not_json", "207", 400),
        ("AR", "receive.unrecognised", "207", 400),
        ("AR", "receive.unknown_sender", "204", 403),
        ("CR", "receive.format_not_taken", "207", 403),
        ("AR", "receive.control_id_reused", "205", 409),
        ("AR", "xml.too_large", "207", 413),
        ("AE", "moh.no_paper", "101", 422),
        ("AR", "receive.defect", "207", 500),
        ("AR", "receive.store_failed", "207", 503),
        ("CR", "receive.closing", "207", 503),
    ],
)
def test_a_refusal_has_one_status_and_a_sentence(code: str, reason: str, hl7_code: str, status: int) -> None:
    assert status_of(code, UnreadableMessage(reason, "", "words", hl7_code)) == status
    assert SENTENCES[status]


@pytest.mark.parametrize(("code", "status"), [("AA", 200), ("CA", 200), ("AE", 422), ("CE", 422)])
def test_without_an_error_the_acknowledgement_decides(code: str, status: int) -> None:
    assert status_of(code, None) == status
