"""Check the message of a commit: a short subject, a blank line.

The subject has at most 72 characters.
"""

from __future__ import annotations

import sys
from pathlib import Path

MAX_SUBJECT = 72

# Git writes these subjects itself.
BY_GIT = ("fixup! ", "squash! ", "amend! ", "Merge ", 'Revert "')


def fault(message: str) -> str | None:
    """Return what is wrong with a message, None if nothing is."""
    subject, *rest = [line for line in message.splitlines() if not line.startswith("#")] or [""]
    if not subject.strip():
        return "the first line is blank: it is the subject"
    if len(subject) > MAX_SUBJECT and not subject.startswith(BY_GIT):
        return f"the subject has {len(subject)} characters, and {MAX_SUBJECT} at most may be"
    if rest and rest[0].strip():
        return "the line after the subject is not blank"
    return None


def main() -> int:
    wrong = fault(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if wrong:
        print(wrong, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
