"""The library's public names: whoever changes them changes this, and knows it."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zc.zk

NAMES = """
    BadPropertyLink CancelWatch Children FailedConnect LinkLoop OPEN_ACL_UNSAFE ParseNode Properties
    READ_ACL_UNSAFE RegisteringServer Registration ZK ZooKeeper parse_addr parse_tree
    world_permission
"""

# What a program that registers, follows and reads single nodes has no use for: work on trees, and
# what is large in the standard library.
NOT_FOR_A_PLAIN_CLIENT = """
    zc.zk.bulk zc.zk.exporting zc.zk.formats zc.zk.graphvis zc.zk.monitor zc.zk.scripts
    zc.zk.testing zc.zk.tree zc.zk.treework zc.zk.walking
    argparse ast asyncio concurrent.futures dataclasses importlib.metadata inspect ipaddress
    multiprocessing random socket ssl subprocess tempfile urllib
"""


def in_a_new_interpreter(program: str) -> list[str]:
    """The lines that it prints."""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()


def test_the_public_names() -> None:
    assert sorted(zc.zk.__all__) == sorted(NAMES.split())
    assert all(hasattr(zc.zk, name) for name in zc.zk.__all__)
    assert set(dir(zc.zk)) >= set(NAMES.split())
    assert zc.zk.ZK is zc.zk.ZooKeeper


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'zc\.zk' has no attribute 'Zookeeper'"):
        zc.zk.Zookeeper  # noqa: B018


def test_each_name_can_be_the_first_one_that_is_asked_for() -> None:
    for name in (*NAMES.split(), "event", "properties"):
        in_a_new_interpreter(f"import zc.zk; zc.zk.{name}")
    assert in_a_new_interpreter("from zc.zk import *; print(parse_addr(':80')[1])") == ["80"]


def test_a_plain_client_imports_nothing_that_it_does_not_need() -> None:
    loaded = in_a_new_interpreter(
        "import sys; before = set(sys.modules); import zc.zk; zc.zk.ZooKeeper\n"
        "print(*set(sys.modules) - before, sep='\\n')"
    )
    assert {"zookeeper._client", "zc.zk.client"} <= set(loaded)
    assert set(loaded) & set(NOT_FOR_A_PLAIN_CLIENT.split()) == set()
