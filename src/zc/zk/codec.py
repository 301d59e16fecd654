"""The codec between a node's data, text, and properties, a Python mapping.

Data are decoded like this:

- null or blank data: no properties;
- a JSON object: its members;
- anything else, bad JSON in braces included: the one property `string_value`, which is the data.

And properties are encoded like this:

- no properties: the empty string;
- only `string_value`, a string: that string, if UTF-8 can hold it;
- anything else: compact JSON, ASCII, sorted by key.

To encode decoded data may give another text, since JSON can be laid out in several ways. If the
exact data matter, keep the data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zc.zk import _speedups
from zc.zk.errors import excerpt
from zc.zk.imports import importing
from zc.zk.logs import logger

Properties = dict[str, Any]

STRING_VALUE = "string_value"

# Those of `zc.zk.quickjson`, which is imported when one of them is needed.
_read: Callable[[str], Any] | None = None
_write: Callable[[Any], str] | None = None

BEYOND_JSON = "NaN and infinity are no numbers in JSON"

# The deepest nesting of objects and arrays, the outermost object included. The limit of Python's
# JSON reader depends on its version and on the depth of the caller; this one does not, and is low
# enough for the values to be compared and printed.
MAX_NESTING = 200


def decode(
    data: str | None, path: str | None = None, last_good: Properties | None = None
) -> Properties:
    """Decode a node's data into properties.

    Bad JSON in braces is logged, as an error of `path` if that is given, and decoded as the last
    good properties, `last_good`, or else as `string_value`. Raises nothing.
    """
    try:
        return decode_strictly(data)
    except ValueError as fault:
        if last_good is not None:
            logger.error("bad JSON data at %s, keeping the last good: %s", path, fault)
            return dict(last_good)
        logger.error("bad JSON data%s: %s", f" at {path}" if path else "", fault)
        return {STRING_VALUE: data}


def decode_strictly(data: str | None) -> Properties:
    """Decode a node's data into properties, if there is no doubt about them.

    Raises ValueError for data in braces that are no JSON object, or one that Python cannot hold:
    nested deeper than `MAX_NESTING`, or with an integer longer than
    `sys.get_int_max_str_digits()`.
    """
    text = data.strip() if data is not None else ""
    if not text:
        return {}
    if not is_in_braces(text):
        return {STRING_VALUE: data}
    try:
        properties: Properties = (_read or _quick_read())(text)
    except RecursionError:
        raise _nested_too_deeply(text) from None
    except ValueError as fault:
        raise ValueError(f"{fault}: {excerpt(text)}") from None
    if _is_nested_too_deeply(text, properties):
        raise _nested_too_deeply(text)
    return properties


def is_in_braces(data: str | None) -> bool:
    """Say whether data are in braces, as a JSON object is."""
    text = data.strip() if data is not None else ""
    return text.startswith("{") and text.endswith("}")


def encode(properties: Mapping[str, Any]) -> str:
    """Encode `properties` as the data of a node.

    Raises ValueError, with the reason, for values that JSON cannot hold: other types, NaN and the
    infinities, keys that are no strings, or more than `MAX_NESTING` levels.
    """
    text = as_read(properties)
    if "NaN" in text or "Infinity" in text:
        for key, value in properties.items():
            if has_number_beyond_json(to_json(value)):
                raise ValueError(f"property {key!r}: {BEYOND_JSON}")
    return text


def as_read(properties: Mapping[str, Any]) -> str:
    """Encode `properties` of foreign data, which may hold NaN.

    The result is for comparison and display. Unlike that of `encode`, strict JSON readers may
    refuse it.
    """
    if not properties:
        return ""
    if (plain := _speedups.encode(properties)) is not None:
        return plain
    if len(properties) == 1:
        value = properties.get(STRING_VALUE)
        if isinstance(value, str) and is_storable(value):
            return value
    require_names(properties)
    return to_text(properties, _write or _quick_write())


def require_names(properties: Mapping[str, Any]) -> None:
    """Raise ValueError if the name of a property is no string."""
    for key in properties:
        if not isinstance(key, str):
            raise ValueError(f"a property's name must be a string, not {key!r}")


def to_json(value: Any) -> str:
    """Write `value` as compact JSON, sorted by key: equal texts, equal values.

    Unlike `==` between Python values, a comparison of the texts tells True from 1 and 1 from 1.0,
    and NaN equals NaN. Raises ValueError for values that JSON cannot hold.
    """
    return to_text(value, _write or _quick_write())


def to_text(value: Any, encode: Callable[[Any], str]) -> str:
    """Write `value` as JSON by `encode`.

    Raises ValueError for values that JSON cannot hold.
    """
    try:
        text = encode(value)
    except RecursionError:
        raise _nested_too_deeply(None) from None
    except (TypeError, ValueError) as fault:
        raise ValueError(f"JSON cannot hold it: {fault}") from None
    if _is_nested_too_deeply(text, value):
        raise _nested_too_deeply(text)
    return text


def has_number_beyond_json(text: str) -> bool:
    """Say whether JSON text by Python holds NaN or an infinity as a number.

    JSON has no such numbers. The words may also be part of a string.
    """
    if "NaN" not in text and "Infinity" not in text:
        return False
    from zc.zk.quickjson import numbers_beyond_json

    try:
        return bool(numbers_beyond_json(text))
    except (ValueError, RecursionError):
        return False


def is_storable(text: str) -> bool:
    """Say whether `text` can be data: UTF-8 with surrogateescape encodes it."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return False
    return True


def _quick_write() -> Callable[[Any], str]:
    """Return the function that writes JSON, for all calls to come."""
    global _write
    with importing:
        from zc.zk.quickjson import write

    _write = write
    return write


def _quick_read() -> Callable[[str], Any]:
    """Return the function that reads JSON, for all calls to come."""
    global _read
    with importing:
        from zc.zk.quickjson import read

    _read = read
    return read


def _is_nested_too_deeply(text: str, value: Any) -> bool:
    # There are at most as many levels as pairs of brackets, and nearly always few brackets.
    if len(text) < 2 * MAX_NESTING or text.count("[") + text.count("{") <= MAX_NESTING:
        return False
    level = [value]
    for _ in range(MAX_NESTING):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, Mapping) else container)
            if isinstance(item, (Mapping, list, tuple))
        ]
        if not level:
            return False
    return True


def _nested_too_deeply(text: str | None) -> ValueError:
    detail = f": {excerpt(text)}" if text is not None else ""
    return ValueError(f"nested deeper than {MAX_NESTING} levels{detail}")
