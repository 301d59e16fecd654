"""Compare the beliefs of clients with the contents of the servers.

The module shares no code with the library: links are followed here once more, in the plainest way.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.beliefs import BROKEN, Belief, Live, Registration
from tests.faults.truth import Node, Truth

MOST_LINKS = 20


class Loss(str, enum.Enum):
    """The kinds of findings, by the name that it has in reports."""

    LOST = "lost registrations"
    WRONG_OWNER = "wrong-owner registrations"
    UNWANTED = "registrations of nobody"
    OUTDATED = "outdated registrations"
    STALE = "stale objects"
    UNTOLD = "callbacks not told"
    HUNG = "hung calls"
    CRASH = "crashes"
    ERROR = "errors"
    LEAK = "leaks"

    def __str__(self) -> str:
        return self.value


FindingKey = tuple[Loss, str, str]


@dataclass(frozen=True)
class Finding:
    """A fault of a client, its subject (a path, for instance), and its text.

    `seconds` is when it was right after all; None if it stayed so.
    """

    loss: Loss
    client: str
    subject: str
    text: str = ""
    seconds: float | None = None

    @property
    def key(self) -> FindingKey:
        """Return the part that findings of the same in other comparisons share."""
        return self.loss, self.client, self.subject

    def __str__(self) -> str:
        parts = [str(self.loss), self.client, self.subject]
        parts += [self.text] if self.text else []
        parts += [] if self.seconds is None else [f"right after {self.seconds:.1f} s"]
        return ": ".join(parts)


Beliefs = Mapping[str, Belief]


def compare(truths: Sequence[Truth], beliefs: Beliefs) -> list[Finding]:
    """Find the faults of registrations and live objects on every server.

    `truths` are the contents of the servers of an ensemble, one by one. They ought to be equal, and
    with ZooKeeper 3.8.0 they are not always: after it was killed or paused, a server may keep an
    ephemeral node that the others have deleted (ZOOKEEPER-4541). No client can make up for that;
    each of them sees what its server has.
    """
    found = [_compare_with(truth, beliefs) for truth in truths]
    everywhere = set.intersection(*[{finding.key for finding in each} for each in found])
    return [finding for finding in found[0] if finding.key in everywhere]


def _compare_with(truth: Truth, beliefs: Beliefs) -> list[Finding]:
    found = [*_registrations(truth, beliefs), *_unwanted(truth, beliefs)]
    for client, belief in beliefs.items():
        for live in belief["live"]:
            found += _live(truth, client, live)
    return found


def held_by_former_sessions(truths: Sequence[Truth], beliefs: Beliefs) -> list[str]:
    """Return the paths of ephemeral nodes whose sessions nobody has any more.

    They are about to go.
    """
    sessions = {belief["session"] for belief in beliefs.values()}
    return [
        path
        for truth in truths
        for path, node in truth.items()
        if node.owner and node.owner not in sessions
    ]


# Registrations


def _registrations(truth: Truth, beliefs: Beliefs) -> Iterator[Finding]:
    claims: dict[str, dict[str, Registration]] = {}
    for client, belief in beliefs.items():
        for registration in belief["registrations"]:
            claims.setdefault(registration["path"], {})[client] = registration
    for path, claimants in claims.items():
        node = truth.get(path)
        sessions = {beliefs[client]["session"]: client for client in claimants}
        everybody = ", ".join(claimants)
        if node is None:
            yield Finding(Loss.LOST, everybody, path)
            continue
        owner = sessions.get(node.owner)
        if owner is None:
            yield Finding(Loss.WRONG_OWNER, everybody, path, f"session {node.owner:#x} has it")
        for client, registration in claimants.items():
            if client == owner:
                yield from _owned(path, client, registration, node)
            elif registration["registered"] and owner is not None:
                text = f"is registered, it says, but it is {owner} that is"
                yield Finding(Loss.WRONG_OWNER, client, path, text)


def _owned(path: str, client: str, registration: Registration, node: Node) -> Iterator[Finding]:
    if not registration["registered"]:
        yield Finding(Loss.OUTDATED, client, path, "is not registered, it says, and owns it")
    if node.properties() != registration["properties"]:
        text = f"{node.properties()} instead of {registration['properties']}"
        yield Finding(Loss.OUTDATED, client, path, text)
    if node.acl != registration["acl"]:
        text = f"ACL {node.acl} instead of {registration['acl']}"
        yield Finding(Loss.OUTDATED, client, path, text)


def _unwanted(truth: Truth, beliefs: Beliefs) -> Iterator[Finding]:
    known: set[str] = set()
    for belief in beliefs.values():
        known.update(registration["path"] for registration in belief["registrations"])
        known.update(belief["unknown"])
    names = {belief["session"]: client for client, belief in beliefs.items()}
    for path, node in truth.items():
        if node.owner and path not in known:
            owner = names.get(node.owner, f"session {node.owner:#x}, which is over")
            yield Finding(Loss.UNWANTED, owner, path)


# Live objects


def _live(truth: Truth, client: str, live: Live) -> Iterator[Finding]:
    expected = _expected(truth, live["kind"], live["path"])
    what = f"{live['kind']} of {live['path']}"
    if live["value"] != expected:
        yield Finding(Loss.STALE, client, what, _difference(live["value"], expected))
    elif not live["silent"] and live["told"] != expected:
        yield Finding(Loss.UNTOLD, client, what, _difference(live["told"], expected))


def _difference(value: Any, expected: Any) -> str:
    """Return the difference between two values, in short."""
    if isinstance(value, list) and isinstance(expected, list):
        extra, missing = sorted(set(value) - set(expected)), sorted(set(expected) - set(value))
        return f"{extra or 'nothing'} too much, {missing or 'nothing'} missing"
    if isinstance(value, dict) and isinstance(expected, dict):
        differ = [key for key in value.keys() | expected if value.get(key) != expected.get(key)]
        pairs = [f"{key}: {value.get(key)} not {expected.get(key)}" for key in sorted(differ)[:5]]
        return f"{len(differ)} differ, {'; '.join(pairs)}"
    return f"{value} instead of {expected}"


def _expected(truth: Truth, kind: str, path: str) -> Any:
    real_path = _resolve(truth, path)
    if real_path is None:
        return None
    node = truth[real_path]
    if kind == "children":
        return node.children
    if kind == "providers":
        # A node that went while all was read is no longer among these, and the next look is right.
        registered = {name: truth.get(f"{real_path}/{name}") for name in node.children}
        return {name: each.properties() for name, each in registered.items() if each}
    if kind == "tree":
        below = real_path.rstrip("/") + "/"
        return {
            path: [node.data, node.owner]
            for path, node in truth.items()
            if path == real_path or path.startswith(below)
        }
    if kind == "data":
        return node.properties()
    return {
        name: _property(truth, real_path, name)
        for name in (key.removesuffix(" =>") for key in node.properties())
    }


def _resolve(truth: Truth, path: str, links: int = 0) -> str | None:
    """Return the path of the node that a path with links leads to, or None."""
    real_path = "/"
    for name in path.split("/")[1:] if path != "/" else ():
        node = truth[real_path]
        if name in node.children:
            real_path = f"{real_path.rstrip('/')}/{name}"
        else:
            target = node.properties().get(f"{name} ->")
            followed = target and links < MOST_LINKS and _resolve(truth, target, links + 1)
            if not followed:
                return None
            real_path = followed
        if real_path not in truth:
            return None
    return real_path


def _property(truth: Truth, path: str, name: str, links: int = 0) -> Any:
    """Return a property, or the value that the property link of the name has."""
    properties = truth[path].properties()
    if name in properties:
        return properties[name]
    target, _, other_name = properties.get(f"{name} =>", "").partition(" ")
    real_path = target and links < MOST_LINKS and _resolve(truth, target, links)
    if not real_path:
        return BROKEN
    return _property(truth, real_path, other_name or name, links + 1)
