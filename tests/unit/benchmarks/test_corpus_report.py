"""What the corpus run counts as a failure of ours."""

from __future__ import annotations

import pytest

from benchmarks.corpus import errors_of
from benchmarks.corpus_files import Parcel
from benchmarks.corpus_sending import CLOSED, NO_ANSWER, SILENT, Answered, Source


def source(*answers: Answered) -> Source:
    return Source("hospital", answers=list(answers))


def alone(number: int, code: str = "AA") -> Answered:
    return Answered(Parcel("a.hl7", number, "mllp", b""), code, 1)


@pytest.mark.parametrize("code", [NO_ANSWER, CLOSED, "HTTP 500", "HTTP 503"])
def test_no_answer_a_closed_line_and_our_own_failures_are_faults(code: str) -> None:
    assert len(source(alone(1), alone(2, code)).broken()) == 1


@pytest.mark.parametrize("code", ["AA", "CE", "AR", SILENT, "HTTP 400", "HTTP 422"])
def test_acceptance_refusal_and_silence_that_was_asked_for_are_none(code: str) -> None:
    assert source(alone(1, code)).broken() == []


@pytest.mark.parametrize(("acks", "faults"), [(2, 0), (1, 1), (3, 1)])
def test_a_file_of_several_must_get_as_many_acknowledgements_as_its_messages_alone(acks: int, faults: int) -> None:
    whole = Answered(Parcel("a.hl7", 0, "/hl7v2", b""), "HTTP 200", acks)

    assert len(source(alone(1), alone(2, "AR"), alone(3, SILENT), whole).broken()) == faults


def test_errors_and_tracebacks_on_standard_error_are_faults_and_warnings_are_not() -> None:
    said = '{"event":"a","level":"warning"}\n\n{"event":"b","level":"error"}\nTraceback (most recent call last):\n[1]\n'

    assert errors_of(said) == ['{"event":"b","level":"error"}', "Traceback (most recent call last):", "[1]"]
