"""The platforms that there are wheels for, as plain data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PYTHONS = ["3.10", "3.11", "3.12", "3.13"]


class Target(NamedTuple):
    """A platform: `tag` is what an index and installers call it."""

    tag: str
    # The names that the compiler zig and OpenSSL's Configure have for it.
    triple: str
    openssl: str
    # Its name in those of extensions, by Pythons there. Those with musl do not agree on one,
    # and all of them load a file without one.
    extension: str | None
    # The machine, as Python calls it.
    machine: str


TARGETS = [
    Target(
        "manylinux_2_17_x86_64",
        "x86_64-linux-gnu.2.17",
        "linux-x86_64",
        "x86_64-linux-gnu",
        "x86_64",
    ),
    Target(
        "manylinux_2_17_aarch64",
        "aarch64-linux-gnu.2.17",
        "linux-aarch64",
        "aarch64-linux-gnu",
        "aarch64",
    ),
    Target("musllinux_1_2_x86_64", "x86_64-linux-musl", "linux-x86_64", None, "x86_64"),
    Target("musllinux_1_2_aarch64", "aarch64-linux-musl", "linux-aarch64", None, "aarch64"),
]


def python_tag(python: str) -> str:
    """Return the tag of a CPython, such as cp312 for 3.12."""
    return f"cp{python.replace('.', '')}"


def extension_suffix(target: Target, python: str) -> str:
    """Return how the name of an extension ends, such as .cpython-312-aarch64-linux-gnu.so."""
    if target.extension is None:
        return ".so"
    return f".cpython-{python.replace('.', '')}-{target.extension}.so"


def wheel_name(distribution: str, version: str, python: str, target: Target) -> str:
    """Return the name of the file of a wheel."""
    tag = python_tag(python)
    return f"{distribution}-{version}-{tag}-{tag}-{target.tag}.whl"


def chosen_targets(words: Iterable[str]) -> list[Target]:
    """Return the targets whose tags have one of the words in them; all if there is no word.

    Raise LookupError for a word that no tag has.
    """
    words = list(words)
    for word in words:
        if not any(word in target.tag for target in TARGETS):
            tags = ", ".join(target.tag for target in TARGETS)
            raise LookupError(f"no platform is named {word}; there are {tags}")
    return [target for target in TARGETS if not words or any(word in target.tag for word in words)]
