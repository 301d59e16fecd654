"""Data of many properties come out as they do one property at a time, plain or not."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.exported import Node
from tests.pure.test_export_text import one_by_one
from zc.zk import _speedups
from zc.zk.tree.exporttext import export_text

pytestmark = pytest.mark.quick


def is_written_alike(*several: str) -> bool:
    nodes = [Node("/", 0), *(Node(f"/n{number}", 1, data) for number, data in enumerate(several))]
    return export_text(nodes, "", None, ephemeral=False) == one_by_one(
        nodes, "", None, ephemeral=False, kinds=False
    )


def is_plain(data: str) -> bool:
    return _speedups.render_data(data, "\n  ", lambda _: None) is not None


def data_of(properties: dict[str, object]) -> str:
    return json.dumps(properties, separators=(",", ":"), sort_keys=True)


# Each kind of value, in an order in which no two of a kind are neighbours.
MIXED = data_of(
    {
        "a": 1,
        "b.b": "two words",
        "c": True,
        "d ->": "/services/main/providers",
        "e_e": 0.5,
        "f": "x" * 31,
        "f2": "x" * 32,
        "f3": "x" * 33,
        "g": [1, 2, 3],
        "h": {"a": "b"},
        "i": None,
        "interval_10": 12345,
        "interval_11": "",
        "j": False,
        "k ->": "/k",
        "l": -7,
        "m": "m",
        "n" * 15: 0,
        "n" * 16: 10,
        "p": "q",
        "z": "z",
    }
)

LINKED = '"/a/b"'

ODD = ['"', "'", "\\", ",", ":", "{", "}", "[", " ", "0", "7", "a", "/", ">", ".", "-", "\x7f", "é"]


def test_most_data_of_many_properties_are_plain() -> None:
    assert is_plain(MIXED)
    assert is_written_alike(MIXED)


@pytest.mark.parametrize("odd", ODD, ids=ascii)
def test_a_character_in_any_place_makes_the_same_difference(odd: str) -> None:
    places = range(len(MIXED))
    assert is_written_alike(*(MIXED[:at] + odd + MIXED[at + 1 :] for at in places))
    assert is_written_alike(*(MIXED[:at] + odd + MIXED[at:] for at in places))


def test_data_that_lack_characters_are_written_alike() -> None:
    for size in range(1, 9):
        assert is_written_alike(*(MIXED[:at] + MIXED[at + size :] for at in range(len(MIXED))))
    assert is_written_alike(*(MIXED[:at] for at in range(len(MIXED))))


@pytest.mark.parametrize("begin", ["n", "name_"])
@pytest.mark.parametrize("kind", ["%d", '"%d"', "true", "%d.5", "[%d]", '{"a":"%d"}'])
def test_names_that_come_twice_or_too_late_are_seen_in_any_place(kind: str, begin: str) -> None:
    names = [f"{begin}{number:02}" for number in range(30)]
    values = [kind.replace("%d", str(number)) for number in range(30)]
    for at in range(1, len(names)):
        for odd in (names[at - 1], begin, names[at] + " ->", names[at - 1] + "0", names[0]):
            changed = [*names[:at], odd, *names[at + 1 :]]
            data = ",".join(
                f'"{name}":{LINKED if name.endswith(">") else value}'
                for name, value in zip(changed, values, strict=True)
            )
            assert is_written_alike(f"{{{data}}}")
            assert is_plain(f"{{{data}}}") == (changed == sorted({*changed}))


@pytest.mark.parametrize("size", range(40))
def test_tokens_of_each_size_are_written_alike_in_each_place(size: int) -> None:
    x = size * "x"
    tokens = [
        f'"m{x}":1',
        f'"m{x} ->":"/x"',
        f'"m":"{x}"',
        f'"m":1{size * "0"}',
        f'"m":0.{size * "1"}5',
        f'"m":{size * "1"}.5',
        f'"m ->":"/{x}"',
        f'"m ->":"/{x}/y"',
    ]
    for before in range(0, 64, 5):
        head = ",".join(f'"a{number:02}":"{number * "a"}"' for number in range(before % 9 + 4))
        tail = ",".join(f'"z{number:02}":{number}' for number in range(20))
        assert is_written_alike(
            *(f'{{"a":"{before * "x"}",{head},{token},{tail}}}' for token in tokens),
            *(f'{{"a":"{before * "x"}",{head},"b":"{100 * "x"}",{token}}}' for token in tokens),
        )


@pytest.mark.parametrize("count", [1, 2, 20, 62, 63, 64, 65, 66])
def test_there_may_be_so_many_properties(count: int) -> None:
    names = [f"p{number:03}" for number in range(count)]
    several: list[dict[str, object]] = [
        dict.fromkeys(names, 7),
        dict.fromkeys([f"{name} ->" for name in names], "/x"),
        {**dict.fromkeys(names, "type"), "type": "a", "type2": "b"},
        {**dict.fromkeys(names, "x"), "string_value": "a"},
    ]
    assert is_written_alike(*map(data_of, several))


@pytest.mark.parametrize("length", [159, 160, 161, 191, 192, 193, 255, 256, 8191, 8192, 8193, 8256])
def test_data_of_each_length_are_written_alike(length: int) -> None:
    """A value fills the data up, first or last or in between, so that quotes are in any place."""
    for at in (0, 3, 7):
        values = [str(number) for number in range(8)]
        values[at] += "x" * (length - len(data_of(dict(zip("abcdefgh", values, strict=True)))))
        data = data_of(dict(zip("abcdefgh", values, strict=True)))
        assert len(data) == length
        assert is_written_alike(data)
        assert is_plain(data)


value = st.one_of(
    st.integers(-5, 10**9),
    st.sampled_from(["", "a", "two words", "it's", 'say "a"', "back\\slash", "x" * 40, "é"]),
    st.text("ab '", max_size=40),
    st.sampled_from([True, False, None, 0.5, -0.0, 1e22, [1, "a"], {"a": {"b": "c"}}, [], {}]),
)
name = st.text("ab._1", min_size=1, max_size=18)


@settings(deadline=None, max_examples=300)
@given(
    st.dictionaries(name, value, min_size=5, max_size=40),
    st.dictionaries(name.map("{} ->".format), st.sampled_from(["/a", "/a/b", "a", "/a/"])),
    st.randoms(use_true_random=False),
)
def test_random_properties_are_written_alike_in_any_order(
    properties: dict[str, object], links: dict[str, object], chance: random.Random
) -> None:
    both = properties | links
    shuffled = list(both.items())
    chance.shuffle(shuffled)
    assert is_written_alike(data_of(both), json.dumps(dict(shuffled), separators=(",", ":")))


def quoted(values: Iterable[str]) -> str:
    return ",".join(f'"{number:02}":{value}' for number, value in enumerate(values))


def test_names_that_begin_with_digits_are_not_plain() -> None:
    assert not is_plain(f"{{{quoted(40 * ['1'])}}}")
    assert is_written_alike(f"{{{quoted(40 * ['1'])}}}")
