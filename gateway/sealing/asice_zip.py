"""The ZIP file of an ASiC container (ETSI EN 319 162-1 annex A): written in one form, read with suspicion.

Files are stored uncompressed, in the order given, with a fixed time: equal files are equal bytes on every machine.
What is read may come from anywhere, and programs differ in what they see in a strange ZIP file. So the files must lie
one behind the other without gaps from the first byte on, as the directory at the end tells it, and be few and small.
"""

from __future__ import annotations

import io
import re
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass

from gateway.errors import UnreadableMessage

MIMETYPE = "application/vnd.etsi.asic-e+zip"
MAX_BYTES = 64 * 1024 * 1024
MAX_FILE_BYTES = 32 * 1024 * 1024
MAX_FILES = 64

_FIRST = "mimetype"
_THEN = (1980, 1, 1, 0, 0, 0)
"""The earliest time a ZIP file can say: it says nothing, so that it is the same every time."""
_MODE = 0o100644 << 16
_ENCRYPTED, _STREAMED = 0x01, 0x08
_LOCAL = struct.Struct("<4s22xHH")
_END = struct.Struct("<4s8xIIH")
_STRANGE = re.compile(r"[\x00-\x1f\x7f\\:]")


@dataclass(frozen=True, slots=True)
class ContentFile:
    """A file in a container: its path there, "/" between directories."""

    name: str
    media_type: str
    content: bytes


def write_zip(files: list[tuple[str, bytes]]) -> bytes:
    """A container of the files, `mimetype` put before them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, content in [(_FIRST, MIMETYPE.encode()), *files]:
            entry = zipfile.ZipInfo(name, _THEN)
            entry.create_system, entry.external_attr = 3, _MODE
            archive.writestr(entry, content)
    return out.getvalue()


def read_zip(raw: bytes) -> dict[str, bytes]:
    """The files of a container by name, `mimetype` left out. Raises UnreadableMessage naming the entry by its place in
    the directory, not by its name: `asice.too_large`, `asice.not_a_zip`, `asice.name_unsafe`, `asice.wrong_type`."""
    if len(raw) > MAX_BYTES:
        raise UnreadableMessage("asice.too_large", "file", f"the container exceeds {MAX_BYTES} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            entries = archive.infolist()
            _check_entries(entries)
            _check_layout(raw, entries)
            files = {entry.filename: _read(archive, entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, NotImplementedError, ValueError, IndexError):
        raise UnreadableMessage("asice.not_a_zip", "file", "the container is not a sound ZIP file") from None
    if files.pop(_FIRST).strip() != MIMETYPE.encode():
        raise UnreadableMessage("asice.wrong_type", _FIRST, "the file is not an ASiC-E container")
    return files


def _check_entries(entries: list[zipfile.ZipInfo]) -> None:
    """Few, small, whole, and under names that lead nowhere and mean the same file to every program."""
    if len(entries) > MAX_FILES or sum(entry.file_size for entry in entries) > MAX_BYTES:
        raise UnreadableMessage("asice.too_large", "directory", "the container holds too many or too large files")
    seen: set[str] = set()
    for number, entry in enumerate(entries, 1):
        key = unicodedata.normalize("NFC", entry.filename).casefold()
        if key in seen or not is_safe(entry.orig_filename):
            raise UnreadableMessage("asice.name_unsafe", f"entry {number}", "a file's name is unsafe or there twice")
        seen.add(key)
        if entry.file_size > MAX_FILE_BYTES:
            raise UnreadableMessage("asice.too_large", f"entry {number}", f"a file exceeds {MAX_FILE_BYTES} bytes")
        if entry.flag_bits & (_ENCRYPTED | _STREAMED):
            raise UnreadableMessage("asice.not_a_zip", f"entry {number}", "a file is encrypted or without its size")


def is_safe(name: str) -> bool:
    """Whether a file of this name lies in the container's own directories wherever it is unpacked."""
    steps = name.split("/")
    return len(name) <= 200 and not _STRANGE.search(name) and all(step.strip(". ") for step in steps)


def _check_layout(raw: bytes, entries: list[zipfile.ZipInfo]) -> None:
    """`mimetype` is first and uncompressed, nothing lies between the files, nothing before or behind them."""
    ordered = sorted(entries, key=lambda entry: entry.header_offset)
    if not ordered or (ordered[0].filename, ordered[0].compress_type) != (_FIRST, zipfile.ZIP_STORED):
        raise UnreadableMessage("asice.wrong_type", _FIRST, "the container does not begin with its type")
    at = 0
    for entry in ordered:
        signature, name_bytes, extra_bytes = _LOCAL.unpack_from(raw, entry.header_offset)
        if entry.header_offset != at or signature != b"PK\x03\x04":
            raise UnreadableMessage("asice.not_a_zip", "layout", "there is something between the container's files")
        at += 30 + name_bytes + extra_bytes + entry.compress_size
    end = len(raw) - _END.size
    signature, directory_bytes, directory_at, comment_bytes = _END.unpack_from(raw, end)
    if (signature, directory_at, directory_at + directory_bytes, comment_bytes) != (b"PK\x05\x06", at, end, 0):
        raise UnreadableMessage("asice.not_a_zip", "layout", "there is something behind the container's files")


def _read(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The content, at most as much as the directory says (which was checked); its CRC is checked by the library."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise UnreadableMessage("asice.not_a_zip", "layout", "a file is compressed in an unusual way")
    with archive.open(entry) as opened:
        content = opened.read(entry.file_size + 1)
    if len(content) != entry.file_size:
        raise UnreadableMessage("asice.not_a_zip", "layout", "a file is shorter than the container says")
    return content
