"""sample_messages/TRAPS.md: every trap has a sample that exists, or says plainly that the product is not there yet."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.samples.folders import FOLDERS, SAMPLES, rehearsed

NOT_YET = re.compile(r"\*\*not yet\*\*: \S.{15,}")
NAMED = re.compile(r"`((?:birth|death|other)/[a-z0-9-]+)`")
SECTIONS = ("Law by date", "Ministry of Health XML", "HL7 v2", "FHIR", "The dossier", "Identity",
            "Administrative units")  # fmt: skip


def traps() -> Iterator[tuple[str, str, str]]:
    """Section, trap and what stands beside it."""
    section = ""
    for line in (SAMPLES / "TRAPS.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line[3:]
        elif line.startswith("| ") and not line.startswith("| trap |"):
            trap, _, sample = line.strip("| ").partition(" | ")
            yield section, trap, sample


TRAPS = list(traps())


@pytest.mark.parametrize(("trap", "sample"), [(trap, sample) for _, trap, sample in TRAPS])
def test_a_trap_has_samples_that_exist_or_says_why_not_yet(trap: str, sample: str) -> None:
    if "not yet" in sample:
        assert NOT_YET.fullmatch(sample)
        return
    assert NAMED.findall(sample), trap
    assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", sample)
    assert set(re.findall("`([^`]+)`", sample)) <= FOLDERS.keys()


def test_every_section_lists_traps_and_none_twice() -> None:
    assert tuple(dict.fromkeys(section for section, _, _ in TRAPS)) == SECTIONS
    assert len({trap for _, trap, _ in TRAPS}) == len(TRAPS) > 100


def test_most_traps_have_a_sample() -> None:
    missing = [trap for _, trap, sample in TRAPS if "not yet" in sample]
    assert len(missing) < len(TRAPS) / 6


def test_the_certificate_has_its_new_name_after_march_2027() -> None:
    told = rehearsed("death/after-march-2027-the-certificate-has-a-new-name")["cases"][0]["clocks"]
    assert any("giấy chứng tử" in clock["rule"] for clock in told)
    earlier = rehearsed("death/discharge-with-death-and-cause")["cases"][0]["clocks"]
    assert any("trích lục khai tử" in clock["rule"] for clock in earlier)
