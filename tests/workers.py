"""The sharing of tests among the processes of pytest-xdist.

A process gets the tests of a class, or of a module outside of its classes, as one piece, so that
their fixtures are made once. Of the tests that run on several targets a piece has those of one
target, so that a process need not go from server to server all the time.
"""

from __future__ import annotations

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TARGETS = {"real", "tls", "wire", "emulation"}


def piece(nodeid: str) -> str:
    """Return the name of the piece of a test, given pytest's name for the test."""
    test, _, parameters = nodeid.partition("[")
    place, _, _ = test.rpartition("::")
    return " ".join([place, *sorted(TARGETS.intersection(re.split(r"[\]-]", parameters)))])


class Scheduling(LoadScopeScheduling):
    """Deals out the pieces, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The default begins with the largest number of tests, which says little of the time.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)
