"""Vietnamese names that came as one text: họ (family) is the first word, tên (given) the last, chữ đệm the rest."""

from __future__ import annotations

from gateway.domain.person import PersonName
from gateway.mapping.transforms.text import tidy


def split_name(text: str, family: str = "") -> PersonName | None:
    """A full name in parts; None when empty. `family` is the family name where the sender said it, because some have
    more than one word; otherwise it is the first word. A single word is a given name: some peoples have no family name.
    """
    words, known = tidy(text).split(), tidy(family).split()
    if not words:
        return None
    taken = len(known) if known and words[: len(known)] == known and len(words) > len(known) else int(len(words) > 1)
    return PersonName(" ".join(words[:taken]), " ".join(words[taken:-1]), words[-1])
