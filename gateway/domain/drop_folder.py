"""What the names in a drop folder mean: a directory into which a hospital's system puts files, often over SFTP.

A file is offered under any name that is not hidden, not marked as unfinished and not itself a marker. A marker says
that its file is complete: `births.hl7.done` or `births.hl7.ok` beside `births.hl7`.
"""

from __future__ import annotations

UNFINISHED = (".tmp", ".part", ".filepart")
"""How senders name what they are still writing, to rename it when it is whole."""

MARKERS = (".done", ".ok")
DONE, REFUSED = "done", "refused"


def is_offered(name: str) -> bool:
    """Whether a file of this name is meant for the gateway."""
    return not name.startswith(".") and not name.casefold().endswith((*UNFINISHED, *MARKERS))


def marked_by(name: str) -> str:
    """The name of the file that a marker vouches for; "" when it is no marker."""
    end = next((len(suffix) for suffix in MARKERS if name.casefold().endswith(suffix)), 0)
    return name[:-end] if end else ""
