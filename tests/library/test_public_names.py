"""The library's public names: whoever changes them changes this, and knows it."""

import zc.zk

NAMES = """
    BadPropertyLink CancelWatch Children FailedConnect LinkLoop OPEN_ACL_UNSAFE ParseNode Properties
    READ_ACL_UNSAFE RegisteringServer Registration ZK ZooKeeper parse_addr parse_tree
    world_permission
"""


def test_the_public_names() -> None:
    assert sorted(zc.zk.__all__) == sorted(NAMES.split())
    assert all(hasattr(zc.zk, name) for name in zc.zk.__all__)
