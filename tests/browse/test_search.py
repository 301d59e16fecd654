"""The page marks what is found where it is written."""

from __future__ import annotations

import pytest

from tests.browse.javascript import needs_node, run


@needs_node
@pytest.mark.parametrize(
    ("line", "text", "parts"),
    [
        ("/shop", "SHOP", ["/", "shop", ""]),
        ("/shop", "none", ["/shop", "", ""]),
        ("/İİ/bun", "n", ["/İİ/bu", "n", ""]),
        ("/İİ/bun/x", "bun", ["/İİ/", "bun", "/x"]),
        ("/İstanbul", "i̇s", ["/", "İs", "tanbul"]),
        ("/İstanbul", "i", ["/", "İ", "stanbul"]),
        ("/İİ/\U0001f600x", "\U0001f600", ["/İİ/", "\U0001f600", "x"]),
    ],
)
def test_a_match_is_marked_though_small_letters_may_be_more(line, text, parts):
    assert run("search: splitAround", "return splitAround(...given);", [line, text]) == parts
