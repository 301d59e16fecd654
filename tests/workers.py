"""How the tests are shared out among the processes of pytest-xdist.

A process gets the tests of a class, or of a module outside of its classes, as one piece, so that
what they share is made once; and of those that run on several targets only the ones for one of
them, so that it need not go from server to server all the time.
"""

from __future__ import annotations

import re

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TARGETS = {"real", "wire", "emulation"}


def piece(nodeid: str) -> str:
    """The name of the piece that a test belongs to, given pytest's name for the test."""
    test, _, parameters = nodeid.partition("[")
    place, _, _ = test.rpartition("::")
    return " ".join([place, *sorted(TARGETS.intersection(re.split(r"[\]-]", parameters)))])


class Scheduling(LoadScopeScheduling):
    """Deals out the pieces, in the order of the tests."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        # The default is to begin with the largest number of tests, which says little of the time.
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)
