"""Follow links: `zk.resolve` through symbolic links, and property links.

There are up to twenty of them; each component of a path is a link to the next one. No rival has
links; the comparison is with the time of so many single reads as following them takes.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial

from harness.cases import Case, Competitor, expect
from harness.command import main
from harness.service import Service, connected_library
from harness.shapes import Node

ROOT = "/benchmark-links"
LINKS = (0, 1, 2, 5, 10, 20)
CALLS = 200


def cases(service: Service, options: argparse.Namespace) -> Iterator[Case]:
    numbers = range(1, max(LINKS) + 1)
    nodes = [
        Node("", {f"link-{number} ->": target("link", number) for number in numbers}),
        Node("/real", {"color": "red"}),
        *(
            Node(f"/property-{number}", {"color =>": target("property", number)})
            for number in numbers
        ),
    ]
    with service.tree(ROOT, nodes), connected_library(service.hosts) as zk:

        def competitor(name: str, call: Callable[..., object], *arguments: object) -> Competitor:
            return Competitor(name, partial(median, partial(call, *arguments)))

        def color(path: str, watch: bool) -> object:
            return zk.properties(path, watch)["color"]

        for links in LINKS:
            path = f"{ROOT}/link-{links}" if links else f"{ROOT}/real"
            expect(zk.resolve(path), f"{ROOT}/real", "where it leads")
            yield Case(
                f"resolve a path through {links} links",
                "microseconds, median",
                [
                    competitor("zk.resolve", zk.resolve, path),
                    competitor("zk.exists", zk.exists, f"{ROOT}/real"),
                ],
                [],
                {"kind": "path", "links": links},
            )
        for links in LINKS:
            path = f"{ROOT}/property-{links}" if links else f"{ROOT}/real"
            expect(color(path, False), "red", "the property")
            yield Case(
                f"an object for properties, one of them through {links} links",
                "microseconds, median",
                [
                    competitor("zk.properties, watched", color, path, True),
                    competitor("zk.properties, unwatched", color, path, False),
                ],
                [],
                {"kind": "property", "links": links},
            )


def target(kind: str, number: int) -> str:
    """Return where the link with this number leads: to the one before.

    The first one leads to a real node.
    """
    return f"{ROOT}/{kind}-{number - 1}" if number > 1 else f"{ROOT}/real"


def median(call: Callable[[], object]) -> float:
    """Return the median of a call in microseconds."""
    microseconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        call()
        microseconds.append((time.perf_counter() - start) * 1e6)
    return statistics.median(microseconds)


if __name__ == "__main__":
    main(cases, __doc__, rounds=3)
