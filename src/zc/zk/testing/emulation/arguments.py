"""Arguments, checked as the binding checks them before it asks a server.

The exceptions, and their words, are the binding's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from zc.zk.testing.engine import Entry
from zookeeper import constants, errors
from zookeeper.hosts import Ensemble, parse

SEQUENTIAL: Final = (2, 3, constants.PERSISTENT_SEQUENTIAL_WITH_TTL)
WITH_TTL: Final = (constants.PERSISTENT_WITH_TTL, constants.PERSISTENT_SEQUENTIAL_WITH_TTL)
WATCH_KINDS: Final = range(constants.WATCH_CHILDREN, constants.WATCH_PERSISTENT_RECURSIVE + 1)
WATCH_MODES: Final = (constants.PERSISTENT, constants.PERSISTENT_RECURSIVE)

# Bytes beside names and data that a request is reckoned to take.
REQUEST_OVERHEAD: Final = 64
MAX_PATH_SHOWN: Final = 1000
MAX_TTL: Final = (1 << 40) - 1

_FORBIDDEN: Final = re.compile(
    "[\x01-\x1f\x7f-\x9f\ud800-\uf8ff\ufff0-\uffff\U00010000-\U0010ffff]"
)

# Python's escapes of bytes that are no UTF-8; the binding looks at the bytes.
_ESCAPED_BYTES: Final = range(0xDC80, 0xDD00)


def encoded(value: object, what: str, path: str | None) -> bytes:
    """Encode text as UTF-8; what the emulation returned goes back unchanged."""
    if isinstance(value, bytes):
        return value
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str or bytes, not {type(value).__name__}")
    try:
        return value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as problem:
        raise bad(path, f"{what} cannot be written as UTF-8: {problem.reason}") from None


def decoded(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def data(value: object, path: str) -> bytes | None:
    return None if value is None else encoded(value, "data", path)


def path(value: object, sequential: bool = False) -> str:
    """Check a path, and return it as the server reads it."""
    if not isinstance(value, str):
        raise TypeError(f"a path must be str, not {type(value).__name__}")
    as_bytes = encoded(value, "a path", value)
    fault = _path_fault(value, sequential)
    if fault is not None:
        raise bad(value, fault)
    return as_bytes.decode("utf-8", "replace")


def paths(values: Iterable[str]) -> list[str]:
    if isinstance(values, (str, bytes)):
        raise TypeError(f"a list of paths is needed, not one path: {values!r}")
    return list(values)


def _path_fault(value: str, sequential: bool) -> str | None:
    if not value:
        return "a path must not be empty"
    if value[0] != "/":
        return "a path must start with '/'"
    if "\0" in value:
        return "a path must not hold a null character"
    for match in _FORBIDDEN.finditer(value):
        code = ord(match[0])
        if code in _ESCAPED_BYTES:
            code -= 0xDC00
            if code > 0x9F:
                continue
        return f"a path must not hold the character U+{code:04X}"
    if value == "/":
        return None
    *names, last = value[1:].split("/")
    if not sequential:
        # A sequential node's name goes on with its number, which may be all of it.
        names.append(last)
    for place, name in enumerate(names):
        if name in (".", ".."):
            return "a path must not hold '.' or '..'"
        if not name and place == len(names) - 1 and not sequential:
            return "a path must not end with '/'"
        if not name:
            return "a path must not hold '//'"
    return None


def acl(value: Any, path: str) -> list[Entry]:
    """Check an access control list that is given as dicts."""
    if not isinstance(value, (list, tuple)):
        raise _invalid_acl(path, f"it is a list of dicts, not {type(value).__name__}")
    if not value:
        raise _invalid_acl(path, "it is empty")
    return [_acl_entry(entry, place, path) for place, entry in enumerate(value)]


def _acl_entry(entry: Any, place: int, path: str) -> Entry:
    if not isinstance(entry, dict):
        kind = type(entry).__name__
        why = f"entry {place}: it is a dict with perms, scheme and id, not {kind}"
        raise _invalid_acl(path, why)
    if not entry.keys() >= {"perms", "scheme", "id"}:
        keys = ", ".join(map(repr, entry))
        why = f"entry {place}: it needs perms, scheme and id, and has {keys}"
        raise _invalid_acl(path, why)
    perms = entry["perms"]
    if isinstance(perms, bool) or not isinstance(perms, int) or not 0 <= perms <= 31:
        why = f"entry {place}: perms must be a sum of PERM_ constants, not {perms!r}"
        raise _invalid_acl(path, why)
    scheme, name = (_acl_text(entry, field, place, path) for field in ("scheme", "id"))
    return Entry(perms, scheme, name)


def _acl_text(entry: dict[str, Any], name: str, place: int, path: str) -> str:
    value = entry[name]
    if not isinstance(value, (str, bytes)):
        why = f"entry {place}: {name} must be text, not {type(value).__name__}"
        raise _invalid_acl(path, why)
    text = encoded(value, name, path)
    if b"\0" in text:
        why = f"entry {place}: {name} must not hold a null character"
        raise _invalid_acl(path, why)
    return text.decode("utf-8", "replace")


def _invalid_acl(path: str, why: str) -> errors.ZooKeeperException:
    return errors.error(constants.INVALIDACL, path, why)


def node_kind(flags: object, path: str) -> int:
    kind = integer(flags, "flags")
    if not 0 <= kind <= 6:
        raise bad(path, f"no such kind of node: flags={kind}")
    return kind


def ttl(kind: int, value: object, path: str) -> int:
    """Check a time to live; -1 stands for kinds of nodes without one."""
    with_ttl = kind in WITH_TTL
    if with_ttl != (value is not None):
        raise bad(path, "a ttl (milliseconds) goes with the _WITH_TTL flags and needs them")
    if not with_ttl:
        return -1
    if not isinstance(value, int) or not 0 < value <= MAX_TTL:
        raise bad(path, f"not a ttl in milliseconds: {value!r}")
    return value


def integer(value: object, what: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if not -(2**31) <= value < 2**31:
        raise OverflowError(f"{what} does not fit in 32 bits: {value}")
    return value


def watch_kind(kind: object, path: str) -> int:
    number = integer(kind, "a kind of watch")
    if number not in WATCH_KINDS:
        raise bad(path, f"no such kind of watch: {number}")
    return number


def watch_mode(mode: object, path: str) -> int:
    number = integer(mode, "a mode")
    if number not in WATCH_MODES:
        raise bad(path, f"no such mode of watch: {number}")
    return number


def function(value: object, what: str) -> None:
    if value is not None and not callable(value):
        raise TypeError(f"{what} must be callable or None: {value!r}")


def taker(value: object) -> None:
    if value is not None and not callable(getattr(value, "take", None)):
        raise TypeError(f"nodes must have a method take: {value!r}")


def watcher(value: Callable[..., object] | None) -> None:
    function(value, "a watcher")
    hash(value)  # raises TypeError: watchers are compared


def timeout(seconds: object) -> None:
    """Check a time to wait; nothing here waits for an answer."""
    if seconds is not None and not 0 <= seconds < 1e9:  # type: ignore[operator]
        raise bad(None, f"timeout must be a number of seconds from 0 to 1e9: {seconds!r}")


def session_timeout(milliseconds: object) -> None:
    is_number = isinstance(milliseconds, int) and not isinstance(milliseconds, bool)
    if not is_number or not 0 < milliseconds < 2**31:  # type: ignore[operator]
        raise bad(None, f"recv_timeout must be a number of milliseconds: {milliseconds!r}")


def hosts(value: object) -> tuple[str, str]:
    """Split a connection string into servers and root, '' without a root."""
    if not isinstance(value, str):
        raise TypeError(f"hosts must be str, not {type(value).__name__}")
    shown = repr(value if len(value) <= 1000 else value[:1000] + "...")
    try:
        ensemble = parse(value)
        if ensemble.root:
            path(ensemble.root)
    except ValueError as fault:
        raise bad(None, f"hosts {shown}: {fault}") from None
    except errors.BadArgumentsException as fault:
        raise bad(None, f"hosts {shown}: the root is no path: {fault}") from None
    return Ensemble(ensemble.servers, "").text, ensemble.root


def request_size(limit: int, path: str, size: int) -> None:
    """Refuse a request over which a server would close the connection."""
    size += REQUEST_OVERHEAD + len(path.encode("utf-8", "replace"))
    if size > limit:
        shown = path if len(path) < MAX_PATH_SHOWN else path[:MAX_PATH_SHOWN] + "..."
        raise bad(shown, f"a request of {size} bytes is over the limit of {limit} (jute.maxbuffer)")


def request_limit(value: object) -> None:
    """Check a number for the servers' jute.maxbuffer."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_request must be an int, not {type(value).__name__}")
    if not 0 < value < 2**31:
        raise bad(None, f"max_request must be a number of bytes below 2 ** 31: {value}")


def credential(scheme: str, secret: bytes, limit: int) -> None:
    """Raise what the binding raises for one that no server would take."""
    if "\0" in scheme:
        raise bad(None, "a scheme must not hold a null character")
    size = len(scheme.encode("utf-8", "replace")) + len(secret) + REQUEST_OVERHEAD
    if size > limit:
        raise bad(
            None, f"a credential of {size} bytes is over the limit of {limit} (jute.maxbuffer)"
        )


def acl_size(entries: Sequence[Entry]) -> int:
    return sum(len(text or "") + 8 for entry in entries for text in (entry.scheme, entry.id))


def bad(path: str | None, why: str) -> errors.ZooKeeperException:
    return errors.error(constants.BADARGUMENTS, path, why)
