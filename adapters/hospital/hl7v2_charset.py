r"""Which character set a message is in, and its bytes as text (HL7 v2 chapter 2, MSH-18, table 0211).

Order:
1. Bytes that are valid multi-byte UTF-8 are UTF-8, whatever a label or a setting says: text of another set practically
   never looks like that. A label that says otherwise is the finding `message.charset_contradicts`.
2. The feed's own setting: a technician knows what a legacy system really writes, and such systems label their bytes
   8859/1 or ASCII because no label in table 0211 fits. The finding tells when MSH-18 names another set.
3. MSH-18. Repetitions after the first are alternates, see hl7v2_alternates.
4. UTF-8.

Bytes that do not decode are never replaced: the value counts as absent, `message.bytes_undecodable` names the segment
and field, and the answer may be AE (hl7v2_content).
"""

from __future__ import annotations

import codecs
from functools import lru_cache
from unicodedata import normalize

from adapters.hospital.vietnamese_bytes import DECODERS, NAMES
from gateway.domain.finding import Finding
from gateway.errors import SettingsError

UTF_8 = "utf-8"
LATIN_1 = "latin-1"

CHARSETS: dict[str, str] = {
    "": UTF_8,
    "ASCII": "ascii",
    "UNICODE": UTF_8,
    "UNICODE UTF-8": UTF_8,
    "UTF-8": UTF_8,
    "UTF8": UTF_8,
    "WINDOWS-1258": "cp1258",
    "CP1258": "cp1258",
    **{f"8859/{part}": f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
}
"""MSH-18 as sent, upper case → Python codec. A name not listed is read as UTF-8, which refuses what it is not."""

_CONTROLS = dict.fromkeys([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)]) | {0x0D: 0x0A, 0xA0: 0x20}
"""Control characters mean nothing in a name or an address, and XML 1.0 cannot carry them."""


def choose_charset(raw: bytes, declared: str, configured: str | None) -> tuple[str, Finding | None]:
    """The codec of a message, and a finding when its label is wrong. `declared` is MSH-18, first repetition;
    `configured` the feed's setting. Raises SettingsError when the feed names an unknown codec."""
    label = declared.strip().upper()
    codec = CHARSETS.get(label, UTF_8)
    if configured is None or not configured:
        if codec == UTF_8 or raw.isascii() or not is_utf_8(raw):
            return codec, None
        return UTF_8, Finding("message.charset_contradicts", "MSH-18", f"{codec}, the bytes are UTF-8")
    wanted = configured_codec(configured)
    if wanted != UTF_8 and not raw.isascii() and is_utf_8(raw):
        contradicted = codec != UTF_8
        finding = Finding("message.charset_contradicts", "MSH-18", f"{codec}, the bytes are UTF-8")
        return UTF_8, finding if contradicted else None
    if raw.isascii() or label not in CHARSETS or codec in (UTF_8, "ascii", wanted):
        return wanted, None
    return wanted, Finding("message.charset_contradicts", "MSH-18", f"{codec}, the feed says otherwise")


@lru_cache(maxsize=64)
def configured_codec(name: str) -> str:
    """The codec a feed's `encoding` names. Raises SettingsError when there is none of that name, or it is one in which
    separators are not single ASCII bytes (UTF-16)."""
    ours = NAMES.get(name.strip().casefold())
    if ours:
        return ours
    try:
        codec = codecs.lookup(name).name
        fits = "|^~\\&\r".encode(codec) == b"|^~\\&\r"
    except (LookupError, UnicodeEncodeError):
        fits = False
    if not fits:
        raise SettingsError("settings.encoding_unknown", f"feed encoding {name!r} is not a known codec")
    return codec


def is_utf_8(raw: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    try:
        raw.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def decode(raw: bytes, codec: str) -> str:
    """Bytes as text, composed (NFC), which also joins what windows-1258 writes as letter plus tone mark. Raises
    UnicodeDecodeError with the offset of the first byte that is not in `codec`."""
    return normalize("NFC", DECODERS[codec](raw) if codec in DECODERS else raw.decode(codec))


def decode_text(raw: bytes, codec: str) -> str | None:
    """Bytes as composed text without surrounding blanks and control characters; None when they are not in `codec`."""
    try:
        text = raw.decode() if codec == UTF_8 or raw.isascii() else decode(raw, codec)
    except UnicodeDecodeError:
        return None
    if not text.isascii():
        text = normalize("NFC", text)
    return text.strip() if text.isprintable() else text.translate(_CONTROLS).strip()
