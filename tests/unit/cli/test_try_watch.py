"""hotich try --watch in a terminal of its own: files are edited under it, broken, mended, and it is ended by Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.cli.try_streams import Workbench, find_streams
from gateway.settings import Settings
from tests.serving_child import CLEAN, wait_until

pytestmark = pytest.mark.slow

BIRTH = (
    "MSH|^~\\&|HIS|BV99001|GW|GW|20261120101500+0700||ADT^A01^ADT_A01|K1|P|2.5.1|||||||UNICODE UTF-8\r"
    "EVN||20261120101500+0700\r"
    "PID|1||990001^^^BV99001^MR||Lò^Thư^Bảo||20261120093000+0700|F\r"
    "NK1|1|Lò^Hoa^Thị|MTH|Thôn 1^^^52^^VN^^^21583\r"
    "PV1|1|I||N\r"
)
HEAD = "code,value,name,valid_from,valid_to,source\n"
RULES = 'basis = "test"\nkind = "birth"\nin_force = 2020-01-01\n'


def save(file: Path, text: str) -> None:
    """As editors do it: the new content appears at once."""
    beside = file.with_name(f".{file.name}.swp")
    beside.write_text(text, encoding="utf-8", newline="")
    beside.replace(file)


class Watch:
    """One `hotich try --watch`, and what it printed since the last look."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.told = place / "told.txt"
        self.read = 0
        command = [sys.executable, "-m", "gateway", "try", "birth.hl7", "--watch", "--config", "hotich.toml"]
        with self.told.open("wb") as out:
            self.process = subprocess.Popen(command, cwd=place, env=CLEAN, stdout=out, stderr=subprocess.STDOUT)

    def next(self) -> str:
        """What the next run prints, to its end."""
        return wait_until(self._run, "the next run of --watch")

    def _run(self) -> str:
        text = self.told.read_text(encoding="utf-8")[self.read :]
        assert self.process.poll() is None, text
        end = text.find("Ctrl-C: thôi / ends\n")
        if end < 0:
            return ""
        end += len("Ctrl-C: thôi / ends\n")
        self.read += end
        return text[:end]

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "birth.hl7").write_text(BIRTH, encoding="utf-8", newline="")
    (tmp_path / "local" / "codes").mkdir(parents=True)
    (tmp_path / "local" / "inbound" / "hl7v2").mkdir(parents=True)
    (tmp_path / "local" / "codes" / "hl7v2_sex.csv").write_text(f"{HEAD}F,female,Nữ,,,test\n", encoding="utf-8")
    (tmp_path / "hotich.toml").write_text('mapping_overlays = ["local"]\n')
    return tmp_path


@pytest.fixture
def watch(place: Path) -> Iterator[Watch]:
    running = Watch(place)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.wait()


def test_an_edit_is_shown_with_what_it_changed_first_and_ctrl_c_ends_cleanly(watch: Watch) -> None:
    assert "Changed since" not in watch.next()
    save(watch.place / "birth.hl7", BIRTH.replace("Hoa", "Huệ"))
    told = watch.next()
    assert told.index("Changed since the last run") < told.index("│ Lò Thị Hoa") < told.index("ADT^A01")
    assert [cell.strip() for cell in told.split("│ field")[1].split("\n")[0].split("│")][1:4] == [
        "meHoTen", "Lò Thị Hoa", "Lò Thị Huệ"]  # fmt: skip
    save(watch.place / "local" / "codes" / "hl7v2_sex.csv", f"{HEAD}F,male,Nam,,,test\n")
    told = watch.next()
    assert "nksGioiTinh" in told.split("ADT^A01")[0]
    save(watch.place / "local" / "codes" / "hl7v2_sex.csv", f"{HEAD}F,male,Nam,,,another test\n")
    assert "Nothing changed since the last run" in watch.next()
    assert watch.interrupt() == 0


def test_a_broken_mapping_tells_every_mistake_and_the_watch_goes_on(watch: Watch) -> None:
    watch.next()
    rules = watch.place / "local" / "inbound" / "hl7v2" / "adt_birth.toml"
    save(rules, RULES + '[[row]]\nto = "child.nmae"\nfrom = "PID-5"\n[[row]]\nto = "child.sex"\nfrom = "PID-8."\n')
    told = watch.next()
    assert "adt_birth.toml:5" in told and "child.nmae" in told
    assert "adt_birth.toml:9" in told and "PID-8." in told
    save(rules, RULES + '[[row]]\nto = "child.sex"\nfrom = "PID-8.1"\ncodes = "hl7v2_sex"\nvalue = "male"\n')
    assert "Nothing changed since the last run" in watch.next()
    save(rules, "[[row")
    assert "adt_birth.toml" in watch.next()
    save(rules, "")
    watch.next()
    (watch.place / "local" / "codes" / "hl7v2_sex.csv").write_bytes(HEAD.encode() + b"F,male,\xff,,,test\n")
    assert "ADT^A01" not in watch.next()
    assert watch.interrupt() == 0


def test_a_message_that_disappears_and_settings_that_are_wrong_are_waited_for(watch: Watch) -> None:
    watch.next()
    (watch.place / "birth.hl7").unlink()
    assert "birth.hl7 cannot be read" in watch.next()
    save(watch.place / "birth.hl7", BIRTH)
    assert "Nothing changed" in watch.next()
    save(watch.place / "hotich.toml", 'mapping_overlay = ["local"]\n')
    assert "did you mean mapping_overlays" in watch.next()
    save(watch.place / "hotich.toml", '[feeds.mau]\nfacility_name = "Bệnh viện mẫu"\nfacility_commune = "21583"\n')
    assert "nksNoiSinh.dcChiTiet" in watch.next()
    save(watch.place / "birth.hl7", BIRTH.replace("Hoa", "Huệ"))
    assert "meHoTen" in watch.next().split("ADT^A01")[0]  # the run after the settings was the last one until now


def test_mappings_are_read_again_only_when_one_of_their_files_changed(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (*Settings.model_fields, "config"):
        monkeypatch.delenv(f"HOTICH_{name.upper()}", raising=False)
    bench = Workbench(place / "hotich.toml", None)
    first = bench.now()
    save(place / "birth.hl7", BIRTH.replace("Hoa", "Huệ"))
    bench.refresh()
    assert bench.now() is first
    file = place / "local" / "codes" / "hl7v2_sex.csv"
    save(file, f"{HEAD}F,male,Nam,,,test\n")
    bench.refresh()
    second = bench.now()
    assert second is not first
    written = file.stat()
    file.write_text(file.read_text(encoding="utf-8").replace("male", "undetermined"), encoding="utf-8")
    os.utime(file, ns=(written.st_atime_ns, written.st_mtime_ns))  # within one tick of a coarse clock
    bench.refresh()
    assert bench.now() is not second
    place.joinpath("hotich.toml").write_text("")
    bench.refresh()
    assert bench.now() is not second
    assert len(find_streams([place / "birth.hl7"], bench.settings, None)) == 1
