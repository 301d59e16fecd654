"""Access control lists, and the identities that connections have proved."""

# Annotations are values here: as text, `NamedTuple` would have each of them compiled.
import base64
import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple

from zc.zk.testing.engine import x509
from zc.zk.testing.engine.refusal import Refusal
from zookeeper import constants


class Entry(NamedTuple):
    """Permissions (bits of the PERM_ constants) of the identity `id` of a scheme."""

    perms: int
    scheme: str | None
    id: str | None


class Identity(NamedTuple):
    """An identity that a connection has proved under one scheme."""

    scheme: str
    id: str


Entries = tuple[Entry, ...]

OPEN: Final[Entries] = (Entry(constants.PERM_ALL, "world", "anyone"),)
READ_ONLY: Final[Entries] = (Entry(constants.PERM_READ, "world", "anyone"),)

# The schemes that every server has. `x509` comes with TLS, and `sasl` with its users.
SCHEMES: Final = frozenset(["ip", "digest"])

# An entry of the scheme `auth` stands for the client's identities under these.
PROVED: Final = frozenset(["digest", "x509", "sasl"])

# The user of SASL that entries of that scheme, whomever they are for, let in.
SASL_SUPERUSER: Final = "super"

# Kerberos has a say in what a user of SASL can be called.
_PRINCIPAL: Final = re.compile("[^/@]*(?:/[^/@]*)?@[^/@]*")


def check(acl: Entries, perms: int, identities: Iterable[Identity]) -> None:
    """Refuse unless an entry gives one of the identities a permission."""
    if acl is OPEN or not acl:
        return
    identities = list(identities)
    if any(identity.scheme == "super" for identity in identities):
        return
    for entry in acl:
        if entry.perms & perms and _is_for(entry, identities):
            return
    raise Refusal(constants.NOAUTH)


def _is_for(entry: Entry, identities: Sequence[Identity]) -> bool:
    if entry.scheme == "world" and entry.id == "anyone":
        return True
    for scheme, id in identities:
        if scheme == entry.scheme:
            if scheme in PROVED and id == entry.id:
                return True
            if scheme == "sasl" and id == SASL_SUPERUSER:
                return True
            if scheme == "ip" and _address_is_in(id, entry.id or ""):
                return True
    return False


def fixed_up(
    acl: Sequence[Entry] | None,
    identities: Iterable[Identity],
    schemes: Collection[str] = SCHEMES,
) -> Entries:
    """Make an ACL as it is stored: `auth` stands for identities with a secret."""
    result: list[Entry] = []
    for entry in dict.fromkeys(acl or ()):
        if entry.id is None and (entry.scheme == "world" or entry.scheme in schemes):
            raise Refusal(constants.MARSHALLINGERROR)
        if entry.scheme == "world" and entry.id == "anyone":
            result.append(entry)
        elif entry.scheme == "auth":
            proved = [identity for identity in identities if identity.scheme in PROVED]
            if not proved:
                raise Refusal(constants.INVALIDACL)
            result += [Entry(entry.perms, *identity) for identity in proved]
        elif entry.scheme in schemes and _is_id(entry.scheme, entry.id):
            result.append(entry)
        else:
            raise Refusal(constants.INVALIDACL)
    if not result:
        raise Refusal(constants.INVALIDACL)
    fixed = tuple(result)
    return OPEN if fixed == OPEN else fixed


def masked(acl: Entries) -> Entries:
    """Hide the digests of an ACL from clients that may not administer."""
    return tuple(
        Entry(perms, scheme, re.sub(":.*", ":x", id or ""))
        if scheme == "digest"
        else Entry(perms, scheme, id)
        for perms, scheme, id in acl
    )


def prove(scheme: str, credential: bytes, address: str, superuser: str | None) -> list[Identity]:
    """Return the identities that a credential proves, if any.

    `address` is where the connection comes from, `superuser` the `user:digest` that no ACL stops.
    """
    if scheme == "ip":
        return [Identity("ip", address)]
    if scheme != "digest":
        return []
    text = credential.decode("utf-8", "replace")
    id = digest(text)
    identity = Identity("digest", id)
    return [Identity("super", ""), identity] if id == superuser else [identity]


def digest(credential: str) -> str:
    """Make the id of `user:password` in scheme `digest`, with a hash of both."""
    hashed = hashlib.sha1(credential.encode("utf-8", "replace")).digest()
    return f"{credential.partition(':')[0]}:{base64.b64encode(hashed).decode('ascii')}"


def is_principal(name: str) -> bool:
    """Whether a user of SASL can be called so."""
    return "@" not in name or _PRINCIPAL.fullmatch(name) is not None


def _is_id(scheme: str | None, id: str | None) -> bool:
    if id is None:
        return False
    if scheme == "digest":
        return _is_digest(id)
    if scheme == "ip":
        return _network(id) is not None
    return is_principal(id) if scheme == "sasl" else x509.is_name(id)


def _is_digest(id: str) -> bool:
    # As Java splits: empty parts at the end do not count.
    return len(id.rstrip(":").split(":")) == 2


def _network(text: str) -> tuple[int, int] | None:
    """Read `a.b.c.d` or `a.b.c.d/bits`: address and significant bits."""
    address, slash, bits = text.partition("/")
    parts = address.split(".")
    numbers = [_number(part, 255) for part in parts]
    size = _number(bits, 32) if slash else 32
    if len(parts) != 4 or size is None:
        return None
    value = 0
    for number in numbers:
        if number is None:
            return None
        value = value << 8 | number
    return value, size


def _number(text: str, most: int) -> int | None:
    if not re.fullmatch("[+-]?[0-9]+", text) or not 0 <= int(text) <= most:
        return None
    return int(text)


def _address_is_in(address: str, network: str) -> bool:
    here, there = _network(address), _network(network)
    if here is None or there is None:
        return False
    return (here[0] ^ there[0]) >> (32 - there[1]) == 0
