"""Names of X.509: what a client's certificate proves, and what an ACL may say of it.

They are written and read as Java's servers do (RFC 2253, and what its parser takes besides), for
the id in an ACL is compared with the one that the certificate gives, letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from zc.zk.subjects import KEYWORDS

# Those that Java reads besides.
_KNOWN: Final = frozenset(KEYWORDS.values()) | {
    *["S", "T", "IP", "DNQ", "DNQUALIFIER", "SURNAME", "GIVENNAME", "INITIALS", "GENERATION"],
    *["EMAIL", "EMAILADDRESS", "SERIALNUMBER"],
}

# UTF8String, PrintableString, T61String, IA5String, GeneralString, BMPString.
_TEXTS: Final = frozenset([12, 19, 20, 22, 27, 30])

_SPECIAL: Final = ',=+<>#;"\\'

_NUMBER: Final = re.compile(r"(?:OID\.)?[0-2](?:\.[0-9]+)+", re.IGNORECASE)
_VALUE: Final = (
    r"(?:"
    r"[ \n]*#(?:[0-9a-fA-F]{2})+[ \n]*|"
    r'[ \n]*"(?:[^"\\]|\\.)*"[ \n]*|'
    r'(?![ \n]*#)(?:[^,+<>;"\\]|\\(?:[0-9a-fA-F]{2}|[,=\n+<>#;\\" ]))*'
    r")"
)
_ATTRIBUTE: Final = re.compile(rf"([^=]*)={_VALUE}(?:([,;+])|\Z)", re.DOTALL)


class Unreadable(ValueError):
    """Bytes that are no certificate."""


def subject(certificate: bytes) -> str:
    """Return the subject of a certificate, of DER. Raises Unreadable."""
    try:
        return ",".join(
            "+".join(_attribute(attribute) for attribute in _parts(parts))
            for parts in reversed(list(_parts(_subject(certificate))))
        )
    except (IndexError, ValueError, StopIteration):
        raise Unreadable("not a certificate") from None


def is_name(text: str) -> bool:
    """Whether it is a name, such as `CN=app,O=Example`, in an ACL."""
    at = 0
    while text:
        match = _ATTRIBUTE.match(text, at)
        if match is None:
            return False
        kind, separator = match.groups()
        kind = kind.strip(" \n")
        if kind.upper() not in _KNOWN and not _NUMBER.fullmatch(kind):
            return False
        if separator is None:
            break
        at = match.end()
    return True


def _subject(certificate: bytes) -> bytes:
    whole = next(_elements(certificate))[1]
    fields = [element for element in _elements(next(_elements(whole))[1]) if element[0] != 0xA0]
    return fields[4][1]  # after number, algorithm, issuer and time, and maybe a version


def _attribute(attribute: bytes) -> str:
    (_, number), (tag, value) = _elements(attribute)
    kind = _dotted(number)
    if kind in KEYWORDS and tag in _TEXTS:
        # Whatever its type says, Java takes it for UTF-8.
        return f"{KEYWORDS[kind]}={_escaped(value.decode('utf-8', 'replace'))}"
    return f"{KEYWORDS.get(kind, kind)}=#{_element(tag, value).hex()}"


def _escaped(text: str) -> str:
    escaped = "".join(
        f"\\{character}" if character in _SPECIAL else "\\00" if character == "\0" else character
        for character in text
    )
    inner = escaped.strip(" \r")
    if not inner:
        return "".join(f"\\{blank}" for blank in escaped)
    before, _, after = escaped.partition(inner)
    return "".join([*(f"\\{blank}" for blank in before), inner, *(f"\\{blank}" for blank in after)])


def _dotted(number: bytes) -> str:
    arcs, value = [], 0
    for byte in number:
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, [first, arcs[0] - 40 * first, *arcs[1:]]))


# DER: a tag, a length and so many bytes.


def _parts(data: bytes) -> Iterator[bytes]:
    return (value for _, value in _elements(data))


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length > 0x7F:
            size = length & 0x7F
            length = int.from_bytes(data[at : at + size], "big")
            at += size
        if at + length > len(data):
            raise IndexError
        yield tag, data[at : at + length]
        at += length


def _element(tag: int, value: bytes) -> bytes:
    length = len(value)
    if length < 0x80:
        return bytes([tag, length]) + value
    size = (length.bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + length.to_bytes(size, "big") + value
