"""The sequence number protocol (chapter 2.10.1): MSH-13 counts the messages of one stream, MSA-4 tells which is next.

Pure: the receive step keeps the last number it took, in the transaction that stores the message.
"""

from __future__ import annotations

from gateway.errors import UnreadableMessage

TAKE, REPEAT, START, REFUSE = "take", "repeat", "start", "refuse"
NO_NUMBER_YET = -1
"""MSA-4 when nothing was ever taken: the sender begins where it likes."""


class SequenceBreak(UnreadableMessage):
    """A message out of its turn. `expected` is the number that would be taken."""

    def __init__(self, message: str, expected: int, hl7_code: str = "207") -> None:
        super().__init__("hl7v2.sequence", "MSH-13", message, hl7_code)
        self.expected = expected


def decide_sequence(sent: str, last: int | None) -> tuple[str, int]:
    """What to do with a message whose MSH-13 is `sent` after number `last` was taken (None: nothing yet), and the
    number expected now.

    - `take`: the next number, or any when nothing was taken yet; it becomes the last.
    - `repeat`: the last one again; answer as before, take nothing.
    - `start`: 0 opens a link and carries nothing; answer AA with the number expected.

    Raises SequenceBreak for a gap, an older number, and what is no number.
    """
    expected = NO_NUMBER_YET if last is None else last + 1
    text = sent.strip()
    if not text:
        raise SequenceBreak("this feed numbers its messages, and the number is missing", expected, "101")
    if not (text.isascii() and text.isdigit()):
        raise SequenceBreak("the sequence number is not a whole number", expected, "102")
    number = int(text)
    if number == 0:
        return START, expected
    if last is None or number == expected:
        return TAKE, number + 1
    if number == last:
        return REPEAT, expected
    raise SequenceBreak(f"sequence number {number} came, {expected} was expected", expected)
