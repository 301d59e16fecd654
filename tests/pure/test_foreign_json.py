"""JSON objects as other programs write them are objects in exports, and come back byte for byte."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from zc.zk import codec, formats
from zc.zk.errors import TreeSyntaxError
from zc.zk.tree import ParseNode, parse_tree
from zc.zk.tree.layout import layout_of, read_layout
from zc.zk.tree.model import RawData
from zc.zk.tree.render import render
from zc.zk.tree.template import Style, read_template, template_of

from . import strategies

pytestmark = pytest.mark.quick

ALL_FORMATS = (formats.TEXT, formats.JSON, formats.YAML)

# Each has a number 8 somewhere.
SHAPES = {
    "json.dumps": '{"b": 8, "a": [1, 2]}',
    "json.dumps indented": '{\n    "b": 8,\n    "a": [\n        1,\n        2\n    ]\n}',
    "JSON.stringify": '{"b":8,"ä":"ö","a":[1,2,{}]}',
    "JSON.stringify with a tab": '{\n\t"b": 8,\n\t"a": [\n\t\t1\n\t],\n\t"c": {}\n}',
    "an editor": '{\n  "b": 8,\n  "a": 1\n}\n',
    "echo": '{"a":8}\n',
    "an editor of Windows": '{\r\n  "b": 8,\r\n  "a": "x"\r\n}\r\n',
    "PHP": '{"b":8,"url":"http:\\/\\/x\\/y","c":"\\u00e9"}',
    "PHP indented": '{\n    "a": 8,\n    "url": "\\/x"\n}',
    "Jackson": '{"name":"x","id":"8-9","address":null,"port":8,"payload":{"@class":"y","b":1}}',
    "Jackson indented": '{\n  "b" : 8,\n  "a" : [ 1, 2, 3 ],\n  "c" : { },\n  "d" : [ ]\n}',
    "Go": '{"a":8,"b":"\\u003cx\\u003e \\u0026"}',
    "Go indented": '{\n\t"a": 8,\n\t"b": "\\u003c",\n\t"c": null\n}\n',
    ".NET": '{"a":8,"b":"\\u00E9\\u0022\\u002B"}',
    "Gson": '{"a":8,"b":"x\\u003dy\\u0027"}',
    "Ruby": '{\n  "b": 8,\n  "a": [\n    1,\n    2\n  ]\n}',
    "noggit": '{"coll":{\n    "shards":{"s1":{\n        "r":"80-f",\n    "n":8}},\n    "x":"1"}}',
    "by hand": '{ "b" : 8, "a":1 ,"c": [1,2, 3] }',
    "by hand on lines": '{"a": 8,\n "b": 9,\n "list": [1,\n          2]}',
    "blanks around": ' \t{"a":8}  ',
    "floats": '{"a":1.10,"b":1e5,"c":1E+2,"d":-0,"e":-0.0,"f":1.0,"n":8}',
    "long decimals": '{"a":0.1000000000000000055511151231257827,"n":8}',
    "a large integer": '{"a":100000000000000000000000000000,"b": 8}',
    "escapes mixed": '{"a":"é\\u00e9\\t\\u0009\\b\\/","n":8}',
    "escapes in keys": '{"\\u0061":8,"a\\/b":1}',
    "nested in some order": '{"z":{"b":[{"y":8,"x":{"b":1,"a":2}}]},"a":1}',
    "nested by several": '{"a":{ "b": 8,"c" :[ {"x":1}, {"x" :2}]}}',
    "halves of a character": '{"a":"\\ud83d\\ude00","n":8}',
    "string_value": '{"string_value": "x", "n": 8}',
    "deep": '{"a": ' * 150 + "8" + "}" * 150,
}


def exported(data: str, format: str) -> str:
    root = ParseNode()
    node = ParseNode("n")
    node.raw = RawData(data)
    root.add(node)
    return "".join(formats.render(root, format))


def imported(text: str, format: str) -> ParseNode:
    [node] = formats.parse(text, format).children.values()
    assert isinstance(node, ParseNode)
    return node


@pytest.mark.parametrize("format", ALL_FORMATS)
@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_an_object_and_comes_back(name: str, format: str) -> None:
    data = SHAPES[name]
    text = exported(data, format)
    if format == formats.JSON:
        assert json.loads(text)["/n"] == json.loads(data)
    node = imported(text, format)
    assert node.raw is None
    assert node.properties == json.loads(data)
    assert node.data == data


@pytest.mark.parametrize("format", ALL_FORMATS)
@pytest.mark.parametrize("name", SHAPES)
def test_a_changed_value_leaves_all_else_where_it_is(name: str, format: str) -> None:
    data = SHAPES[name]
    node = imported(exported(data, format), format)
    node.properties = changed(node.properties)
    wanted = re.sub(r"(?<=[:\s])8(?=[\s,}\]])", "77", data)
    assert node.data == wanted


def changed(value: Any) -> Any:
    """Return a value with 77 in the place of each 8, in the same order."""
    if isinstance(value, dict):
        return {key: changed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [changed(item) for item in value]
    return 77 if value == 8 and not isinstance(value, bool) else value


@pytest.mark.parametrize(
    ("data", "template", "properties", "result"),
    [
        ('{ "a" :1 }', '{ "a" :_ }', {"a": 1, "b": 2}, '{ "a" :1,"b" :2 }'),
        ('{"a" : 1 }', '{"a" : _ }', {"a": 1, "b": 2}, '{"a" : 1, "b" : 2 }'),
        ('{\n "a":1\n}', '{\n "a":_\n}', {"b": 1, "c": 2}, '{\n "b":1,\n "c":2\n}'),
        ('{\n "a":1\n}', '{\n "a":_\n}', {"a": 1, "c": 2}, '{\n "a":1,\n "c":2\n}'),
        ('{"a" : 1,  "b" : 2}', '{"a" : _,  "b" : _}', {"b": 2}, '{"b" : 2}'),
        ('{"a" : 1,  "b" : 2}', '{"a" : _,  "b" : _}', {}, "{}"),
        (
            '{"a" : 1,  "b" : 2}',
            '{"a" : _,  "b" : _}',
            {"b": 2, "c": {"x": [1]}},
            '{"b" : 2,  "c" : {"x":[1]}}',
        ),
        (
            '{\n  "a" : [ 1, 2, 3 ]\n}',
            '{\n  "a" : [ _ ]\n}',
            {"a": [1, 2, 3, 4], "b": "x"},
            '{\n  "a" : [ 1, 2, 3, 4 ],\n  "b" : "x"\n}',
        ),
        ('{"a" : [1,2,  3]}', '{"a" : [_,_,  _]}', {"a": [4]}, '{"a" : [4]}'),
        ('{"a":1.10}', '{"a":1.10}', {"a": 1.1}, '{"a":1.10}'),
        ('{"a":1.10}', '{"a":1.10}', {"a": 1.2}, '{"a":1.2}'),
        ('{"a":1.0e0}', '{"a":1.0e0}', {"a": 1}, '{"a":1}'),
        ('{"a":1.0e0}', '{"a":1.0e0}', {"a": [1]}, '{"a":[1]}'),
        ('{"a" :{}}', '{"a" :_}', {"a": {"b": 1}}, '{"a" :{"b":1}}'),
        ('{"a" :{ }}', '{"a" :{ }}', {"a": {}}, '{"a" :{ }}'),
        ('{"a" :{ }}', '{"a" :{ }}', {"a": 5}, '{"a" :5}'),
    ],
)
def test_a_template_survives_an_edit(
    data: str, template: str, properties: dict[str, Any], result: str
) -> None:
    made = template_of(data, json.loads(data), Style())
    assert str(made) == template
    assert made.filled(json.loads(data), Style()) == data
    assert made.filled(properties, Style()) == result
    assert json.loads(result) == properties


def test_a_text_shows_properties_and_the_template() -> None:
    data = '{ "b" : 1.10, "a": {"x" :[1, 2, 3]} }'
    assert exported(data, formats.TEXT) == (
        "/n\n  a = {'x': [1, 2, 3]}\n  b = 1.1\n"
        """  = spaced like '{ "b" : 1.10, "a": {"x" :_} }'\n"""
    )
    assert json.loads(exported(data, formats.JSON)) == {
        "/n": json.loads(data),
        "= /n": {"layout": """spaced like '{ "b" : 1.10, "a": {"x" :_} }'"""},
    }


@pytest.mark.parametrize(
    "data",
    [
        '{"a": 1, "a": 1}',
        '{"a": NaN }',
        '{"a" : 1e999}',
        '{"a" :1,"b":"' + "\\u0041" * 1000 + '"}',
        '{"a" :1',
        '{"a" :1}}',
    ],
)
def test_data_that_no_template_fits_are_a_string(data: str) -> None:
    assert json.loads(exported(data, formats.JSON)) == {"/n": data}
    for format in ALL_FORMATS:
        assert imported(exported(data, format), format).data == data


@pytest.mark.parametrize(
    "text",
    [
        "like", "like {}", "like ''", "like '[1]'", "like '{'", "like '{\"a\" 1}'", "like '{a:1}'",
        "like '{\"a\":}'", "like '{\"a\":x}'", "like '{\"a\":_,}'", "like '{} x'", "like '{}' '{}'",
        "like '{\"a\":1,\"a\":2}'", "like '{\"a\":[1 2]}'", "like '{\"a\":+1}'", "like '{_:1}'",
        "indent 2 like '{}'", "newline like '{}'", "like '" + '{"a":' * 300 + "1" + "}" * 300 + "'",
    ],
)  # fmt: skip
def test_a_bad_template_is_an_error_with_its_line(text: str) -> None:
    with pytest.raises(TreeSyntaxError, match="line 2: bad layout: ") as caught:
        parse_tree(f"/n\n  = {text}\n")
    assert caught.value.lineno == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"= /n": {"layout": "json"}}', "marks of a node that is not there yet: '/n'"),
        ('{"/n": {},\n"= /n": {"layout": 1}}', "a layout is a string, not 1"),
        ('{"/n": {},\n"= /n": {"layout": "x"}}', "bad layout: unknown word 'x'"),
        ('{"/n": "x",\n"= /n": {"layout": "json"}}', "a layout is of an object"),
        ('{"/n": {},"= /n": {"layout": "json"},\n"= /n": {}}', "duplicate marks of '/n'"),
    ],
)
def test_members_about_nodes_are_checked(text: str, reason: str) -> None:
    with pytest.raises(TreeSyntaxError) as caught:
        formats.parse(text, formats.JSON)
    assert caught.value.reason.startswith(reason)
    assert caught.value.lineno == 1 + text.count("\n")


blanks = st.text(" \t\n\r", max_size=3)
scalars = st.sampled_from(
    [
        "1",
        "1.10",
        "-0",
        "1E5",
        "true",
        "null",
        '"x"',
        '"\\u0041"',
        '"\\/é"',
        '""',
        "12345678901234567890",
    ]
)


def containers(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    items = st.lists(st.tuples(blanks, values, blanks).map("".join), max_size=4).map(",".join)
    empty = blanks.map(lambda blank: f"[{blank}]")
    return items.map(lambda text: f"[{text}]") | empty | objects(values)


def objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    keys = st.sampled_from(['"a"', '"b"', '"c"', '"\\u0064"', '"é"', '"a ->"'])
    members = st.lists(
        st.tuples(blanks, keys, blanks, st.just(":"), blanks, values, blanks),
        max_size=4,
        unique_by=lambda member: member[1],
    )
    return members.map(lambda parts: "{" + ",".join(map("".join, parts)) + "}")


foreign = st.tuples(blanks, objects(st.recursive(scalars, containers, max_leaves=8)), blanks)


@settings(deadline=None, max_examples=400)
@given(foreign.map("".join))
def test_any_json_object_is_an_object_and_comes_back(data: str) -> None:
    assume(codec.is_in_braces(data))
    properties = codec.decode_strictly(data)
    layout = layout_of(data, properties)
    assert codec.as_read(properties) == data or layout is not None or len(data) > 450
    for format in ALL_FORMATS:
        node = imported(exported(data, format), format)
        assert node.data == data
        assert node.properties == properties


@settings(deadline=None, max_examples=300)
@given(foreign.map("".join), strategies.properties)
def test_any_edit_of_any_object_is_what_it_says(data: str, properties: dict[str, Any]) -> None:
    assume(codec.is_in_braces(data))
    properties = json.loads(json.dumps(properties))
    assume("Infinity" not in json.dumps(properties) and "NaN" not in json.dumps(properties))
    layout = layout_of(data, codec.decode_strictly(data))
    if layout is not None:
        assert codec.to_json(json.loads(layout.encode(properties))) == codec.to_json(properties)
        assert read_layout(str(layout)) == layout


def test_marks_and_a_layout_share_a_member() -> None:
    text = "/n\n  a = 1\n  = spaced\n  = acl world:anyone:r\n"
    members = json.loads("".join(formats.render(parse_tree(text), formats.JSON)))
    assert members["= /n"] == {"layout": "spaced", "acl": ["world:anyone:r"]}
    for format in ALL_FORMATS:
        again = "".join(formats.render(parse_tree(text), format))
        node = imported(again, format)
        assert node.data == '{"a": 1}'
        assert node.marks == parse_tree(text).children["n"].marks


def test_a_large_regular_object_has_a_short_layout() -> None:
    servers = [{"host": f"10.0.0.{number}", "port": 80} for number in range(5000)]
    data = json.dumps({"servers": servers, "b": 1}, indent=2) + "\n"
    assert str(layout_of(data, json.loads(data))) == "indent 2 newline order servers, b"
    data = '{ "servers": ' + json.dumps(servers, separators=(",", ":")) + "}"
    template = str(layout_of(data, json.loads(data)))
    assert len(template) < 100


def test_plain_nodes_have_nothing_told_of_them() -> None:
    text = "".join(render([(0, "n", '{"a":1}'), (0, "m", "")]))
    assert text == "/n\n  a = 1\n/m\n"
    assert read_template('{"a":_}').filled({"a": [1]}, Style()) == '{"a":[1]}'
