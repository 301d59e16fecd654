"""Names, data and trees of all kinds that ZooKeeper can hold, for hypothesis."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

Nodes = list[tuple[int, str, str | None]]

ODD_WORDS = [
    "a", "b c", " lead", "trail ", "type", "string_value", "", " ", "x ->", "x =>", "a ->", " ->",
    " =>", "->", "=>", "=", "a=b", "a -> b", "a=>b", "# no comment", "/slash", "'quoted'", '"',
    "u'x'", "a:", ":a", "a : b", ":", "127.0.0.1:80", "[::1]:80", "new\nline", "tab\t", "\r",
    "\x1f", "\x85", "\u2028", "\ufeff", "\\", "é", "\U0001f600", "{", "}", "None", "1",
]  # fmt: skip

names = st.one_of(
    st.sampled_from([word for word in ODD_WORDS if word and "/" not in word]),
    st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1),
).filter(lambda name: name not in (".", ".."))

keys = st.one_of(
    st.sampled_from(ODD_WORDS),
    st.text(),
    st.builds("{}{}".format, st.text(max_size=3), st.sampled_from([" ->", " =>"])),
)

paths = st.one_of(
    st.sampled_from(
        ["/", "/a/b", "b", "../c", "/odd name", "//", "", "/a/", "/a b", "b c d", "x y"]
    ),
    st.text(max_size=5),
)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(min_value=10**4000, max_value=10**4100),
    st.floats(),
    st.text(),
    paths,
    st.text(st.characters(categories=["Cs"]), max_size=3),
)

json_values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)

properties = st.dictionaries(keys, json_values, max_size=4)

# Options of `json.dumps` that tree text has words for.
known_layouts = st.one_of(
    st.fixed_dictionaries(
        {
            "sort_keys": st.booleans(),
            "separators": st.sampled_from([(",", ":"), (", ", ": ")]),
            "ensure_ascii": st.booleans(),
        }
    ),
    st.fixed_dictionaries(
        {
            "sort_keys": st.booleans(),
            "indent": st.integers(0, 8),
            "ensure_ascii": st.booleans(),
        }
    ),
)

json_layouts = st.one_of(
    known_layouts,
    st.fixed_dictionaries(
        {"indent": st.just("\t")},
        optional={"separators": st.sampled_from([(", ", ":"), (" ,\n", "\t:")])},
    ),
)


def is_text(content: str) -> bool:
    """Whether `zookeeper.get` can return it: UTF-8 with surrogateescape."""
    try:
        return (
            content.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == content
        )
    except UnicodeEncodeError:
        return False


def spoilt(content: str, other: str, place: int) -> str:
    """Return text with a character put in."""
    place %= len(content) + 1
    return content[:place] + other + content[place:]


# The data of a node, as `zookeeper.get` returns them: UTF-8 with surrogateescape.
data: st.SearchStrategy[str | None] = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "", " ", "\n", "{}", "{bad}", '{"a": 1} ', '{"a":1,"a":2}', '{"a":1e400}', '{"a":1E2}',
            "NaN", "to Infinity and beyond", ' {"a":NaN}',
            '{"a":NaN}', '{"a":-Infinity}', '{"a":"NaN"}', '{"a":-0.0}', '{"a":-0}', "[1]", "true",
            '{"\\u0061":1}', '{"a":"\\ud83d\\ude00"}', '{"a":"\\ud800"}', '{"string_value":"x"}',
            '{"string_value":""}', '{"string_value":"\\ud800"}', '{"a":1,"string_value":"\\ud800"}',
            '{"string_value":"{\\"a\\":1}"}', '{"string_value":5}', '{"type":"a b"}',
            '{"type":" "}',
            '{"type":""}', '{"type":"a\\nb"}', '{"type":5}', '{"type ->":"/x"}',
            '{"a":' + "9" * 5000 + "}",
            '{"a":' + "[" * 150 + "]" * 150 + "}", '{"a":' + "[" * 5000 + "]" * 5000 + "}",
            '{"x ->":"/a b"}', '{"x =>":"a b c"}', '{"x =>":"/a b"}', '{"x ->":5}', "\ufeff{}", "é",
        ]
    ),
    st.binary().map(lambda content: content.decode("utf-8", "surrogateescape")),
    st.builds(
        lambda content, layout: json.dumps(content, **layout), properties, json_layouts
    ).filter(is_text),
    # The same with a character that is none of theirs.
    st.builds(
        lambda content, other, place: spoilt(json.dumps(content), other, place),
        properties, st.sampled_from("\udcff\n\x00\x7f\\\"{é "), st.integers(0, 200),
    ).filter(is_text),
)  # fmt: skip

Tree = dict[str, tuple[str | None, Any]]

trees: st.SearchStrategy[Tree] = st.recursive(
    st.just({}),
    lambda below: st.dictionaries(names, st.tuples(data, below), max_size=3),
    max_leaves=10,
)


def depth_first(tree: Tree, depth: int = 0) -> Nodes:
    """Return (depth, name, data) of each node of a tree, as `render` takes them."""
    nodes: Nodes = []
    for name in sorted(tree):
        content, below = tree[name]
        nodes += [(depth, name, content), *depth_first(below, depth + 1)]
    return nodes
