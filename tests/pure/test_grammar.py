"""Each character in each place means the same in Cython and in Python.

`zc.zk._speedups` parses plain text by a grammar of its own (`grammar.pxi`), which is a part of the
grammar in `zc.zk.tree.syntax`. These tests compare the two, character by character.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from zc.zk import _speedups, codec
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import parse_tree, render_tree
from zc.zk.tree.render import render

pytestmark = pytest.mark.quick

# All of ASCII, and characters that are special elsewhere: spaces, ends of lines, letters, digits,
# surrogates.
CHARACTERS = [*map(chr, range(0x80)), *"\x85\xa0é\u0660\u2028\u3000\ufeff\ud800\U0001f600"]

# The places of a character: at the beginning, in the middle and at the end of each token.
LINES = (
    [
        template.format(token)
        for template in ("/{}", "/a : {}", "/a\n  {} = 1", "/a\n  {} -> /x", "/a\n  {} => /x y")
        for token in ("@", "@b", "a@", "a@b", ".@", "a:@", "a.@b")
    ]
    + [
        template.format(token)
        for template in ("/a\n  b -> {}", "/a\n  b => {}")
        for token in ("@", "/@", "/@b", "/a@", "/a@b", "/a/@", "/a:@", "/a@/b", "/.@")
    ]
    + [
        f"/a\n  b = {token}"
        for token in (
            *("@", "'@'", "'a@b'", "@'a'", "'a'@", "5@", "@5", "5@5", "-5@", "0@", "5.@", "5.5@"),
            *("True@", "None@", "@False", "[@]", "[1@]", "['@', 1]", "[1,@2]", "{'a': '@'}"),
            *("{'@': 1}", "{'a':@1}", "{'a@': 1, 'b': 2}", "[1.5@]", "[True@]", "'a'@'b'", "@ 1"),
        )
    ]
    + ["@/a", " @/a", "/a\n@b = 1", "/a\n @b = 1", "/a@\n  b = 1", "/a\n  b@= 1", "/a\n  b =@1"]
)

NUMBERS = [
    sign + number
    for sign in ("", "-", "+")
    for number in (
        *("0", "00", "01", "1", "0.0", "00.5", "0.5", "5.", ".5", "1.50", "1e5", "1.0e5", "1_0"),
        *("1" * length for length in (16, 17, 18, 19, 40)),
        *("1" * length + ".5" for length in (15, 16, 17, 18, 40)),
        *("0." + "1" * length for length in (15, 16, 17, 19, 20, 21, 40)),
        *(
            "0.1" + "0" * 17 + "1",
            "1" * 17 + "." + "1" * 20,
            "9" * 17 + ".9",
            "1e400",
            "0.30000000000000004",
        ),
    )
]


@contextmanager
def without_speedups() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_speedups, "read_lines", lambda text, parser: None)
        patch.setattr(_speedups, "render_data", lambda data, lead, decode: None)
        patch.setattr(_speedups, "encode", lambda properties: None)
        yield


def read(text: str) -> object:
    """Return the nodes of a text, and the text that they export to; or its error."""
    try:
        tree = parse_tree(text)
        data = [(node.path, node.data) for _, node in tree.walk()]
        return data, [node.properties for _, node in tree.walk()], "".join(render_tree(tree))
    except TreeSyntaxError as fault:
        return str(fault)
    except ValueError as fault:  # these properties cannot be data
        return str(fault)


def read_twice(text: str) -> tuple[object, object]:
    quickly = read(text)
    with without_speedups():
        return quickly, read(text)


@pytest.mark.parametrize("line", LINES)
def test_each_character_is_read_the_same(line: str) -> None:
    differing = [
        character
        for character in CHARACTERS
        for quickly, slowly in [read_twice(line.replace("@", character))]
        if quickly != slowly
    ]
    assert differing == []


# Where many characters are looked at together, and where the last ones are not.
PLACES = (1, 7, 8, 14, 15, 16, 17, 30, 31, 32, 33, 39)


@pytest.mark.parametrize("template", ["/a\n  {} = 1", "/a\n  b = '{}'", "/a\n  b = '{}'\n{:60}#"])
def test_each_character_of_a_long_token_is_read_the_same(template: str) -> None:
    differing = [
        (place, character)
        for place in PLACES
        for character in CHARACTERS
        for token in [place * "x" + character + (39 - place) * "y"]
        for quickly, slowly in [read_twice(template.format(token, ""))]
        if quickly != slowly
    ]
    assert differing == []


def test_each_character_among_many_spaces_is_read_the_same() -> None:
    texts = [
        f"/a\n{place * ' '}{character}{(40 - place) * ' '}b = 1\n{40 * ' '}c = 2\n"
        for place in PLACES
        for character in CHARACTERS
    ]
    assert [text for text in texts for a, b in [read_twice(text)] if a != b] == []


@pytest.mark.parametrize("template", ["{}", "[{}]", "{{'a': {}}}", "[{}, 1]"])
def test_each_number_is_read_the_same(template: str) -> None:
    differing = [
        number
        for number in NUMBERS
        for quickly, slowly in [read_twice(f"/a\n  b = {template.format(number)}")]
        if quickly != slowly
    ]
    assert differing == []


def written(data: str) -> str:
    return "".join(render([(0, "a", data), (1, "b", data)]))


@pytest.mark.parametrize("key", ["@", "a@", "@a", "a@b", "a@ ->", "@ ->", "a ->@", "type@"])
@pytest.mark.parametrize("value", [1, "x", "/x", "", [1.5], None])
def test_each_character_of_a_key_is_written_the_same(key: str, value: object) -> None:
    for character in CHARACTERS:
        properties = {key.replace("@", character): value, "type": "app"}
        data = json.dumps(properties, separators=(",", ":"), sort_keys=True)
        quickly = written(data), codec.as_read(properties)
        with without_speedups():
            assert (written(data), codec.as_read(properties)) == quickly, character


@pytest.mark.parametrize("value", ["@", "a@", "@a", "/@", "/a@b", "/a/@", "/a@/b", "/@/b"])
@pytest.mark.parametrize("key", ["a", "a ->", "a =>", "type", "string_value"])
def test_each_character_of_a_value_is_written_the_same(key: str, value: str) -> None:
    for character in CHARACTERS:
        text = value.replace("@", character)
        properties = {"A": 1, key: text, "list": [text, {text: text}]}
        data = json.dumps(properties, separators=(",", ":"), sort_keys=True)
        quickly = written(data), codec.as_read(properties)
        with without_speedups():
            assert (written(data), codec.as_read(properties)) == quickly, character


@pytest.mark.parametrize("number", NUMBERS)
def test_each_number_is_written_the_same(number: str) -> None:
    data = f'{{"a":{number},"b":[{number}]}}'
    quickly = written(data)
    with without_speedups():
        assert written(data) == quickly


def test_plain_tokens_are_taken_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    # Without this the tests above would pass for an extension that takes nothing.
    text = (
        "/a.b-1:80 : app\n"
        "  a.b = 'x'\n"
        "  number = -1234567.25\n"
        "  long = 0.30000000000000004\n"
        "  nested = [1, {'a': None}]\n"
        "  main -> /db/10.0.0.1:80\n"
    )
    (node,) = parse_tree(text).children.values()
    assert node.data_may_wait
    data = node.data
    assert data is not None
    assert _speedups.render_data(data, "\n  ", lambda value: pytest.fail(value)) is not None


@pytest.mark.parametrize("length", [15, 16, 17, 40])
def test_a_character_means_the_same_wherever_it_is_in_a_long_value(length: int) -> None:
    """Characters are looked at many at a time, and the first odd one is found among them."""
    for character in filter(codec.is_storable, CHARACTERS):
        values = ["x" * place + character + "x" * (length - place - 1) for place in range(length)]
        data = [f'{{"a":"{value}","b":1}}' for value in values]
        text = "".join(f"/n{place}\n  b = '{value}'\n" for place, value in enumerate(values))
        quickly = [written(each) for each in data], read(text)
        with without_speedups():
            assert ([written(each) for each in data], read(text)) == quickly, character
