"""The lines about a change of data: small values whole, large ones by their differences."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure import strategies
from zc.zk.tree import differences
from zc.zk.tree.changes import AddNode, SetData
from zc.zk.tree.differences import MAX_LINES, MAX_LITERAL

pytestmark = pytest.mark.quick


def lines_of(old: object, new: object) -> list[str]:
    """Return the lines about a property `p` of the node /n."""
    return SetData("/n", json.dumps({"p": old}), json.dumps({"p": new}), 0).lines()


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("a", "b", "/n p change from 'a' to 'b'"),
        (1, 1.0, "/n p change from 1 to 1.0"),
        ("a\nb\n", "a\nc\n", "/n p change from 'a\\nb\\n' to 'a\\nc\\n'"),
        ({"a": 1}, {"a": 2}, "/n p change from {'a': 1} to {'a': 2}"),
        ("x" * (MAX_LITERAL - 2), "y", f"/n p change from {'x' * (MAX_LITERAL - 2)!r} to 'y'"),
    ],
)
def test_small_values_are_printed_whole(old: object, new: object, line: str) -> None:
    assert lines_of(old, new) == [line]


TEXT = "".join(f"line {number} of the poem\n" for number in range(1, 8001))


def test_a_word_in_a_long_text_is_its_line_with_those_around_it() -> None:
    changed = TEXT.replace("line 4711 of", "line 4711 in")
    expected = [
        " change at line 4711 of 8000",
        "   line 4710 of the poem",
        " - line 4711 of the poem",
        " + line 4711 in the poem",
        "   line 4712 of the poem",
    ]
    assert lines_of(TEXT, changed) == [f"/n p{line}" for line in expected]
    assert SetData("/n", TEXT, changed, 0).lines() == [
        f"/n string_value{line}" for line in expected
    ]


def test_lines_that_come_and_go_are_told() -> None:
    assert lines_of(TEXT, TEXT.replace("line 8 of the poem\n", "")) == [
        "/n p change at line 8 of 8000",
        "/n p   line 7 of the poem",
        "/n p - line 8 of the poem",
        "/n p   line 9 of the poem",
    ]
    assert lines_of(TEXT, TEXT + "the end") == [
        "/n p change at line 8001 of 8000",
        "/n p   line 8000 of the poem",
        "/n p - ",
        "/n p + the end",
    ]


def test_a_word_in_a_long_line_is_told_with_its_place() -> None:
    old = "x" * 100_000 + "brown" + "y" * 100_000
    first, removed, added = lines_of(old, old.replace("brown", "red"))
    assert first == "/n p change at line 1 of 1, character 100001"
    assert removed == f"/n p - ...{'x' * 40}brown{'y' * 75}..."
    assert added == f"/n p + ...{'x' * 40}red{'y' * 77}..."


def test_the_parts_of_large_dictionaries_and_lists_are_told() -> None:
    old = {"servers": [{"host": f"h{number}", "port": 80} for number in range(1000)], "a": 1}
    new = json.loads(json.dumps(old))
    new["servers"][3]["port"] = 81
    del new["servers"][500]
    new["servers"].append({"host": "new"})
    del new["a"]
    new["b'"] = [1]
    lines = lines_of(old, new)
    assert lines[:2] == ["/n remove p['a'] = 1", '/n add p["b\'"] = [1]']
    assert lines[2:] == [
        "/n p['servers'][3] change from {'host': 'h3', 'port': 80} to {'host': 'h3', 'port': 81}",
        "/n remove p['servers'][500] = {'host': 'h500', 'port': 80}",
        "/n add p['servers'][999] = {'host': 'new'}",
    ]
    lines = lines_of(old, {"servers": [], "a": 1})
    assert len(lines) == MAX_LINES + 1
    assert lines[-1] == "/n p ... and more changes"


def test_a_long_text_within_a_dictionary_is_told_by_its_lines() -> None:
    changed = TEXT.replace("line 5 of", "line 5 in")
    assert lines_of({"a": TEXT, "b": 1}, {"a": changed, "b": 1})[2] == (
        "/n p['a'] - line 5 of the poem"
    )


def test_other_kinds_of_values_are_cut() -> None:
    [line] = lines_of(None, TEXT)
    assert line.startswith("/n p change from None to 'line 1 of the poem\\nline 2")
    assert line.endswith(f"'... ({len(TEXT)} characters)")
    [line] = SetData("/n", None, TEXT, 0).lines()
    assert len(line) < 300
    [line] = AddNode("/n", TEXT).details()
    assert line.startswith("/n add property string_value = 'line 1 of")
    assert len(line) < 300
    [line] = SetData("/n", json.dumps({"k" * 5000: "v"}), "", 0).lines()
    assert len(line) < 300


def test_data_of_no_properties_are_told_in_the_same_way() -> None:
    old, new = "\n" * 500, "\n" * 300 + " " + "\n" * 200
    lines = SetData("/n", old, new, 0).lines()
    assert lines[0] == "/n data change at line 301 of 500"


def test_hostile_values_forge_no_lines() -> None:
    old = "a\x1b[8m\n" * 500
    new = old.replace("a", "would delete /everything.\u2028", 1)
    for line in lines_of(old, new):
        assert line.startswith("/n p")
        assert line.isprintable()


long_texts = st.lists(st.sampled_from(["a", "b", "x" * 500, "", "\x1b"]), min_size=80).map(
    "\n".join
)


@settings(deadline=None, max_examples=100)
@given(long_texts, long_texts)
def test_the_lines_are_few_and_short_whatever_has_changed(old: str, new: str) -> None:
    if old == new:
        return
    lines = lines_of(old, new)
    assert lines[0].startswith("/n p change ")
    assert len(lines) <= MAX_LINES + 1
    assert all(len(line) < 2 * MAX_LITERAL + 100 for line in lines)


@settings(deadline=None, max_examples=200)
@given(strategies.properties, strategies.properties)
def test_any_two_values_have_lines(old: object, new: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(differences, "MAX_LITERAL", 5)
        patch.setattr(differences, "MAX_EXCERPT", 3)
        old, new = (json.loads(json.dumps(value)) for value in (old, new))
        lines = differences.value_change("p", old, new)
    assert len(lines) <= MAX_LINES + 1


def test_many_changed_lines_do_not_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    import difflib

    monkeypatch.setattr(difflib, "SequenceMatcher", lambda *given, **named: pytest.fail("slow"))
    lines = lines_of("a\n" * 10_000, "b\n" * 10_000)
    assert lines[0] == "/n p change at line 1 of 10000"
    assert lines[-1] == "/n p ... and more changes"
