"""Lines of nodes that were taken out, and the nodes that were below them."""

from __future__ import annotations

import pytest

from zc.zk.tree.parse import parse_tree
from zc.zk.tree.reparented import reparented

TREE = "/shop\n  /apple\n  /queue\n    /a\n      /deep\n    /b\n      x = 1\n"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (TREE, []),
        (
            TREE.replace("  /queue\n", ""),
            [("/shop/queue/a", "/shop/apple/a"), ("/shop/queue/b", "/shop/apple/b")],
        ),
        # A jump of two steps.
        (
            TREE.replace("  /apple\n", "").replace("  /queue\n", ""),
            [("/shop/queue/a", "/shop/a"), ("/shop/queue/b", "/shop/b")],
        ),
        # Another name is another node.
        (TREE.replace("    /a\n      /deep\n", "  /deeper\n"), []),
        (TREE.replace("/queue", "/renamed"), []),
        (TREE[: TREE.index("  /queue")], []),
        (TREE[: TREE.index("  /queue")] + "  /b\n    x = 2\n", []),
    ],
)
def test_nodes_without_their_parent_are_found_elsewhere(changed, told):
    assert list(reparented(parse_tree(TREE), parse_tree(changed))) == told
