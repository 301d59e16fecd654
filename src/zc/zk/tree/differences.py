"""The words for what changes in a node's data, a line each; large values by what differs in them.

    /n threads change from 3 to 4
    /n motd change at line 1041 of 5000
    /n motd   the line above
    /n motd - the quick brown fox
    /n motd + the quick red fox
    /n motd   the line below
    /n config['servers'][3] change from {'port': 80} to {'port': 81}

A value is large when its literal is longer than `MAX_LITERAL`. No line is much longer than that,
and no value has more than `MAX_LINES` of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice, zip_longest
from typing import Any

from zc.zk import codec
from zc.zk.links import LINK, PROPERTY_LINK

# Characters of a literal that is written whole, as earlier releases wrote all.
MAX_LITERAL = 400
# Characters that are written of a longer one, or of a longer line.
MAX_EXCERPT = 120
# Lines that are written about the changes in one value.
MAX_LINES = 30
# Lines that are as they were, above and below each that is not.
CONTEXT = 1
# With more lines to compare with more others, they count as replaced.
MAX_COMPARISONS = 1_000_000


def property_changes(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return the lines about all differences: removals and changes by name, then additions."""
    lines: list[str] = []
    for key in sorted(old):
        if key not in new:
            lines.append(f"{path} remove {_described(key, old[key])}")
        elif codec.to_json(old[key]) != codec.to_json(new[key]):
            lines += [f"{path} {line}" for line in _change(_cut(key), old[key], new[key])]
    lines += [f"{path} add {_described(key, new[key])}" for key in sorted(new) if key not in old]
    return lines


def value_change(name: str, old: object, new: object) -> list[str]:
    """Return the lines about a value of this name that becomes another one."""
    if _is_short(old) and _is_short(new):
        return [f"{name} change from {old!r} to {new!r}"]
    lines = list(islice(_within(name, old, new), MAX_LINES + 1))
    if len(lines) > MAX_LINES:
        lines[-1] = f"{name} ... and more changes"
    return lines


def shown(value: object) -> str:
    """Return a value's literal, or the beginning of one that is large."""
    literal = repr(value)
    if len(literal) <= MAX_LITERAL:
        return literal
    if isinstance(value, str):
        return f"{value[:MAX_EXCERPT]!r}... ({len(value)} characters)"
    return f"{literal[:MAX_EXCERPT]}... ({len(literal)} characters)"


def _is_short(value: object) -> bool:
    return not (isinstance(value, str) and len(value) > MAX_LITERAL) and (
        len(repr(value)) <= MAX_LITERAL
    )


def _described(key: str, value: object) -> str:
    for suffix in (LINK, PROPERTY_LINK):
        if key.endswith(suffix) and isinstance(value, str):
            return f"link {_cut(key)} {_cut(value)}"
    return f"property {_cut(key)} = {shown(value)}"


def _change(key: str, old: object, new: object) -> list[str]:
    for suffix in (LINK, PROPERTY_LINK):
        if key.endswith(suffix) and isinstance(old, str) and isinstance(new, str):
            return [f"{key.removesuffix(suffix)} link change from {_cut(old)} to {_cut(new)}"]
    return value_change(key, old, new)


def _within(name: str, old: object, new: object) -> Iterator[str]:
    """Yield the lines about the differences of two values, one of which is large."""
    if isinstance(old, str) and isinstance(new, str):
        yield from _text_change(name, old, new)
    elif isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from _part_change(f"{name}[{shown(key)}]", old, new, key, key)
    elif isinstance(old, list) and isinstance(new, list):
        texts = (list(map(codec.to_json, items)) for items in (old, new))
        for removed, added in _changed_lines(*texts):
            for before, after in zip_longest(removed, added):
                place = after if before is None else before
                yield from _part_change(f"{name}[{place}]", old, new, before, after)
    else:
        yield f"{name} change from {shown(old)} to {shown(new)}"


def _part_change(name: str, old: Any, new: Any, before: Any, after: Any) -> Iterator[str]:
    """Yield the lines about a part of dictionaries, or of lists, that may be in one of them."""
    in_old = before in old if isinstance(old, dict) else before is not None
    in_new = after in new if isinstance(new, dict) else after is not None
    if not in_old:
        yield f"add {name} = {shown(new[after])}"
    elif not in_new:
        yield f"remove {name} = {shown(old[before])}"
    elif codec.to_json(old[before]) != codec.to_json(new[after]):
        one, other = old[before], new[after]
        if _is_short(one) and _is_short(other):
            yield f"{name} change from {one!r} to {other!r}"
        else:
            yield from _within(name, one, other)


def _text_change(name: str, old: str, new: str) -> Iterator[str]:
    """Yield the lines that differ, with those around them, and where they are."""
    before, after = old.split("\n"), new.split("\n")
    count = len(before) - (before[-1] == "")
    for removed, added in _changed_lines(before, after):
        above, below = removed.start, removed.stop
        where = f"line {above + 1} of {count}"
        # Where lines differ, if each took another one's place.
        places = [0] * len(removed)
        if len(removed) == len(added):
            pairs = zip(removed, added, strict=True)
            places = [_common(before[one], after[other])[0] for one, other in pairs]
            if len(before[above]) > MAX_LITERAL:
                where += f", character {places[0] + 1}"
        else:
            places += [0] * len(added)
        yield f"{name} change at {where}"
        for line in before[max(0, above - CONTEXT) : above]:
            yield f"{name}   {_cut(line)}"
        for line, place in zip(before[above:below], places, strict=False):
            yield f"{name} - {_cut(line, place)}"
        for line, place in zip(after[added.start : added.stop], places, strict=False):
            yield f"{name} + {_cut(line, place)}"
        for line in before[below : below + CONTEXT]:
            yield f"{name}   {_cut(line)}"


def _changed_lines(before: list[str], after: list[str]) -> Iterator[tuple[range, range]]:
    """Yield the lines that are not in both: numbers of old ones, and of new ones for these."""
    from difflib import SequenceMatcher  # commands start quickly without it

    begin, end = _common(before, after)
    old, new = before[begin : len(before) - end], after[begin : len(after) - end]
    if len(old) * len(new) > MAX_COMPARISONS:
        yield range(begin, begin + len(old)), range(begin, begin + len(new))
        return
    found = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for kind, start, stop, new_start, new_stop in found:
        if kind != "equal":
            yield range(begin + start, begin + stop), range(begin + new_start, begin + new_stop)


def _common(old: list[str] | str, new: list[str] | str) -> tuple[int, int]:
    """Count the equal items, or characters, at the beginning, and behind these at the end."""
    shorter = min(len(old), len(new))
    begin = _count_equal(old, new, shorter)
    end = _count_equal(old[::-1], new[::-1], shorter - begin)
    return begin, end


def _count_equal(old: list[str] | str, new: list[str] | str, limit: int) -> int:
    """Count the equal items at the beginning, by halves: most are equal, and slices are quick."""
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        if old[low:middle] == new[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _cut(line: str, place: int = 0) -> str:
    """Return a line, of a long one what is around the character at `place`."""
    if len(line) <= MAX_LITERAL:
        return line
    start = max(0, min(place - MAX_EXCERPT // 3, len(line) - MAX_EXCERPT))
    end = start + MAX_EXCERPT
    return f"{'...' if start else ''}{line[start:end]}{'...' if end < len(line) else ''}"
