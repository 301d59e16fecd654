"""Marks of nodes as members of JSON and YAML."""

from __future__ import annotations

from typing import Any

from zc.zk.errors import excerpt
from zc.zk.tree.acltext import read_entry, write_entry
from zc.zk.tree.marks import ACL, KINDS, TTL, Marks, distinct, merged, read_span, write_span


def as_member(marks: Marks) -> dict[str, Any]:
    """Return marks as an object."""
    value: dict[str, Any] = {}
    if marks.acl is not None:
        value[ACL] = [write_entry(entry) for entry in marks.acl]
    if marks.kind:
        value[marks.kind] = write_span(marks.ttl) if marks.kind == TTL else True
    return value


def from_member(value: Any) -> Marks | None:
    """Return the marks that an object tells. Raise ValueError with the reason."""
    if not isinstance(value, dict):
        raise ValueError(f"marks are an object, not {excerpt(value)}")
    marks = None
    for word, content in value.items():
        if word != ACL and word not in KINDS:
            raise ValueError(f"unknown mark {excerpt(word)}")
        more = Marks(acl=_acl(content)) if word == ACL else _kind(word, content)
        marks = merged(marks, more)
    return marks


def _acl(content: Any) -> list[Any]:
    if not isinstance(content, list) or not content:
        kind = "an empty one" if content == [] else type(content).__name__
        raise ValueError(f"bad ACL: a list of texts is needed, not {kind}")
    try:
        return distinct([read_entry(_text(entry)) for entry in content])
    except ValueError as fault:
        raise ValueError(f"bad ACL: {fault}") from None


def _text(entry: Any) -> str:
    if not isinstance(entry, str):
        raise ValueError(f"an entry is text, not {type(entry).__name__}")
    return entry


def _kind(word: str, content: Any) -> Marks:
    if word == TTL:
        if isinstance(content, bool) or not isinstance(content, (int, str)):
            raise ValueError(f"bad time to live: {excerpt(content)}")
        return Marks(kind=TTL, ttl=read_span(str(content)))
    if content is not True:
        raise ValueError(f"bad mark: {word} is true, or not there: {excerpt(content)}")
    return Marks(kind=word)
