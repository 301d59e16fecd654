"""Subjects of certificates, written as ZooKeeper's servers write them in ACLs of scheme x509.

A server takes the text that Java makes of a subject, and compares it character by character: RFC
2253 without blanks, the last part first, with the nine keywords of that standard, and attributes of
all other types as numbers: `1.2.840.113549.1.9.1=#1611...`. One in another form lets nobody in.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Final

from zc.zk.patterns import pattern
from zookeeper.regularfiles import open_regular

KEYWORDS: Final = {
    "2.5.4.3": "CN",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "0.9.2342.19200300.100.1.25": "DC",
    "0.9.2342.19200300.100.1.1": "UID",
}
_TYPES = {keyword: type for type, keyword in KEYWORDS.items()}

# Tags of ASN.1.
_OID, _SEQUENCE, _SET, _VERSION = 0x06, 0x30, 0x31, 0xA0
_UTF8, _PRINTABLE, _T61, _IA5, _GENERAL = 0x0C, 0x13, 0x14, 0x16, 0x1B
_ASCII = (_PRINTABLE, _T61, _IA5, _GENERAL)
_WIDE = (0x1C, 0x1E)  # UniversalString, BMPString

_ESCAPED = ',=+<>#;"\\'
_TYPE = pattern(r"[A-Z][A-Z0-9-]*|[0-9]+(\.[0-9]+)+")
# No two parts of it can take the same character: there is one way to read any text.
_PEM = pattern(
    rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END", re.ASCII
)
MAX_FILE_BYTES = 1_000_000


def of_file(file: str | os.PathLike[str]) -> str:
    """Return the subject of the first certificate in a PEM file. Raises ValueError."""
    name = os.fspath(file)
    try:
        with open_regular(file) as opened:
            content = opened.read(MAX_FILE_BYTES)
    except OSError as fault:
        raise ValueError(f"{name}: the certificate cannot be read: {fault.strerror}") from fault
    try:
        return of_certificate(content)
    except ValueError as fault:
        raise ValueError(f"{name}: {fault}") from fault


def of_certificate(pem: bytes) -> str:
    """Return the subject of the first certificate in PEM text. Raises ValueError."""
    from base64 import b64decode

    found = _PEM.search(pem)
    if found is None:
        raise ValueError("there is no certificate in PEM form")
    try:
        der = b64decode(b"".join(found.group(1).split()), validate=True)
        subject = _subject(der)
    except (IndexError, UnicodeDecodeError, ValueError) as fault:
        reason = f": {fault}" if type(fault) is ValueError else ""
        raise ValueError(f"the certificate cannot be read{reason}") from fault
    if not subject:
        raise ValueError("the certificate has no subject, so no ACL can be for it")
    return subject


def as_servers_write(subject: str) -> str:
    """Return a subject in the form of the servers. Raises ValueError if it is none."""
    parts = [
        "+".join(_attribute(attribute, subject) for attribute in _split(part, "+"))
        for part in _split(subject, ",;")
    ]
    return ",".join(parts)


# Text


def _split(text: str, separators: str) -> Iterator[str]:
    """Yield the parts of a text between separators that are neither escaped nor in quotes."""
    start = at = 0
    is_quoted = False
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == '"':
            is_quoted = not is_quoted
        elif text[at] in separators and not is_quoted:
            yield text[start:at]
            start = at + 1
        at += 1
    yield text[start:]


def _attribute(text: str, subject: str) -> str:
    keyword, equals, value = text.partition("=")
    keyword = keyword.strip().upper().removeprefix("OID.")
    keyword = KEYWORDS.get(keyword, keyword)
    value = _stripped(value)
    if not equals or _TYPE.fullmatch(keyword) is None:
        raise ValueError(f"no subject, as CN=app,O=Shop is: {subject!r}")
    if value.startswith("#"):
        return _of_number(_TYPES.get(keyword, keyword), value, subject)
    if keyword not in _TYPES:
        raise ValueError(
            f"{keyword} is none of {', '.join(_TYPES)}, so servers write it as a number, which the"
            f" certificate tells: {subject!r}"
        )
    return f"{keyword}={_escaped(_unescaped(value, subject))}"


def _of_number(type: str, value: str, subject: str) -> str:
    try:
        der = bytes.fromhex(value[1:])
        if not type[0].isdecimal() or _Reader(der).one().rest:
            raise ValueError
        return _written(type, der)
    except (IndexError, ValueError):
        raise ValueError(f"what is behind a # is no value: {subject!r}") from None


def _stripped(value: str) -> str:
    """Return a value without blanks around it, but for an escaped one at the end."""
    value = value.lstrip(" ")
    bare = value.rstrip(" ")
    backslashes = len(bare) - len(bare.rstrip("\\"))
    return bare + " " if backslashes % 2 and len(bare) < len(value) else bare


def _unescaped(value: str, subject: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1]
    elif re.search(r'(?<!\\)(?:\\\\)*"', value):
        raise ValueError(f"a quote is in the middle of a value: {subject!r}")
    parts = re.split(rb"\\([0-9A-Fa-f]{2}|.|$)", value.encode(), flags=re.DOTALL)
    for number in range(1, len(parts), 2):
        if not parts[number]:
            raise ValueError(f"it ends with a backslash: {subject!r}")
        if len(parts[number]) == 2:
            parts[number] = bytes.fromhex(parts[number].decode())
    try:
        text = b"".join(parts).decode()
    except UnicodeDecodeError:
        raise ValueError(f"not UTF-8 text: {subject!r}") from None
    if not text:
        raise ValueError(f"a part has no value: {subject!r}")
    return text


def _escaped(text: str) -> str:
    marked = "".join(f"\\{each}" if each in _ESCAPED else each for each in text)
    marked = marked.replace("\0", "\\00")
    bare = marked.strip(" \r")
    before = len(marked) - len(marked.lstrip(" \r")) if bare else len(marked)
    after = len(marked) - before - len(bare)
    return (
        "".join(f"\\{each}" for each in marked[:before])
        + bare
        + "".join(f"\\{each}" for each in marked[len(marked) - after :])
    )


# Certificates


class _Reader:
    """Reads elements of ASN.1, one after the other (DER). Raises ValueError, or IndexError."""

    def __init__(self, data: bytes) -> None:
        self.rest = data
        self.tag = 0
        self.content = b""

    def one(self, tag: int | None = None) -> _Reader:
        """Read the next element, which has to have that tag."""
        self.tag = self.rest[0]
        length, start = self.rest[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(self.rest[2:start], "big")
        self.content, end = self.rest[start : start + length], start + length
        if len(self.content) != length or tag not in (None, self.tag):
            raise ValueError("it is cut off, or no certificate")
        self.rest = self.rest[end:]
        return self

    def inside(self, tag: int) -> _Reader:
        """Read the next element, which has others in it."""
        return _Reader(self.one(tag).content)

    def encoded(self) -> bytes:
        """Read the next element, and return all of it."""
        before = self.rest
        self.one()
        return before[: len(before) - len(self.rest)]


def _subject(der: bytes) -> str:
    fields = _Reader(der).inside(_SEQUENCE).inside(_SEQUENCE)
    if fields.rest[0] == _VERSION:
        fields.one()
    for _ in ("serial number", "algorithm", "issuer", "validity"):
        fields.one()
    names = fields.inside(_SEQUENCE)
    parts = []
    while names.rest:
        attributes, texts = names.inside(_SET), []
        while attributes.rest:
            attribute = attributes.inside(_SEQUENCE)
            type = _dotted(attribute.one(_OID).content)
            texts.append(_written(type, attribute.encoded()))
        parts.append("+".join(texts))
    return ",".join(reversed(parts))


def _dotted(oid: bytes) -> str:
    numbers, number = [], 0
    for byte in oid:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _written(type: str, der: bytes) -> str:
    """Return an attribute as servers write it."""
    value = _Reader(der).one()
    if type not in KEYWORDS:
        return f"{type}=#{der.hex()}"
    if value.tag in _WIDE or (value.tag in _ASCII and not value.content.isascii()):
        raise ValueError(
            f"{KEYWORDS[type]} is in an old kind of characters, of which each version of Java makes"
            " something else; log in with it, create a node with the ACL auth::cdrwa and look"
        )
    if value.tag == _UTF8 or value.tag in _ASCII:
        return f"{KEYWORDS[type]}={_escaped(value.content.decode())}"
    return f"{KEYWORDS[type]}=#{der.hex()}"
