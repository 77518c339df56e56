r"""Which character set a message is in, and its bytes as text (HL7 v2 chapter 2, MSH-18, table 0211).

Order: the feed's own setting (a technician knows what a legacy system really writes), then MSH-18, then UTF-8. Nothing
is guessed from the look of the text, with one provable exception: bytes that are valid multi-byte UTF-8 are UTF-8 even
under another label, because text of a single-byte set practically never is; the finding `message.charset_contradicts`
says so. Bytes that do not decode are never replaced: the value counts as absent and `message.bytes_undecodable` names
the segment.
"""

from __future__ import annotations

import codecs
from functools import lru_cache
from unicodedata import normalize

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
    """The codec of a message, and a finding when its label is provably wrong. `declared` is MSH-18, first repetition;
    `configured` the feed's setting. Raises SettingsError when the feed names an unknown codec."""
    if configured:
        return _configured_codec(configured), None
    codec = CHARSETS.get(declared.strip().upper(), UTF_8)
    if codec == UTF_8 or raw.isascii() or not is_utf_8(raw):
        return codec, None
    return UTF_8, Finding("message.charset_contradicts", "MSH-18", f"{codec}, the bytes are UTF-8")


@lru_cache(maxsize=64)
def _configured_codec(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise SettingsError("settings.encoding_unknown", f"feed encoding {name!r} is not a known codec") from None


def is_utf_8(raw: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    try:
        raw.decode(UTF_8)
    except UnicodeDecodeError:
        return False
    return True


def decode_text(raw: bytes, codec: str) -> str | None:
    """Bytes as NFC text without surrounding blanks and control characters; None when they are not in `codec`.

    NFC also composes what windows-1258 writes as letter plus tone mark.
    """
    if raw.isascii():
        text = raw.decode("ascii")
    else:
        try:
            text = normalize("NFC", raw.decode(codec))
        except UnicodeDecodeError:
            return None
    return text.strip() if text.isprintable() else text.translate(_CONTROLS).strip()
