"""A large plan in a few lines: how many changes of which kind, and where most of them are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from zc.zk.errors import printable
from zc.zk.naturalorder import natural_key
from zc.zk.tree.changes import Change, DeleteNode

# Subtrees that are named.
MAX_SUBTREES = 10


def summary(changes: Sequence[Change]) -> Iterator[str]:
    """Yield lines about the kinds of changes, and the subtrees with the most of them."""
    for kind, count in _ordered(Counter(map(type, changes))):
        yield f"{count:>9,} {'node' if count == 1 else 'nodes'} to {kind.purpose}"
    tops = _subtrees(changes)
    named = sorted(tops, key=lambda top: (-tops[top].total(), natural_key(top)))[:MAX_SUBTREES]
    for top in named:
        parts = (f"{count:,} to {kind.purpose}" for kind, count in _ordered(tops[top]))
        yield printable(f"{tops[top].total():>9,} at and below {top}: {', '.join(parts)}")
    if (more := len(tops) - len(named)) > 0:
        count = sum(tops[top].total() for top in tops.keys() - set(named))
        yield f"{count:>9,} at and below {more:,} more"


def _ordered(counts: Counter[type[Change]]) -> list[tuple[type[Change], int]]:
    """Return kinds and counts: deletions, other changes, what is left alone."""
    return sorted(
        counts.items(),
        key=lambda pair: (pair[0] is not DeleteNode, not pair[0].writes, pair[0].purpose),
    )


def _subtrees(changes: Sequence[Change]) -> dict[str, Counter[type[Change]]]:
    """Count the changes by subtree, each as high up as leaves more than one of them."""
    start = _depth_of_common(changes)
    tops = _at_depth(changes, start)
    # Where each child of one node is a subtree, that node is what there is to say.
    return tops if len(tops) <= len(changes) // 2 or start == 1 else _at_depth(changes, start - 1)


def _at_depth(changes: Sequence[Change], depth: int) -> dict[str, Counter[type[Change]]]:
    tops: dict[str, Counter[type[Change]]] = {}
    for change in changes:
        names = change.path.split("/")
        top = "/".join(names[: depth + 1]) or "/"
        tops.setdefault(top, Counter())[type(change)] += 1
    return tops


def _depth_of_common(changes: Sequence[Change]) -> int:
    """Return the depth at which the paths of changes part, at least 1."""
    common: list[str] | None = None
    for change in changes:
        names = change.path.split("/")
        if common is None:
            common = names
        elif names[: len(common)] != common:
            while names[: len(common)] != common:
                common.pop()
    return max(1, len(common or ()))
