"""Whatever a file of a mapping set holds, the loader takes it or lists its mistakes: it never raises anything else."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapters.hospital.fhir import FhirReader
from adapters.hospital.hl7v2 import Hl7v2Reader
from adapters.hospital.moh_xml import MohReader
from gateway.errors import MappingError, Mistake
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.forms import read_form
from gateway.mapping.overlays import make_layer
from gateway.mapping.rules import INBOUND_ROW, OUTBOUND_HEADER, OUTBOUND_ROW
from tests.unit.mapping.conftest import MAPPINGS

pytestmark = pytest.mark.slow

READERS = {reader.format: reader for reader in (Hl7v2Reader(), FhirReader(), MohReader())}
FILES = [
    "inbound/hl7v2/adt_birth.toml",
    "inbound/fhir/related_death.toml",
    "inbound/moh/xml9.toml",
    "outbound/1.001193/2025-07-01-object.toml",
    "codes/labels.csv",
    "codes/commune_forms.csv",
    "forms/death.toml",
]
KEYS = sorted({key.name for key in (*OUTBOUND_HEADER, *INBOUND_ROW, *OUTBOUND_ROW)} | {"row", "fro", "section"})
PATHS = ["PID-5.1", "NK1[NK1-3.1 = MTH]-2", "%patient.name", "HO_TEN", "child.address", "commune.code"]
WORDS = [
    "birth",
    "death",
    "text",
    "xpn_name",
    "moj_sex",
    "labels.name",
    "child.sex",
    "nksHoTen.Ho",
    "a valued",
    "a = b",
]
TEXTS = st.sampled_from([*PATHS, *WORDS, *KEYS]) | st.text(max_size=8) | st.from_regex(r"[\[\]().=%$'a-z ]{0,30}")
QUOTED = TEXTS.map(lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"')
PLAIN = QUOTED | st.sampled_from(
    ["1", "-1", "1.5", "true", "2025-07-01", "2025-07-01T00:00:00Z", "inf", "0x" + "f" * 99]
)
LISTS = st.lists(PLAIN, max_size=3).map(lambda parts: f"[{', '.join(parts)}]")
TABLES = st.lists(PLAIN, max_size=2).map(lambda parts: f"{{ {', '.join(f'k{n} = {p}' for n, p in enumerate(parts))} }}")
LINES = st.builds("{} = {}".format, st.sampled_from(KEYS), PLAIN | LISTS | TABLES) | st.sampled_from(
    ["[[row]]", "[row]", "[[row.value]]", "[[section]]", "[[section.field]]", "[[result]]", "", "#"]
)
CELLS = st.sampled_from(["", "1", "2025-01-01", "9999-12-31", "0001-01-01", "x", '"', ";", "\r", "\0"]) | st.text(
    max_size=5
)
ROWS = st.lists(CELLS, max_size=8).map(",".join)


@cache
def shipped() -> Mapping[str, bytes]:
    found = (path for path in MAPPINGS.rglob("*.*") if path.suffix in (".toml", ".csv") and "units" not in path.parts)
    return {path.relative_to(MAPPINGS).as_posix(): path.read_bytes() for path in found}


def load(files: Mapping[str, bytes], *overlays: Mapping[str, bytes]) -> None:
    layers = [make_layer(f"layer-{number}", layer) for number, layer in enumerate((files, *overlays))]
    with contextlib.suppress(MappingError):
        Catalogue._whole_of(layers, READERS)  # type: ignore[arg-type]


def try_out(file: str, raw: bytes) -> None:
    """As part of the shipped set, and as an overlay over it."""
    if file.startswith("forms/"):
        mistakes: list[Mistake] = []
        assert read_form(file, "death", raw, {"papers"}, mistakes) is not None or mistakes
        return
    few = {name: shipped()[name] for name in FILES if name.split("/")[:2] == file.split("/")[:2]}
    tables = {name: held for name, held in shipped().items() if name.startswith("codes/") and len(held) < 2_000}
    load({**tables, **few, file: raw})
    load({**tables, **few}, {file: raw})


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_taken_or_refused(file: str, raw: bytes) -> None:
    try_out(file, raw)


@pytest.mark.parametrize("file", FILES)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_shipped_file_with_a_piece_replaced_is_taken_or_refused(file: str, data: st.DataObject) -> None:
    text = shipped()[file].decode()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 60)))
    piece = data.draw(TEXTS | LINES | ROWS | st.just(text[start:end] * 2))
    try_out(file, (text[:start] + piece + text[end:]).encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("file", [name for name in FILES if name.endswith(".toml")])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(lines=st.lists(LINES, max_size=12))
def test_lines_of_rules_in_any_order_are_taken_or_refused(file: str, lines: list[str]) -> None:
    header = shipped()[file].decode().partition("[[")[0]
    for head in ("", header):
        try_out(file, (head + "\n".join(lines)).encode("utf-8", "surrogatepass"))


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(ROWS, max_size=6), header=ROWS | st.just("code,value,name,valid_from,valid_to,source"))
def test_rows_of_cells_in_any_order_are_taken_or_refused(header: str, rows: list[str]) -> None:
    try_out("codes/labels.csv", "\n".join([header, *rows]).encode("utf-8", "surrogatepass"))
