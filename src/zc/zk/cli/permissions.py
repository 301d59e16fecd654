"""Access control lists as arguments.

An entry that nobody could ever match is refused: the nodes would be lost to everybody, their owner
too. An entry that servers would refuse is told of here where that is plain: they give no reason.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from typing import TYPE_CHECKING

from zc.zk.acl import OPEN_ACL_UNSAFE, is_principal, permissions, world_permission
from zc.zk.cli.arguments import Parser
from zc.zk.links import as_told
from zc.zk.tree.access import has_auth as has_auth
from zc.zk.tree.acltext import read_acl

if TYPE_CHECKING:
    from zc.zk.tree.model import ParseNode
    from zookeeper.types import AclEntry

# Hashes that servers can be told to use (zookeeper.DigestAuthenticationProvider.digestAlg), by
# length in bytes: SHA-1, which is usual, SHA-224, SHA-256, SHA-384, SHA-512.
DIGEST_BYTES = (20, 28, 32, 48, 64)

# Nodes that are told by their names.
MAX_TOLD = 10


def add_acl_arguments(parser: Parser) -> None:
    """Add arguments for the ACL of nodes that are created, as `acl`."""
    group = parser.add_argument_group(
        "access to new nodes",
        "Nodes that are there keep their permissions, unless asked.",
    ).add_mutually_exclusive_group()
    group.add_argument(
        "--acl",
        type=acl,
        default=OPEN_ACL_UNSAFE,
        metavar="ENTRIES",
        help="SCHEME:ID:PERMISSIONS, separated by commas, such as world:anyone:r,auth::cdrwa;"
        " auth is you, as you have authenticated"
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
    try:
        entries = read_acl(as_told(text), _check)
    except ValueError as fault:
        raise ArgumentTypeError(str(fault)) from None
    for entry in entries:
        _permissions(str(entry["perms"]))
    return entries


def never_matched(tree: ParseNode) -> list[str]:
    """Return a sentence for each node of a text, up to some, whose ACL has what nobody can match.

    A backup may have such entries, as servers take them, so they are no errors there.
    """
    told: list[str] = []
    for _, node in tree.walk():
        acl = None if node.marks is None else node.marks.acl
        try:
            for entry in acl or ():
                _check(entry["scheme"], entry["id"])
        except ArgumentTypeError as fault:
            told.append(f"{node.path}: {fault}")
    return told[:MAX_TOLD] + ([f"{len(told) - MAX_TOLD} more"] if len(told) > MAX_TOLD else [])


def _check(scheme: str, id: str) -> None:
    if scheme in _CHECKS:
        _CHECKS[scheme](id)


def _check_digest(id: str) -> None:
    """Raise ArgumentTypeError for an `id` that no client can ever prove to be.

    The message keeps what may be a password to itself.
    """
    user, _, digest = id.partition(":")
    if not (user and _is_digest(digest)):
        raise ArgumentTypeError(
            f"not a digest: of {user!r} the id is USER:DIGEST, where DIGEST is the SHA-1 of"
            " USER:PASSWORD in base64, and not the password; for the user of --credentials"
            " write auth::PERMISSIONS"
        )


def _is_digest(text: str) -> bool:
    from base64 import b64decode, b64encode

    try:
        hashed = b64decode(text, validate=True)
    except ValueError:
        return False
    # Servers compare texts, and some bits of the last character stand for nothing.
    return len(hashed) in DIGEST_BYTES and b64encode(hashed).decode() == text


def _check_world(id: str) -> None:
    if id != "anyone":
        raise ArgumentTypeError(f"world has the id 'anyone' and no other: {id!r}")


def _check_ip(id: str) -> None:
    address, slash, bits = id.partition("/")
    if ":" in id:
        return  # of IPv6, which some servers know
    numbers = address.split(".")
    if not (
        len(numbers) == 4
        and all(_is_number(number, 255) for number in numbers)
        and (not slash or _is_number(bits, 32))
    ):
        raise ArgumentTypeError(f"no address, as 10.0.0.7 or 10.0.0.0/8 is: {id!r}")


def _is_number(text: str, most: int) -> bool:
    return text.isdecimal() and text.isascii() and len(text) <= 3 and int(text) <= most


def _check_x509(id: str) -> None:
    """Raise ArgumentTypeError for a subject that is not as servers write it.

    One that is no subject is left to the server, which may have ids of its own.
    """
    from zc.zk import subjects

    if not id:
        raise ArgumentTypeError("x509 has the subject of a certificate as its id, and not nothing")
    try:
        written = subjects.as_servers_write(id)
    except ValueError as fault:
        if "=" in id:
            raise ArgumentTypeError(f"nobody could match x509:{id}: {fault}") from fault
        return
    if written != id:
        raise ArgumentTypeError(f"nobody could match x509:{id}: servers write it {written}")


def _check_sasl(id: str) -> None:
    if not is_principal(id):
        raise ArgumentTypeError(f"no user, and no principal as USER@REALM is: {id!r}")


_CHECKS = {
    "digest": _check_digest,
    "world": _check_world,
    "ip": _check_ip,
    "x509": _check_x509,
    "sasl": _check_sasl,
}


def _world(text: str) -> list[AclEntry]:
    return [world_permission(_permissions(text))]


def _permissions(text: str) -> int:
    try:
        return permissions(text)
    except ValueError as fault:
        raise ArgumentTypeError(str(fault)) from None
