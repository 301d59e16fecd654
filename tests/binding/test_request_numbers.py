"""The numbers of requests, which are the whole process's, once very many have been made."""

from __future__ import annotations

import pytest

from tests.binding import subprocesses
from tests.binding.preloads import library_of, with_library

pytestmark = pytest.mark.not_emulated("its requests have no numbers")


clock = library_of("clock.c")


@pytest.mark.parametrize("first", [2**31 - 20, 2**32 - 20], ids=["31 bits", "32 bits"])
def test_calls_are_answered_when_the_numbers_begin_again(
    zookeeper, connection_string, root, clock, first
):
    seen = subprocesses.run(
        "request_numbers", connection_string + root, "40",
        within=with_library(clock, f"CLOCK_SECONDS={first}"),
    )  # fmt: skip
    assert seen == {"answered": 40, "failed": []}
