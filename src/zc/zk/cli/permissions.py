"""Access control lists as arguments."""

from __future__ import annotations

from argparse import ArgumentTypeError
from base64 import b64decode
from typing import TYPE_CHECKING

from zc.zk.acl import OPEN_ACL_UNSAFE, world_permission
from zc.zk.cli.arguments import Parser
from zc.zk.links import as_told
from zookeeper.constants import (
    PERM_ADMIN,
    PERM_ALL,
    PERM_CREATE,
    PERM_DELETE,
    PERM_READ,
    PERM_WRITE,
)

if TYPE_CHECKING:
    from zookeeper.types import AclEntry

SHA1_BYTES = 20

# The letters that ZooKeeper's own shell uses.
_LETTERS = {
    "c": PERM_CREATE,
    "d": PERM_DELETE,
    "r": PERM_READ,
    "w": PERM_WRITE,
    "a": PERM_ADMIN,
}


def add_acl_arguments(parser: Parser) -> None:
    """Add arguments for the ACL of nodes that are created, as `acl`."""
    group = parser.add_argument_group(
        "access to new nodes", "Nodes that are there keep the permissions that they have."
    ).add_mutually_exclusive_group()
    group.add_argument(
        "--acl",
        type=acl,
        default=OPEN_ACL_UNSAFE,
        metavar="ENTRIES",
        help="SCHEME:ID:PERMISSIONS, separated by commas, such as world:anyone:r,auth::cdrwa"
        " (default: everything is allowed to everyone)",
    )
    group.add_argument(
        "-p",
        "--permission",
        dest="acl",
        type=_world,
        metavar="PERM",
        help="the permissions of everyone: letters of cdrwa (create, delete, read, write,"
        " administer), or their number, 1 to 31",
    )


def acl(text: str) -> list[AclEntry]:
    """Parse an ACL. Raise ArgumentTypeError."""
    return [_entry(entry) for entry in as_told(text).split(",")]


def _entry(text: str) -> AclEntry:
    scheme, _, rest = text.partition(":")
    # An id may have colons in it, as that of the digest scheme does.
    id, colon, letters = rest.rpartition(":")
    if not scheme or not colon:
        raise ArgumentTypeError(f"not of the form SCHEME:ID:PERMISSIONS: {text!r}")
    if scheme == "digest":
        _require_digest(id)
    return {"perms": _permissions(letters), "scheme": scheme, "id": id}


def _require_digest(id: str) -> None:
    """Raise ArgumentTypeError for an `id` that no client can ever prove to be.

    The message keeps what may be a password to itself.
    """
    user, _, digest = id.partition(":")
    try:
        is_digest = len(b64decode(digest, validate=True)) == SHA1_BYTES
    except ValueError:
        is_digest = False
    if not (user and is_digest):
        raise ArgumentTypeError(
            f"not a digest: of {user!r} the id is USER:DIGEST, where DIGEST is the SHA-1 of"
            " USER:PASSWORD in base64, and not the password; for the user of --credentials"
            " write auth::PERMISSIONS"
        )


def _world(text: str) -> list[AclEntry]:
    return [world_permission(_permissions(text))]


def _permissions(text: str) -> int:
    if text.isdecimal() and text.isascii() and 1 <= int(text[:9]) <= PERM_ALL:
        return int(text)
    if not text or len(set(text)) != len(text) or not set(text) <= set(_LETTERS):
        raise ArgumentTypeError(f"not permissions, some of cdrwa or 1 to {PERM_ALL}: {text!r}")
    return sum(_LETTERS[letter] for letter in text)
