"""Access control lists (ACLs), ready-made ones and their entries.

An ACL is a list of dictionaries with the keys `perms` (bits of `zookeeper.PERM_*`), `scheme` and
`id`. A server compares ids as texts, so an id in any other form than the server's own keeps
everybody out, its owner too. The functions here make them as servers do.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from zookeeper.constants import (
    PERM_ADMIN,
    PERM_ALL,
    PERM_CREATE,
    PERM_DELETE,
    PERM_READ,
    PERM_WRITE,
)

if TYPE_CHECKING:
    from zookeeper.types import Acl, AclEntry

# The letters that ZooKeeper's own shell uses.
LETTERS: Final = {
    "c": PERM_CREATE,
    "d": PERM_DELETE,
    "r": PERM_READ,
    "w": PERM_WRITE,
    "a": PERM_ADMIN,
}


# Of permissions as a number in text. Python makes no numbers of thousands of digits.
MAX_DIGITS = 9


def world_permission(perms: int = PERM_READ) -> AclEntry:
    """Make an entry that grants `perms`, bits of `zookeeper.PERM_*`, to all."""
    return {"perms": perms, "scheme": "world", "id": "anyone"}


def digest_acl(user: str, password: str | bytes, perms: int | str = PERM_ALL) -> AclEntry:
    """Make an entry for those who `add_auth` as `digest` with this user and password.

    `perms` are bits of `zookeeper.PERM_*`, or letters of `cdrwa` (create, delete, read, write,
    administer). The entry has a hash (SHA-1), and not the password. Raises ValueError for a user
    with a colon, an empty password, and what are no permissions. Servers read passwords in the
    characters of their locale, so other letters than ASCII's need servers that run with UTF-8.
    """
    import hashlib
    from base64 import b64encode

    name = _text("user", user)
    if not user or ":" in user:
        raise ValueError(f"a user has a name without a colon: {user!r}")
    # Not whatever `bytes` takes: of a number it makes so many zeros, and so a password.
    secret = (
        password if isinstance(password, bytes) else _text("password", password, is_secret=True)
    )
    if not secret:
        raise ValueError(f"the password of {user!r} is empty")
    hashed = hashlib.sha1(name + b":" + secret, usedforsecurity=False).digest()
    return {
        "perms": permissions(perms),
        "scheme": "digest",
        "id": f"{user}:{b64encode(hashed).decode()}",
    }


def x509_acl(
    subject: str | None = None,
    perms: int | str = PERM_ALL,
    *,
    certificate: str | os.PathLike[str] | None = None,
) -> AclEntry:
    """Make an entry for clients that show a certificate of this subject, over TLS.

    `subject` is a distinguished name as in RFC 2253, `CN=app,O=Shop`, the last part of the
    certificate's first; or else `certificate` is a PEM file, whose first certificate has it.
    `perms` are as for `digest_acl`. Raises ValueError.
    """
    from zc.zk import subjects

    if (subject is None) == (certificate is None):
        raise ValueError("either a subject is needed or a certificate")
    if subject is not None:
        _text("subject", subject)
        name = subjects.as_servers_write(subject)
    else:
        assert certificate is not None
        name = subjects.of_file(certificate)
    return {"perms": permissions(perms), "scheme": "x509", "id": name}


def sasl_acl(principal: str, perms: int | str = PERM_ALL) -> AclEntry:
    """Make an entry for a user who logs in by SASL.

    `principal` is the name that the servers know the user by: with DIGEST-MD5 the user, with
    Kerberos `user@REALM` or `service/host@REALM`, unless the servers are set up to drop realms or
    hosts. `perms` are as for `digest_acl`. Raises ValueError.
    """
    _text("principal", principal)
    if not is_principal(principal):
        raise ValueError(f"no user, and no principal as USER@REALM is: {principal!r}")
    return {"perms": permissions(perms), "scheme": "sasl", "id": principal}


def is_principal(name: str) -> bool:
    """Return whether a name can be a user's by SASL, as servers check it."""
    if "@" not in name:
        return bool(name)
    user, *realms = name.split("@")
    return bool(user) and len(realms) == 1 and "/" not in realms[0] and user.count("/") <= 1


def permissions(perms: int | str) -> int:
    """Return permissions as a number, 1 to 31; they may be letters of `cdrwa`.

    Raises ValueError, and TypeError for what is neither.
    """
    if isinstance(perms, bool) or not isinstance(perms, (int, str)):
        raise TypeError(f"permissions are int or str, not {type(perms).__name__}")
    if isinstance(perms, int):
        number = perms
    elif perms.isdecimal() and perms.isascii():
        number = int(perms) if len(perms) <= MAX_DIGITS else 0
    elif len(set(perms)) == len(perms) and set(perms) <= set(LETTERS):
        number = sum(LETTERS[letter] for letter in perms)
    else:
        number = 0
    if 1 <= number <= PERM_ALL:
        return number
    raise ValueError(f"not permissions, some of cdrwa or 1 to {PERM_ALL}: {perms!r}")


def _text(what: str, value: object, *, is_secret: bool = False) -> bytes:
    """Return text in UTF-8, if it is one that an id can have in it."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be str, not {type(value).__name__}")
    shown = "" if is_secret else f": {value!r}"
    try:
        encoded = value.encode()
    except UnicodeEncodeError:
        # Without the exception, which has the value in it.
        raise ValueError(f"{what} cannot be written in UTF-8{shown}") from None
    if b"\0" in encoded and not is_secret:
        raise ValueError(f"{what} must not hold a null character{shown}")
    return encoded


def kept(acl: Acl) -> Acl:
    """Copy an ACL, for use after the caller may have changed the original.

    A value that is no ACL is returned as it is: the binding says what is wrong with it.
    """
    if not isinstance(acl, (list, tuple)):
        return acl
    entries: list[Any] = [entry.copy() if isinstance(entry, dict) else entry for entry in acl]
    return entries


OPEN_ACL_UNSAFE = [world_permission(PERM_ALL)]
READ_ACL_UNSAFE = [world_permission(PERM_READ)]
