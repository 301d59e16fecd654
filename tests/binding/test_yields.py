"""Operations are written down beside the servers' work, and do not keep the servers waiting."""

from __future__ import annotations

import pytest

from tests.binding import subprocesses
from tests.binding.preloads import library_of, with_library

COUNT = 6400
OFFERS = 100

pytestmark = pytest.mark.not_emulated("it has no thread of its own to wait for")

library = library_of("yields.c")


@pytest.fixture
def run(zookeeper, connection_string, root, library):
    def written(milliseconds):
        seen = subprocesses.run(
            "yields", connection_string + root, str(library), str(milliseconds), str(COUNT),
            within=with_library(library),
        )  # fmt: skip
        assert (seen["data"], seen["results"]) == (str(COUNT - 1), COUNT)
        return seen["offers"]

    return written


def test_the_processor_is_offered_to_the_servers_meanwhile(run):
    assert OFFERS // 4 < run(0) <= OFFERS


def test_the_processor_is_not_offered_again_before_as_much_is_done(run):
    """Else a machine that is busy had all the time, and the caller none."""
    assert 1 <= run(200) <= OFFERS // 4
