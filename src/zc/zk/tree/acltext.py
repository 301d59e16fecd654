"""Access control lists as text, for people: in trees, as arguments, in results.

    world:anyone:r, digest:alice:Jq0=:cdrwa, 'x509:CN=app,O=Shop:cdrwa'

An entry is SCHEME:ID:PERMISSIONS. The permissions are letters of `cdrwa`, or their number, 0 for
none; an id may have colons in it. Entries are separated by commas, with blanks behind them or not.
A comma that no scheme follows, as in `CN=app,O=Shop`, or that has a backslash before it, belongs to
the id. Whatever else is in an entry, it may be written as a Python string literal, and all that
could be mistaken is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from zc.zk.acl import LETTERS, permissions
from zc.zk.imports import importing
from zc.zk.patterns import pattern
from zc.zk.tree.syntax import QUOTES

if TYPE_CHECKING:
    from zookeeper.types import AclEntry

# Called with an entry's scheme and id, to raise ValueError for what shall not be.
Check = Callable[[str, str], object]

_BLANKS = pattern(r"\s*")
_BEGINNING = pattern(r"\s*[^:,=\s'\"]+:")

# Permissions beyond `cdrwa`, which a server keeps for a client that has set them.
_NUMBER = pattern(r"-?[0-9]{1,10}")


def read_acl(text: str, check: Check | None = None) -> list[AclEntry]:
    """Parse an ACL. Raise ValueError, without what may be a password."""
    return [read_entry(entry, check) for entry in _entries(text)]


def read_entry(text: str, check: Check | None = None) -> AclEntry:
    """Parse one entry, which is not quoted. Raise ValueError as `read_acl` does."""
    scheme, _, rest = text.partition(":")
    # An id may have colons in it, as that of the digest scheme does.
    id, colon, letters = rest.rpartition(":")
    if not scheme or not colon:
        told = repr(text) if scheme != "digest" else f"'{scheme}:...'"
        raise ValueError(f"not of the form SCHEME:ID:PERMISSIONS: {told}")
    if check is not None:
        check(scheme, id)
    return {"perms": _read_permissions(letters, scheme), "scheme": scheme, "id": id}


def write_acl(entries: Iterable[AclEntry]) -> str:
    """Write an ACL on one line, all of it printable."""
    return ", ".join(map(_quoted, map(write_entry, entries)))


def write_entry(entry: AclEntry) -> str:
    """Write one entry, as it is: it may have commas in it, and what is not printable."""
    return f"{entry['scheme']}:{entry['id']}:{write_permissions(entry['perms'])}"


def write_permissions(perms: int) -> str:
    """Write permissions as letters; as a number where there are none for it."""
    letters = "".join(letter for letter, bit in LETTERS.items() if perms & bit)
    return letters if letters and perms == permissions(letters) else str(perms)


def _read_permissions(text: str, scheme: str) -> int:
    if _NUMBER.fullmatch(text):
        return int(text)
    try:
        return permissions(text)
    except ValueError as fault:
        if scheme == "digest":
            # A password may stand in their place.
            raise ValueError("digest: no permissions, which are some of cdrwa") from None
        raise fault


def _quoted(entry: str) -> str:
    is_plain = entry.isprintable() and " " not in entry and "," not in entry
    # One that does not look like an entry would be taken for more of the id before it.
    if is_plain and _BEGINNING.match(entry):
        return entry
    # Imported here, and below: hardly any entry is quoted.
    with importing:
        from zc.zk.tree.literals import write_literal
    return write_literal(entry)


def _entries(text: str) -> list[str]:
    """Split a list into its entries, without their quotes."""
    entries: list[str] = []
    is_open = False  # the last one may go on behind a comma
    position = 0
    while position <= len(text):
        start = _past_blanks(text, position)
        quoted = _quoted_entry(text, start) if text.startswith(QUOTES, start) else None
        if quoted is not None:
            entry, end = quoted
            entries.append(entry)
            is_open = False
        else:
            comma = text.find(",", position)
            end = len(text) if comma < 0 else comma
            part = text[position:end]
            if is_open and (_BEGINNING.match(part) is None or entries[-1].endswith("\\")):
                entries[-1] += f",{part}"
            else:
                entries.append(part.lstrip())
                is_open = True
        position = end + 1
    if is_open:
        entries[-1] = entries[-1].rstrip()
    return entries


def _quoted_entry(text: str, start: int) -> tuple[str, int] | None:
    """Return a quoted entry, and the place of the comma or end behind it; None if it is none."""
    with importing:
        from zc.zk.tree.literals import read_quoted
    entry, behind = read_quoted(text, start)
    end = _past_blanks(text, behind)
    return (entry, end) if end == len(text) or text[end] == "," else None


def _past_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    assert match is not None
    return match.end()
