"""Quotas as servers keep them, as nodes below /zookeeper/quota, and what to change of these.

The quota of `/a` is the node `/zookeeper/quota/a/zookeeper_limits`, and what is used of it stands
in `zookeeper_stats` beside it, which servers write. Both are text, `count=5,bytes=-1`, where -1 is
no limit. Hard limits, of version 3.7, stand behind a blank field, which older servers stop at:
`count=5,bytes=-1=;byteHardLimit=1000;countHardLimit=10`. A server looks at the nearest quota above
a node only, and so none may be below another one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from zc.zk.links import join
from zc.zk.patterns import pattern

if TYPE_CHECKING:
    from zookeeper.types import Acl, Operation

QUOTAS = "/zookeeper/quota"
LIMITS = "zookeeper_limits"
STATS = "zookeeper_stats"

# The limits by the names that people use, and as servers write them.
NAMES = {
    "count": "count",
    "bytes": "bytes",
    "hard-count": "countHardLimit",
    "hard-bytes": "byteHardLimit",
}

NONE = -1
MAX_LIMIT = (1 << 63) - 1

_NUMBER = pattern(r"-?[0-9]{1,19}")


class Overlapping(ValueError):
    """There is a quota above or below the path, beside which there may be none."""


def read_numbers(text: str | None) -> dict[str, int]:
    """Return the numbers of limits or stats by people's names; those that are none are left out."""
    by_field = {field: name for name, field in NAMES.items()}
    found: dict[str, int] = {}
    for part in re.split("[,;]+", text or ""):
        field, _, rest = part.partition("=")
        number = rest.rstrip("=")
        if field in by_field and _NUMBER.fullmatch(number) and int(number) >= 0:
            found[by_field[field]] = int(number)
    return found


def write_limits(limits: Mapping[str, int]) -> str:
    """Write limits as Java's tools do."""
    text = f"count={limits.get('count', NONE)},bytes={limits.get('bytes', NONE)}"
    hard = {NAMES[name]: limits[name] for name in ("hard-bytes", "hard-count") if name in limits}
    return (
        "=".join([text, "".join(f";{field}={hard[field]}" for field in sorted(hard))])
        if hard
        else text
    )


def limits_node(path: str) -> str:
    """Return the path of the node with the limits of `path`."""
    return f"{QUOTAS}{path}/{LIMITS}"


def stats_node(path: str) -> str:
    """Return the path of the node that tells what of them is used."""
    return f"{QUOTAS}{path}/{STATS}"


def limited_paths(nodes: Collection[str]) -> list[str]:
    """Return the paths that have quotas, from the paths of the nodes below QUOTAS."""
    end = f"/{LIMITS}"
    return [node[len(QUOTAS) : -len(end)] for node in nodes if node.endswith(end)]


def check_alone(path: str, limited: Collection[str]) -> None:
    """Raise Overlapping if there is a quota above or below `path`."""
    for other in limited:
        if other != path and (path.startswith(f"{other}/") or other.startswith(f"{path}/")):
            raise Overlapping(
                f"{other} has a quota, and servers look at one of them only: delete that first"
            )


def setting(
    path: str, limits: Mapping[str, int], nodes: Mapping[str, int], acl: Acl
) -> list[Operation]:
    """Return the operations that give `path` these limits.

    `nodes` are the nodes below QUOTAS, itself included, and their versions.
    """
    text = write_limits(limits)
    if (version := nodes.get(limits_node(path))) is not None:
        return [("set", limits_node(path), text, version)]
    steps: list[Operation] = []
    above = QUOTAS
    for name in ["", *path.split("/")[1:]]:
        above = join(above, name) if name else above
        if above not in nodes:
            steps.append(("create", above, "", acl, 0))
    steps.append(("create", limits_node(path), text, acl, 0))
    if stats_node(path) in nodes:
        # Of a quota that was deleted half: a server counts when it is made.
        steps.insert(0, ("delete", stats_node(path), -1))
    steps.append(("create", stats_node(path), "count=0,bytes=0", acl, 0))
    return steps


def removal(path: str, nodes: Mapping[str, int]) -> list[Operation]:
    """Return the operations that take the quota of `path` away, and what is blank above it."""
    steps: list[Operation] = []
    left = set(nodes)
    for node, version in (
        (stats_node(path), -1),
        (limits_node(path), nodes.get(limits_node(path))),
    ):
        if node in left:
            steps.append(("delete", node, -1 if version is None else version))
            left.discard(node)
    above = f"{QUOTAS}{path}"
    while above != QUOTAS and above in left:
        if any(node.startswith(f"{above}/") for node in left):
            break
        steps.append(("delete", above, -1))
        left.discard(above)
        above = above.rpartition("/")[0]
    return steps
