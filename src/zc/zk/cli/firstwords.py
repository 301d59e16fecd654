"""The words that many commands begin with: what is to be done, and the path of a node."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from zc.zk.cli.arguments import node_path
from zc.zk.cli.failures import Misuse


def take_verb(options: Namespace, verbs: Sequence[str]) -> str:
    """Take the first word away, which is one of the verbs. Raises Misuse."""
    verb: str = options.words.pop(0) if options.words else ""
    if verb not in verbs:
        raise Misuse(f"what is to be done? One of {', '.join(verbs)} comes first: {verb!r}")
    return verb


def first_path(words: Sequence[str]) -> str:
    """Return the path that comes first behind the connection. Raises Misuse if there is none."""
    require_path(words)
    return node_path(words[0])


def require_path(words: Sequence[str]) -> None:
    """Raise Misuse if there is no word that could be a path."""
    if not words:
        raise Misuse("which node? PATH is missing; --help tells more")
