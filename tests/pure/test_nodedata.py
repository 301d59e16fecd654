"""A node's data as properties and back, by the compatibility contract."""

from __future__ import annotations

import json
import logging
import math
import sys
from collections.abc import Callable

import pytest
from hypothesis import given, settings

from zc.zk import codec

from . import strategies

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("data", "properties"),
    [
        (None, {}),
        ("", {}),
        (" \t\n", {}),
        ("{}", {}),
        ('{"a": 1, "b": [null, true, "x"]}', {"a": 1, "b": [None, True, "x"]}),
        (' {"a":1}\n', {"a": 1}),
        ("hello", {"string_value": "hello"}),
        (" hello ", {"string_value": " hello "}),
        ("[1]", {"string_value": "[1]"}),
        ("17", {"string_value": "17"}),
        ("\udcff\udcfe", {"string_value": "\udcff\udcfe"}),
    ],
)
def test_data_read_as_properties(data: str | None, properties: object) -> None:
    assert codec.decode(data) == properties


@pytest.mark.parametrize(
    ("properties", "data"),
    [
        ({}, ""),
        ({"string_value": "hello"}, "hello"),
        ({"string_value": ""}, ""),
        ({"string_value": '{"a":1}'}, '{"a":1}'),
        ({"string_value": 5}, '{"string_value":5}'),
        ({"string_value": "x", "a": 1}, '{"a":1,"string_value":"x"}'),
        ({"b": [1, {"d": 2, "c": 3}], "a": None}, '{"a":null,"b":[1,{"c":3,"d":2}]}'),
        ({"a": "é"}, '{"a":"\\u00e9"}'),
        ({"string_value": "\ud800"}, '{"string_value":"\\ud800"}'),
    ],
)
def test_properties_are_written_as_data(properties: dict[str, object], data: str) -> None:
    assert codec.encode(properties) == data


@pytest.mark.parametrize(
    "data",
    [
        "{bad}",
        '{"a": }',
        "{'a': 1}",
        '{"a":' + "9" * 5000 + "}",
        '{"a":' + "[" * 500 + "]" * 500 + "}",
    ],
)
def test_bad_json_in_braces_is_logged_and_a_string(
    data: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert codec.decode(data, "/some/node") == {"string_value": data}
    [record] = caplog.records
    assert (record.name, record.levelno) == ("zc.zk", logging.ERROR)
    assert "/some/node" in record.getMessage()
    assert len(record.getMessage()) < 500


@pytest.mark.parametrize("brackets", ["[]", '{"a":}'])
@pytest.mark.parametrize("depth", [5_000, 1_000_000])
def test_data_nested_without_end_are_a_string(brackets: str, depth: int) -> None:
    data = '{"a":' + brackets[:-1] * depth + "1" + brackets[-1] * depth + "}"
    with pytest.raises(ValueError, match=f"nested deeper than {codec.MAX_NESTING} levels"):
        codec.decode_strictly(data)
    assert codec.decode(data) == {"string_value": data}


@pytest.mark.parametrize("more", ["1", '[[],[{"x":[]}]]'])
def test_nesting_is_read_and_written_up_to_the_bound(more: str) -> None:
    depth = codec.MAX_NESTING - 1
    data = '{"a":' + "[" * depth + "]" * depth + ',"b":' + more + "}"
    properties = codec.decode_strictly(data)
    assert codec.encode(properties) == data
    with pytest.raises(ValueError, match="nested deeper"):
        codec.encode({"a": [properties["a"]]})
    with pytest.raises(ValueError, match="nested deeper"):
        codec.decode_strictly(data.replace("[", "[[", 1).replace("]", "]]", 1))


def test_many_brackets_are_no_depth() -> None:
    properties = {"a": [[number] for number in range(1000)], "b": "[" * 1000}
    assert codec.decode_strictly(codec.encode(properties)) == properties


@pytest.mark.parametrize(
    "properties",
    [
        {"a": object()},
        {"a": b"bytes"},
        {"a": {1, 2}},
        {"a": {(1, 2): 3}},
        {1: "a"},
        {"a": 16**9999},
    ],
)
def test_a_value_that_json_cannot_hold_is_a_value_error(properties: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"JSON cannot hold it|must be a string"):
        codec.encode(properties)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("wrap", [lambda n: n, lambda n: [{"x": (1, n)}]])
def test_numbers_that_json_does_not_have_are_refused_by_name(
    number: float, wrap: Callable[[float], object]
) -> None:
    for name in ("a", codec.STRING_VALUE):
        with pytest.raises(ValueError, match=f"property '{name}': NaN and infinity"):
            codec.encode({"b": "NaN", name: wrap(number)})
        with pytest.raises(ValueError, match=f"property '{name}': NaN and infinity"):
            codec.encode({name: wrap(number)})


def test_words_that_look_like_such_numbers_are_text() -> None:
    for text in ("NaN", '{"a":NaN}', "[Infinity]"):
        assert codec.encode({codec.STRING_VALUE: text}) == text
        assert json.loads(codec.encode({"a": text, text: 1})) == {"a": text, text: 1}


def test_such_numbers_that_others_wrote_are_read() -> None:
    properties = codec.decode_strictly('{"a":NaN,"b":-Infinity}')
    assert math.isnan(properties["a"])
    assert properties["b"] == -math.inf
    assert codec.as_read(properties) == '{"a":NaN,"b":-Infinity}'


def test_values_nested_too_deeply_or_into_themselves_are_a_value_error() -> None:
    for depth in (codec.MAX_NESTING, sys.getrecursionlimit() * 2):
        deep: list[object] = []
        for _ in range(depth):
            deep = [deep]
        with pytest.raises(ValueError, match="nested deeper"):
            codec.encode({"a": deep})
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(ValueError, match="Circular reference"):
        codec.encode({"a": endless})


def test_equal_json_text_means_equal_values() -> None:
    assert codec.to_json({"a": 1, "b": 2}) == codec.to_json({"b": 2, "a": 1})
    assert codec.to_json([float("nan")]) == codec.to_json([float("nan")])
    assert len({codec.to_json(value) for value in (1, True, 1.0, "1")}) == 4


@pytest.mark.parametrize(
    ("text", "found"),
    [("[NaN]", True), ("[-Infinity]", True), ('["NaN"]', False), ("[1]", False)],
)
def test_numbers_that_json_does_not_have_are_found(text: str, found: bool) -> None:
    assert codec.has_number_beyond_json(text) is found


@settings(deadline=None)
@given(strategies.properties)
def test_properties_survive_being_stored(properties: dict[str, object]) -> None:
    stored = codec.decode(codec.as_read(properties))
    if list(properties) == ["string_value"] and isinstance(properties["string_value"], str):
        return  # the text is stored as it is, even where it reads as something else
    assert json.dumps(stored, sort_keys=True) == json.dumps(
        json.loads(json.dumps(properties)), sort_keys=True
    )


@settings(deadline=None)
@given(strategies.data)
def test_all_data_can_be_read(data: str | None) -> None:
    properties = codec.decode(data)
    assert codec.decode(codec.as_read(properties)) is not None
