"""JSON as Python's own module reads and writes it, in less time.

`zc.zk.codec` imports it where there is JSON that the extension does not read or write by itself: to
import `json` takes as long as ten modules of ours, and most commands need none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

_COMPACT = json.JSONEncoder(separators=(",", ":"), sort_keys=True)
# The function that `raw_decode` of a decoder calls.
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


def read(text: str) -> Any:
    """Return the value that JSON text stands for. Raises ValueError and RecursionError."""
    # Twice as fast as `json.loads`, which says what is wrong.
    try:
        value, end = _scan(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def numbers_beyond_json(text: str) -> list[str]:
    """Return the NaN and infinities in JSON text. Raises ValueError and RecursionError."""
    numbers: list[str] = []
    json.loads(text, parse_constant=numbers.append)
    return numbers


def _fast_compact() -> Callable[[Any], str] | None:
    """Make an equivalent of `_COMPACT.encode` that keeps its encoder in C.

    `_COMPACT` makes that encoder anew in each call. It is not documented: return None if there is
    no such encoder, or a different one.
    """
    try:
        pieces = json.encoder.c_make_encoder(  # type: ignore[attr-defined]
            None, _COMPACT.default, json.encoder.encode_basestring_ascii,
            None, ":", ",", True, False, True,
        )  # fmt: skip
        if "".join(pieces({"b": [1], "a": "é"}, 0)) != '{"a":"\\u00e9","b":[1]}':
            return None
    except (AttributeError, TypeError):
        return None

    def encode(value: Any) -> str:
        try:
            return "".join(pieces(value, 0))
        except RecursionError:
            # The encoder in C does not detect values that hold themselves; the other one tells
            # them from values that are nested too deeply.
            return _COMPACT.encode(value)

    return encode


# Writes a value as compact JSON, sorted by key; raises what `json` does.
write: Callable[[Any], str] = _fast_compact() or _COMPACT.encode
