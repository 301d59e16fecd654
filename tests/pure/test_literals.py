"""Values in tree text are Python literals, read without being compiled."""

from __future__ import annotations

import ast
import json
import re
import sys
import warnings

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zc.zk.codec import MAX_NESTING
from zc.zk.tree.literals import read_literal, split_quoted, write_literal

from .strategies import json_values

pytestmark = pytest.mark.quick


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("-5", -5),
        ("- 3", -3),
        ("+3", 3),
        ("0", 0),
        ("1_000", 1000),
        ("0x1F", 31),
        ("1.5e-3", 0.0015),
        ("1e+5", 1e5),
        (".5", 0.5),
        ("1.", 1.0),
        ("'x=1'", "x=1"),
        ("u'x'", "x"),
        ('U"x"', "x"),
        (r"r'\d'", r"\d"),
        (r"'\d'", r"\d"),
        (r"'a\n\x41\u00e9\U0001f600\101\N{BULLET}\'\\'", "a\nAé\U0001f600A•'\\"),
        ("'''it's'''", "it's"),
        ("\"a\" 'b'", "ab"),
        ("True", True),
        ("False", False),
        ("None", None),
        ("[1, 'a', [], ]", [1, "a", []]),
        ("()", []),
        ("(1)", 1),
        ("(1,)", [1]),
        ("1, 2", [1, 2]),
        ("{'a': {'b': (1, 2)}, }", {"a": {"b": [1, 2]}}),
        ("{1: 'x', None: 2, True: 3}", {"1": "x", "null": 2, "true": 3}),
        ("1  # a comment", 1),
        ("-0", 0),
        ("-0.0", -0.0),
        ("[-0, 0.5, 00.5]", [0, 0.5, 0.5]),
        ("{'a':{'b':[]},'a':{}}", {"a": {}}),
        ("['\u2028\x7f\t']", ["\u2028\x7f\t"]),
        ("[True,False]", [True, False]),
        ("'#'", "#"),
        # literals of Python 2 alone
        ("10L", 10),
        ("-10l", -10),
        ("0L", 0),
        ("0777", 0o777),
        ("-0777L", -0o777),
        ("00", 0),
        ("0xfFL", 255),
        ("ur'x'", "x"),
        (r"UR'\d\n'", r"\d\n"),
        (r"ur'\u00e9 \\u00e9 \\\U0001f600'", "é \\\\u00e9 \\\\\U0001f600"),
        ("{'a': [1L, ur'b']}", {"a": [1, "b"]}),
    ],
)
def test_a_literal_reads_as_what_json_will_hold(text: str, value: object) -> None:
    assert read_literal(text) == value
    assert type(read_literal(text)) is type(value)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a value is missing"),
        ("# only a comment", "a value is missing"),
        ("x", "neither a literal nor True, False or None: 'x'"),
        ("true", "neither a literal nor True, False or None: 'true'"),
        ("[true]", "neither a literal nor True, False or None: 'true'"),
        ("[NaN]", "neither a literal nor True, False or None: 'NaN'"),
        ("[08]", "not a number: '08'"),
        ("0777_0", "not a number: '0777_0'"),
        ("1_0L", "not a number: '1_0L'"),
        ("10LL", "not a number: '10LL'"),
        ("1.5L", "not a number: '1.5L'"),
        ("L", "neither a literal"),
        ("ru'x'", "neither a literal"),
        (r"ur'\U99999999'", "no character has the number"),
        ("['a' 'b", "unexpected"),
        ("{'a': 1, }}", "unexpected '}'"),
        ("{'a' 1}", "a comma is missing"),
        ("nan", "neither a literal"),
        ("b'x'", "neither a literal"),
        ("f'{x}'", "neither a literal"),
        ("__import__('os').system('true')", "neither a literal"),
        ("'a' + 'b'", "unexpected \"+ 'b'\""),
        ("1+2j", "not a number: '+2j'"),
        ("--1", "unexpected '--1'"),
        ("089", "not a number: '089'"),
        ("1e999", "the number is too large: '1e999'"),
        ("[1", "'[' is not closed"),
        ("(1]", "unexpected ']'"),
        ("1)", "unexpected ')'"),
        ("[1 2]", "a comma is missing"),
        ("[,]", "unexpected ','"),
        ("{1, 2}", "JSON has no sets"),
        ("{1}", "JSON has no sets"),
        ("{'a': 1: 2}", "unexpected ':'"),
        ("{[]: 1}", "not a key that JSON can hold"),
        ("'abc", 'unexpected "\'abc"'),
        (r"'\x4'", r"an unfinished \x escape"),
        (r"'\U99999999'", "no character has the number"),
        (r"'\N{no such thing}'", "no character is called 'no such thing'"),
    ],
)
def test_anything_else_is_an_error_that_says_why(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        read_literal(text)


@pytest.mark.parametrize("opening", ["[", "(", "{'a':", "[{'a':("])
def test_nesting_is_bounded(opening: str) -> None:
    with pytest.raises(ValueError, match=f"nested deeper than {MAX_NESTING - 1} levels"):
        read_literal(opening * 10_000)


def test_nesting_is_read_up_to_the_bound() -> None:
    depth = MAX_NESTING - 1
    assert json.dumps(read_literal("[" * depth + "]" * depth)) == "[" * depth + "]" * depth
    with pytest.raises(ValueError, match=f"nested deeper than {depth} levels"):
        read_literal("[" * (depth + 1) + "]" * (depth + 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("-" * 100_000 + "1", "unexpected"),
        ("not " * 50_000 + "1", "neither a literal"),
        ("1" + "+1" * 50_000, "a comma is missing"),
        ("[" + "1" * 4000 + "x]", "not a number"),
        ("[" + "1 " * 50_000 + "?]", "a comma is missing"),
        ("['" + "' '" * 50_000 + "]", 'unexpected "\']"'),
    ],
)
def test_long_expressions_are_no_literals(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_literal(text)


@pytest.mark.parametrize("text", ["9" * 5000, "0x" + "f" * 9999, "[-" + "9" * 5000 + "]"])
def test_an_integer_beyond_python_s_limit_is_one_clear_error(text: str) -> None:
    with pytest.raises(ValueError, match="the integer is too large: Exceeds the limit"):
        read_literal(text)


def test_an_integer_at_python_s_limit_is_read() -> None:
    digits = "9" * sys.get_int_max_str_digits()
    assert read_literal(digits) == int(digits)


def test_a_message_does_not_repeat_a_huge_text() -> None:
    with pytest.raises(ValueError, match="unexpected") as caught:
        read_literal("?" * 1_000_000)
    assert len(str(caught.value)) < 300


@settings(deadline=None)
@given(json_values)
def test_a_literal_that_is_written_is_read_back(value: object) -> None:
    text = json.dumps(value)
    if "NaN" in text or "Infinity" in text:
        return
    value = json.loads(text)
    literal = write_literal(value)
    assert "\n" not in literal
    assert json.dumps(read_literal(literal)) == json.dumps(value)


literal_like = st.one_of(
    st.builds(repr, json_values),
    st.builds(ascii, json_values),
    st.text(alphabet="01.-'[]{},: ", max_size=15).map("[{}]".format),
    st.text(alphabet="01.eE+-_xjuUrb'\"\\()[]{},: #TrueNon", max_size=15),
)


@settings(deadline=None, max_examples=500)
@given(literal_like)
@example("'a' 'b'")
@example("''''''")
@example("(('a'))")
def test_a_json_value_that_python_takes_reads_the_same(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            value = ast.literal_eval(text.strip())
            expected = json.dumps(value, allow_nan=False)
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            return
    if isinstance(value, dict) and any(type(key) is not str for key in value):
        return  # JSON tells 1 and True apart as keys, Python does not
    assert json.dumps(read_literal(text.strip())) == expected


def test_a_quoted_string_is_split_from_what_follows() -> None:
    assert split_quoted(r"'it\'s' = 1") == ("it's", " = 1")
    assert split_quoted('"a" "b"') == ("a", ' "b"')


def test_a_quote_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(ValueError, match="a quote is not closed"):
        split_quoted(r"'abc\'")
