"""Write dossier.json and findings.json of sample folders anew, and show what changed.

    python -m tests.samples.accept birth/father-unknown …    (no name: every folder; --show: write nothing)

Read the difference as the commune's officer would before committing it: an expected file is a promise, not a recording.
"""

from __future__ import annotations

import difflib
import json
import sys
from typing import Any

from tests.samples.folders import FOLDERS, Folder, dossiers_of, findings_of, rehearsed


def accept(folder: Folder, write: bool) -> bool:
    """Compare one folder and, when `write`, keep what is now; whether anything differed."""
    told = rehearsed(folder.name)
    differed = False
    for file, now in (("dossier.json", dossiers_of(told)), ("findings.json", findings_of(told))):
        path = folder.path / file
        before = path.read_text(encoding="utf-8") if path.exists() else ""
        after = as_text(now)
        if before == after:
            continue
        differed = True
        names = (f"{folder.name}/{file} expected", f"{folder.name}/{file} now")
        sys.stdout.writelines(difflib.unified_diff(before.splitlines(True), after.splitlines(True), *names))
        if write:
            path.write_text(after, encoding="utf-8")
    return differed


def as_text(value: Any) -> str:
    """JSON as the sample files keep it: readable, in a stable order."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


def main(arguments: list[str]) -> int:
    names = [name for name in arguments if not name.startswith("-")] or list(FOLDERS)
    unknown = [name for name in names if name not in FOLDERS]
    if unknown:
        print("no such sample:", *unknown, file=sys.stderr)
        return 2
    differed = [name for name in names if accept(FOLDERS[name], write="--show" not in arguments)]
    print(f"{len(differed)} of {len(names)} folders differed")
    return 1 if differed and "--show" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
