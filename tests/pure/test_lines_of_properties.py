"""Lines of properties, in order or not, short or long, are looked at in one way or another."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pure.test_outline import LONG, is_as_parsed
from zc.zk._speedups import outline_of
from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.tree.diff import plan_outline

pytestmark = pytest.mark.quick

names = st.text("ab.9_Z", min_size=1, max_size=20).filter(lambda name: name[0] in "ab_Z")


# The last two have length, first, middle and last character in common.
odd_names = st.sampled_from(["a", "ab", "ab.9", 16 * "a" + "b", 16 * "a" + "c", "axbyc", "azbwc"])


@settings(deadline=None, max_examples=300)
@given(
    st.lists(names | odd_names),
    st.booleans(),
)
def test_names_are_found_to_come_twice_in_any_order(named: list[str], is_sorted: bool) -> None:
    below = sorted(named) if is_sorted else named
    text = "/n\n" + "".join(f"  {name} = 1\n" for name in below) + LONG[1:]
    assert (outline_of(text) is not None) == (len({*named}) == len(named))
    assert is_as_parsed(text)


@pytest.mark.parametrize("size", range(34))
def test_tokens_of_each_size_are_read_the_same_wherever_the_text_ends(size: int) -> None:
    token = size * "x"
    lines = (
        f"x{token} = 1",
        f"x = '{token}'",
        f"x -> /{token}",
        f"x = 1{size * '0'}",
        f"x = 0.{size * '1'}",
    )
    for line in lines:
        for more in (0, 1, 13, 15, 16, 17, 30, 31, 32, 33, 47):
            assert is_as_parsed(f"/a\n{(size + 1) * ' '}{line}\n{more * '#'}")
            assert is_as_parsed(f"/a\n{(size + 1) * ' '}{line}{more * ' '}")


@pytest.mark.parametrize("size", [*range(40, 70), *range(120, 130), *range(490, 590)])
def test_lines_of_each_size_are_read_the_same_wherever_they_are(size: int) -> None:
    """So many characters of a value, with which lines end in each place of a block."""
    value = f"'{size * 'x'}'"
    for lines in (
        ["a = %", "b = 1", "c = 'y'"],
        ["a = 1", "b = %", "c = [1]"],
        ["a = 1", "b = 'y'", "c = %"],
        ["a = %", "b = %", "a.b -> /x"],
        ["b = 1", f"a -> /{size * 'x'}", "c -> /x"],
    ):
        text = "/n\n" + "".join(f"  {line}\n" for line in lines).replace("%", value) + "  /m\n"
        assert outline_of(text + LONG[1:]) is not None
        for more in (LONG[1:], "", size * "#"):
            assert is_as_parsed(text + more)
            assert is_as_parsed(text.replace("x'", "\\'", 1) + more)


@pytest.mark.parametrize("value", ["[1, {'a': [None, 0.5]}]", "{}", "{'b': 'x'}"])
@pytest.mark.parametrize("place", range(4))
def test_lists_and_dictionaries_are_read_in_each_place(value: str, place: int) -> None:
    values = ["1", "'x'", "True", "0.5"]
    values[place] = value
    text = "/n\n" + "".join(f"  {n} = {v}\n" for n, v in zip("abcd", values, strict=True))
    assert outline_of(text + LONG[1:]) is not None
    assert is_as_parsed(text + LONG[1:])
    for broken in (value[:-1], f"{value},", value.replace("1", "01"), value.replace(" ", "")):
        assert is_as_parsed(text.replace(value, broken) + LONG[1:])


values = (
    st.integers(1 - 10**17, 10**17 - 1)
    | st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
    | st.booleans()
    | st.none()
    | st.text("abc xyz/[{:,", max_size=70)
    | st.just([1, {"a": [None, 0.5]}])
)


@settings(deadline=None, max_examples=200)
@given(
    st.dictionaries(names, values, max_size=12),
    st.dictionaries(names, names, max_size=4),
    st.sampled_from(["as exported", "in another order"]),
    st.sampled_from(["", " : app"]),
    st.data(),
)
def test_data_are_the_json_of_properties_in_any_order(
    properties: dict[str, object],
    links: dict[str, str],
    order: str,
    kind: str,
    draw: st.DataObject,
) -> None:
    lines = [f"  {name} = {value!r}\n" for name, value in sorted(properties.items())]
    links = {name: f"/{where}" for name, where in links.items() if name not in properties}
    lines += [f"  {name} -> {where}\n" for name, where in sorted(links.items())]
    if order != "as exported":
        lines = draw.draw(st.permutations(lines))
    outline = outline_of(f"/a{kind}\n{''.join(lines)}/b\n{draw.draw(st.sampled_from(['', LONG]))}")
    assert outline is not None
    expected = properties | {f"{name} ->": where for name, where in links.items()}
    expected |= {"type": "app"} if kind else {}
    data = next(plan_outline(outline, "/").operations(READ_ACL_UNSAFE))[2]
    assert data == (json.dumps(expected, sort_keys=True, separators=(",", ":")) if expected else "")
