"""The traffic of the million messages, and its portions."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.million import death, message, portions, quantiles
from gateway.bootstrap import build_readers
from gateway.pipeline.interpret import sort_message
from gateway.plugins import load_plugins
from gateway.ports.hospital import Feed


def test_of_every_thousand_messages_one_is_a_birth_one_a_death_and_the_rest_neither() -> None:
    reader, feed = build_readers(load_plugins())["hl7v2"], Feed(name="sample", facility_code="99001")

    found = Counter(sort_message(reader, message(number), feed, "m").relevance for number in range(3000))

    assert found == {"other": 2994, "birth": 3, "death": 3}


def test_every_message_has_a_control_id_and_a_patient_of_its_own() -> None:
    ids = {message(number).split(b"|", 10)[9] for number in range(2000)}

    assert len(ids) == 2000
    assert b"|Y\r" in death(1000) and b"ADT^A03" in death(1000)


@pytest.mark.parametrize("total", [7, 100, 1234])
def test_the_portions_are_the_whole_in_order_without_gap_or_overlap(total: int) -> None:
    cut = list(portions(total))

    assert [number for _, first, last in cut for number in range(first, last)] == list(range(total))
    assert cut[-1][0] == 100


def test_quantiles_are_values_that_were_measured() -> None:
    assert quantiles([float(value) for value in range(100, 0, -1)]) == (51.0, 96.0)
