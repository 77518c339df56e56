"""The vault: what is sealed opens unchanged or not at all; keys of an index say nothing and stay comparable."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest

from gateway.errors import GatewayError, SettingsError
from gateway.store.vault import Vault

NAME = "Nguyễn Thị Ánh Nguyệt"


@pytest.mark.parametrize("data", [b"", b"x", NAME.encode(), bytes(100_000)], ids=["empty", "byte", "name", "large"])
def test_what_was_sealed_opens_unchanged(vault: Vault, data: bytes) -> None:
    assert vault.unseal(vault.seal(data)) == data


def test_sealing_twice_gives_different_bytes(vault: Vault) -> None:
    assert vault.seal(b"same") != vault.seal(b"same")


def test_every_altered_byte_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(NAME.encode())
    for place in range(len(sealed)):
        altered = bytearray(sealed)
        altered[place] ^= 1
        with pytest.raises(GatewayError):
            vault.unseal(bytes(altered))


def test_every_cut_is_noticed(vault: Vault) -> None:
    sealed = vault.seal(NAME.encode())
    for length in range(len(sealed)):
        with pytest.raises(GatewayError):
            vault.unseal(sealed[:length])


def test_another_installation_cannot_open_it(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        Vault.open(tmp_path / "other").unseal(vault.seal(b"x"))
    assert "missing" in refused.value.message


def test_after_rotation_old_records_open_and_new_ones_have_the_new_key(tmp_path: Path) -> None:
    before = Vault.open(tmp_path)
    old = before.seal(b"old")
    after = before.rotate()
    new = after.seal(b"new")
    assert after.unseal(old) == b"old"
    assert new[1:5] != old[1:5]
    with pytest.raises(SettingsError):
        before.unseal(new)
    assert before.key("a") == after.key("a")


def test_a_record_moves_to_the_new_key_without_its_data_being_touched(tmp_path: Path) -> None:
    before = Vault.open(tmp_path)
    old = before.seal(b"old")
    after = before.rotate()
    moved = after.rewrap(old)
    (tmp_path / "master-0001.key").unlink()
    assert Vault.open(tmp_path).unseal(moved) == b"old"
    assert moved[65:] == old[65:]


def test_keys_are_made_once_and_only_the_owner_reads_them(tmp_path: Path) -> None:
    first = Vault.open(tmp_path / "keys")
    assert Vault.open(tmp_path / "keys").unseal(first.seal(b"x")) == b"x"
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "keys").iterdir()} == {0o600}


@pytest.mark.parametrize("file", ["master-0001.key", "index.key"])
def test_keys_that_others_may_read_are_refused(tmp_path: Path, file: str) -> None:
    Vault.open(tmp_path)
    (tmp_path / file).chmod(0o640)
    with pytest.raises(SettingsError) as refused:
        Vault.open(tmp_path)
    assert file in refused.value.message


@pytest.mark.parametrize("file", ["master-0001.key", "index.key"])
def test_a_lost_key_is_said_and_never_made_anew(tmp_path: Path, file: str) -> None:
    Vault.open(tmp_path)
    (tmp_path / file).unlink()
    with pytest.raises(SettingsError):
        Vault.open(tmp_path)


def test_a_broken_key_file_is_refused(tmp_path: Path) -> None:
    Vault.open(tmp_path)
    (tmp_path / "index.key").write_text("not hexadecimal")
    with pytest.raises(SettingsError):
        Vault.open(tmp_path)


def test_equal_parts_give_equal_keys_whatever_their_normal_form(vault: Vault) -> None:
    assert vault.key(normalize("NFC", NAME)) == vault.key(normalize("NFD", NAME))
    assert len(vault.key(NAME)) == 16


def test_parts_do_not_run_together(vault: Vault) -> None:
    keys = {vault.key("ab", "c"), vault.key("a", "bc"), vault.key("abc"), vault.key("abc", ""), vault.key()}
    assert len(keys) == 5


def test_another_installation_makes_other_keys(vault: Vault, tmp_path: Path) -> None:
    assert Vault.open(tmp_path / "other").key("999000000001") != vault.key("999000000001")
