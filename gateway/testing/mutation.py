"""Mutation check: break every mapping row in turn and see whether a sample notices.

All is rehearsed in memory, as `hotich try` does. A sample notices when its messages' answers and findings, its
dossiers, the source of any of their values, or the facts of the case themselves (what FHIR out hands on) are no longer
what they were with the mapping set whole, or when reading them fails. Only samples that touch the broken file are
rehearsed, those that take a value from the broken row first.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, cast

from gateway.domain.case import ROLES, Case
from gateway.domain.dossier import as_json
from gateway.domain.identity import IdentityResult, Verdict
from gateway.domain.notification import flatten
from gateway.mapping.catalogue import Catalogue
from gateway.mapping.registry import TRANSFORMS
from gateway.mapping.rules import RuleSet
from gateway.pipeline.prepare import prepare_dossier
from gateway.pipeline.rehearse import Rehearsal, Sent, rehearse_stream
from gateway.ports.hospital import MessageReader
from gateway.testing.breakages import BROKEN, Breakage, breakages, lost_codes
from gateway.testing.traced import TracedCatalogue, code_key

_NOT_COMPARED = ("findings", "mapping_hash", "clocks")
"""Of a told case: findings count by code and place, the clocks' ends are its deadlines."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Messages that are rehearsed together, and the mapping set they are read with."""

    name: str
    sent: tuple[Sent, ...]
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class _Whole:
    """What becomes of a sample with the set whole; `touches` are rule files, rows (`file#to`) and codes it uses."""

    sample: Sample
    outcome: Any
    known: Any
    touches: frozenset[str]


@dataclass(slots=True)
class MutationCheck:
    """The samples, rehearsed once with the set whole."""

    readers: Mapping[str, MessageReader]
    whole: list[_Whole] = field(default_factory=list)

    @classmethod
    def of(cls, readers: Mapping[str, MessageReader], samples: Sequence[Sample]) -> MutationCheck:
        """Rehearse every sample and note what it touches."""
        check = cls(readers)
        for sample in samples:
            touched: set[str] = set()
            traced = cast("Catalogue", TracedCatalogue(sample.catalogue, touched))
            rehearsal = rehearse_stream(traced, readers, sample.sent)
            outcome, known = outcome_of(rehearsal), _known(rehearsal, sample.sent, traced)
            check.whole.append(_Whole(sample, outcome, known, frozenset(touched | _rules_of(rehearsal))))
        return check

    def noticed_by(self, breakage: Breakage) -> str | None:
        """The name of the first sample that notices; None when all of them stay as they are."""
        table = breakage.file.removeprefix("codes/").removesuffix(".csv")
        keys = {breakage.file, code_key(table), code_key(table, breakage.row)}
        touching = [whole for whole in self.whole if keys & whole.touches]
        touching.sort(key=lambda whole: f"{breakage.file}#{breakage.row}" not in whole.touches)
        with _stand_in(breakage):
            return next((whole.sample.name for whole in touching if self._notices(whole, breakage)), None)

    def _notices(self, whole: _Whole, breakage: Breakage) -> bool:
        sample = whole.sample
        broken = sample.catalogue.changed(breakage.rules, breakage.table)
        try:
            rehearsal = rehearse_stream(broken, self.readers, sample.sent)
            if outcome_of(rehearsal) != whole.outcome:
                return True
            return breakage.of_identity and _known(rehearsal, sample.sent, broken) != whole.known
        except Exception:  # noqa: BLE001 - whatever the breakage made of it, it did not pass unnoticed
            return True

    def survivors(self, tried: Sequence[Breakage], processes: int = 1) -> list[Breakage]:
        """The breakages that no sample notices, in their order."""
        if processes == 1:
            return [breakage for breakage in tried if self.noticed_by(breakage) is None]
        _Worker.check, _Worker.tried = self, tried
        with multiprocessing.get_context("fork").Pool(processes) as pool:  # breakages hold functions: not to be pickled
            lived = pool.map(_Worker.lives, range(len(tried)), chunksize=8)
        return [breakage for breakage, alive in zip(tried, lived, strict=True) if alive]


class _Worker:
    """What a forked process finds in its memory."""

    check: MutationCheck
    tried: Sequence[Breakage]

    @staticmethod
    def lives(place: int) -> bool:
        return _Worker.check.noticed_by(_Worker.tried[place]) is None


def rule_breakages(
    samples: Sequence[Sample], of: Callable[[RuleSet], Iterator[Breakage]] = breakages
) -> list[Breakage]:
    """The breakages of every rule file of the samples' mapping sets, a file that several sets share once."""
    found = (breakage for sample in samples for rules in sample.catalogue.rule_sets() for breakage in of(rules))
    return list({str(breakage): breakage for breakage in found}.values())


def code_breakages(check: MutationCheck, longest: int = 200) -> list[Breakage]:
    """The lost lines of every code table of at most `longest` lines that a sample looks into."""
    touched = {key.partition("#")[0] for whole in check.whole for key in whole.touches if key.startswith("codes/")}
    tables = {f"codes/{table.name}.csv": table for whole in check.whole for table in whole.sample.catalogue.tables()}
    used = [table for file, table in tables.items() if file in touched and len(table.rows) <= longest]
    return [breakage for table in used for breakage in lost_codes(table)]


@contextmanager
def _stand_in(breakage: Breakage) -> Iterator[None]:
    if breakage.transform is None:
        yield
        return
    TRANSFORMS[BROKEN] = breakage.transform
    try:
        yield
    finally:
        del TRANSFORMS[BROKEN]


def outcome_of(rehearsal: Rehearsal) -> Any:
    """What counts of a rehearsal, comparable."""
    messages = [(told["relevance"], told["ack"], _places(told["findings"])) for told in rehearsal.messages]
    cases = [(_told(case.told), flatten(case.folded.notification), case.folded.provenance) for case in rehearsal.cases]
    return messages, cases


def _told(case: Mapping[str, Any]) -> Any:
    return {key: value for key, value in case.items() if key not in _NOT_COMPARED}, _places(case["findings"])


def _places(findings: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    return [(finding["code"], finding["where"]) for finding in findings]


def _known(rehearsal: Rehearsal, sent: Sequence[Sent], catalogue: Catalogue) -> Any:
    """The dossiers if the population database knew everybody; a rehearsal asks nobody."""
    cases = (_with_identity(case.folded) for case in rehearsal.cases)
    return [_told(as_json(prepare_dossier(case, sent[0].feed, catalogue, rehearsal.now))) for case in cases]


def _with_identity(case: Case) -> Case:
    return replace(case, identity={role: IdentityResult(role, Verdict.MATCHED) for role in ROLES[case.kind]})


def _rules_of(rehearsal: Rehearsal) -> set[str]:
    """Rows that a value came through, as `file#to`."""
    told = {source["rule"] for case in rehearsal.cases for source in case.told["provenance"].values()}
    read = {source.rule for case in rehearsal.cases for source in case.folded.provenance.values()}
    return {part for rule in told | read for part in rule.split(" > ")}
