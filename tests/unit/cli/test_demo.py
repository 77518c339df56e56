"""The demo judges what became of every sample against what its folder promises."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gateway.cli.demo import demo_settings, judge
from gateway.cli.outcomes import CaseOutcome, MessageOutcome
from gateway.cli.samples import Sample, load_samples
from gateway.settings import Settings, load

READY = {"kind": "birth", "status": "ready", "dossier": {"procedure": "1.001193"}}
WAITING = {**READY, "status": "waiting"}


def sample(*cases: dict[str, object], relevances: tuple[str, ...] = ("birth",)) -> Sample:
    return Sample("birth/x", "shows", (), cases, relevances)


def became(state: str, relevance: str = "birth", kind: str = "birth", case: str = "ks-1") -> MessageOutcome:
    return MessageOutcome("gateway.1", relevance, (CaseOutcome(case, kind, "", "1.001193", "21583", state),))


def test_a_sample_that_became_what_it_promises_is_right() -> None:
    assert judge(sample(READY), [became("desk: received")]) == []


def test_a_case_may_be_further_than_promised_because_the_demo_asks_the_population() -> None:
    assert judge(sample(WAITING), [became("desk: received")]) == []


def test_a_dossier_that_did_not_reach_the_desk_is_wrong() -> None:
    assert judge(sample(READY), [became("waiting")]) == ["birth/x: 1 dossiers expected on the desk, found 0"]


def test_another_relevance_or_kind_is_wrong() -> None:
    assert "relevance expected" in judge(sample(READY), [became("desk: received", relevance="other")])[0]
    assert "cases expected" in judge(sample(READY), [became("desk: received", kind="death")])[0]


def test_two_messages_of_one_case_are_one_case() -> None:
    two = [became("desk: received"), became("desk: received")]
    assert judge(sample(READY, relevances=("birth", "birth")), two) == []
    twins = [became("desk: received"), became("desk: received", case="ks-2")]
    assert "cases expected" in judge(sample(READY, relevances=("birth", "birth")), twins)[0]


def test_a_refused_message_is_neither_birth_nor_death() -> None:
    assert judge(sample(relevances=("other",)), [None]) == []


def test_the_demo_never_touches_a_configured_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOTICH_DATABASE_URL", "postgresql://real/hotich")
    (tmp_path / "hotich.toml").write_text('instance = "real"\n')
    settings = demo_settings(tmp_path / "demo")
    assert settings.url == f"sqlite:///{tmp_path / 'demo' / 'hotich.db'}"
    assert settings.instance == "gateway"


def test_other_commands_can_look_at_the_demos_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    settings = demo_settings(tmp_path / "demo")
    again = load(tmp_path / "demo" / "hotich.toml")
    assert again.data_dir.resolve() == settings.data_dir.resolve()
    assert again.feeds == settings.feeds


def test_samples_are_read_from_their_folders(tmp_path: Path) -> None:
    folder = tmp_path / "birth" / "one"
    folder.mkdir(parents=True)
    (folder / "case.toml").write_text('shows = "One."\n[[message]]\nfile = "a.hl7"\nsend = "mllp"\n')
    (folder / "dossier.json").write_text(json.dumps([READY]))
    (folder / "findings.json").write_text(json.dumps({"messages": [{"relevance": "birth"}], "cases": []}))
    (found,) = load_samples(tmp_path)
    assert (found.name, found.relevances, found.cases) == ("birth/one", ("birth",), (READY,))
    assert [(message.file.name, message.send) for message in found.messages] == [("a.hl7", "mllp")]
