"""A pattern is compiled when it is first used, and is like any other then."""

from __future__ import annotations

import re

import pytest

from zc.zk.patterns import pattern

pytestmark = pytest.mark.quick


def test_a_pattern_does_what_a_compiled_one_does():
    given, usual = pattern(r"(?P<name>\w+)=", re.ASCII), re.compile(r"(?P<name>\w+)=", re.ASCII)
    assert given.findall("a=b, c=d") == usual.findall("a=b, c=d") == ["a", "c"]
    for text in ("ab=", "=", "\u00e9="):
        assert str(given.fullmatch(text)) == str(usual.fullmatch(text))
    assert given.sub("", "a=b") == "b"
    assert (given.pattern, given.flags) == (usual.pattern, usual.flags)
    assert dict(given.groupindex) == {"name": 1}


def test_a_pattern_of_bytes_reads_bytes():
    given = pattern(rb"[0-9]+")
    match = given.search(b"a 12")
    assert match is not None
    assert match.group() == b"12"


def test_a_mistake_in_a_pattern_is_told_at_its_first_use():
    spoilt = pattern("(")
    for _ in range(2):
        with pytest.raises(re.error, match="unterminated"):
            spoilt.match("")


def test_a_pattern_has_no_other_attributes():
    with pytest.raises(AttributeError, match="matches"):
        pattern("a").matches  # type: ignore[attr-defined]  # noqa: B018


def test_no_pattern_is_compiled_until_it_is_used(monkeypatch):
    compiled = []
    usual = re.compile

    def noting(text, flags=0):
        compiled.append(text)
        return usual(text, flags)

    monkeypatch.setattr(re, "compile", noting)
    given = pattern("a+")
    assert compiled == []
    assert given.match("aa")
    assert given.match("a")
    assert compiled == ["a+"]
