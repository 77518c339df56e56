"""The examples in the docstrings of transforms are true, and every transform has one. docs/transforms.md shows them."""

from __future__ import annotations

import doctest
import sys
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Any

import pytest

from gateway.domain.dates import PartialDate
from gateway.domain.person import Address, PersonName
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.engine import RowContext
from gateway.mapping.registry import TRANSFORMS
from gateway.ports.hospital import Feed
from tests.hl7v2_messages import READER, events

MODULES = sorted({function.__module__ for function in TRANSFORMS.values()})


def hl7(text: str, unit: str = "") -> Any:
    """The repetitions of a field as a rule gets them; `unit` stands in the field after it (OBX-6)."""
    fields = {"PV1-4": "N", "PID-7": "20261123", "OBX-3": "8339-4", "OBX-5": text, "OBX-6": unit}
    return events(fields)[0].scope.select(READER.compile("OBX-5"))


def _without_context(function: Callable[..., Any], context: RowContext) -> Callable[..., Any]:
    return partial(function, context=context) if "context" in function.__annotations__ else function


@pytest.mark.parametrize("module", [sys.modules[name] for name in MODULES], ids=MODULES)
def test_the_examples_in_the_docstrings_are_true(module: Any, shipped: Catalogue) -> None:
    context = RowContext(shipped, Feed(), date(2026, 11, 23))
    names: dict[str, Any] = {"PartialDate": PartialDate, "PersonName": PersonName, "Address": Address}
    names |= {"hl7": hl7, "context": context}
    for name, function in vars(module).items():
        if callable(function) and getattr(function, "__module__", "") == module.__name__:
            names[name] = _without_context(function, context)
    told: list[str] = []
    runner = doctest.DocTestRunner()
    tests = [test for test in doctest.DocTestFinder().find(module, extraglobs=names) if test.examples]
    assert tests
    for test in tests:
        runner.run(test, out=told.append)
    assert "".join(told) == ""


@pytest.mark.parametrize("name", sorted(TRANSFORMS))
def test_a_transform_has_an_example(name: str) -> None:
    assert doctest.DocTestParser().get_examples(TRANSFORMS[name].__doc__ or "")
