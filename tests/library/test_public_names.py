"""The library's public names: a change to them has to change this test."""

from __future__ import annotations

import subprocess
import sys

import pytest

import zc.zk

NAMES = """
    BadPropertyLink CancelWatch Children Error FailedConnect LinkError LinkLoop LossError
    OPEN_ACL_UNSAFE NoProvider ParseNode Properties Provider Providers READ_ACL_UNSAFE
    RegisteringServer Registration Registrations Resolving SASL
    TLS Tree TreeSyntaxError ZK ZooKeeper digest_acl parse_addr parse_tree sasl_acl world_permission
    x509_acl
"""

# The methods and attributes of a client for programs; `watches` is an attribute of each.
OF_A_CLIENT = """
    aadd_watch acreate acreate2 add_auth add_watch adelete aexists aget aget_acl
    aget_all_children_number aget_children aget_children2 aget_config aget_ephemerals amulti
    areconfig aremove_watches aset aset_acl async async_ awhoami check_operations children
    client_id close connection_fault connection_string create create2 create_recursive delete
    delete_recursive event_zxid exists export_tree get get_acl get_acl_many
    get_all_children_number get_children get_children2 get_children_many get_config get_ephemerals
    get_many get_properties handle
    import_tree initial_connection_wait is_ephemeral is_refused is_unrecoverable ln multi
    plan_delete plan_import print_tree properties providers read_tree reconfig recv_timeout register
    register_all register_server remove_watches reopen resolve set set2 set_acl set_watcher state
    sync tree
    walk watch_many watches whoami write_many
"""

# `from zc.zk import *` does not give these: they would take the place of others.
PLAIN_WORDS = ("decode", "encode", "join")

# The modules that a program of single nodes has no use for: work on trees, live objects and
# links, registrations, and large parts of the standard library.
NOT_FOR_A_PLAIN_CLIENT = """
    zc.zk.cli zc.zk.formats zc.zk.graphvis zc.zk.metrics zc.zk.monitor zc.zk.operations
    zc.zk.scripts zc.zk.testing zc.zk.tree zookeeper._tls zookeeper.sasl zookeeper.sasl_digest
    zookeeper.saslsteps zookeeper.tls
    zookeeper.environment zookeeper.secretfiles zc.zk.subjects
    zc.zk.journey zc.zk.propertylinks zc.zk.resolver zc.zk.session.diagnosis zc.zk.session.retry
    zc.zk.providers zc.zk.serving
    zc.zk.registration.registration zc.zk.registration.registry zc.zk.registration.step
    zc.zk.watching.liveobject zc.zk.watching.readers
    argparse ast asyncio concurrent.futures dataclasses importlib.metadata inspect ipaddress
    multiprocessing random socket ssl subprocess tempfile urllib
"""


# Modules that are attributes of the package without an import of their own.
MODULES = """
    browse errors event formats graphvis interfaces lineserver metrics monitor providers scripts
    serving testing tree
"""


def in_a_new_interpreter(program: str) -> list[str]:
    """Return the lines that it prints."""
    return subprocess.run(
        [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, text=True
    ).stdout.splitlines()


def test_the_public_names() -> None:
    assert sorted(zc.zk.__all__) == sorted(NAMES.split())
    assert all(hasattr(zc.zk, name) for name in zc.zk.__all__)
    assert set(dir(zc.zk)) >= {*NAMES.split(), *PLAIN_WORDS, *MODULES.split()}
    assert zc.zk.ZK is zc.zk.ZooKeeper


def test_a_client_has_public_names_for_programs_only(zk: zc.zk.ZooKeeper) -> None:
    assert {name for name in dir(zk) if not name.startswith("_")} == set(OF_A_CLIENT.split())


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'zc\.zk' has no attribute 'Zookeeper'"):
        zc.zk.Zookeeper  # noqa: B018


def test_each_name_can_be_the_first_one_that_is_asked_for() -> None:
    for name in (*NAMES.split(), *PLAIN_WORDS, *MODULES.split()):
        in_a_new_interpreter(f"import zc.zk; zc.zk.{name}")
    assert in_a_new_interpreter("from zc.zk import *; print(parse_addr(':80')[1])") == ["80"]


@pytest.mark.not_over_tls("it looks at a client in the clear")
def test_a_plain_client_imports_nothing_that_it_does_not_need() -> None:
    loaded = in_a_new_interpreter(
        "import sys; before = set(sys.modules); import zc.zk; zc.zk.ZooKeeper\n"
        "print(*set(sys.modules) - before, sep='\\n')"
    )
    assert {"zookeeper._client", "zc.zk.client"} <= set(loaded)
    assert set(loaded) & set(NOT_FOR_A_PLAIN_CLIENT.split()) == set()


# `NamedTuple` and `TypeVar` compile annotations that are text: a tenth of a millisecond for each
# class, and the first one makes a whole millisecond of it.
COMPILING = """
import atexit, contextlib, copy, errno, json, logging, queue, re, sys, threading, typing
sys.addaudithook(lambda event, what: event == "compile" and what[1][:1] == "<" and print(*what))
import zc.zk; zc.zk.ZooKeeper
"""


@pytest.mark.not_over_tls("it looks at a client in the clear")
def test_a_plain_client_has_no_text_compiled() -> None:
    assert in_a_new_interpreter(COMPILING) == []


def test_names_of_earlier_releases() -> None:
    assert zc.zk.encode({"b": 1, "a": "x"}) == '{"a":"x","b":1}'
    assert zc.zk.decode('{"a":"x","b":1}') == {"a": "x", "b": 1}
    assert (zc.zk.join("/", "a"), zc.zk.join("/a", "b")) == ("/a", "/a/b")


def test_links_can_be_followed_in_anything_that_has_nodes() -> None:
    nodes: dict[str, dict[str, str]] = {"/": {}, "/a": {"b ->": "../c"}, "/c": {}, "/c/d": {}}

    class Nodes(zc.zk.Resolving):
        def exists(self, path: str) -> bool:
            return path in nodes

        def get_properties(self, path: str) -> dict[str, str]:
            return nodes[path]

    assert Nodes().resolve("/a/b/d") == "/c/d"


def test_children_of_parsed_nodes_may_be_keywords() -> None:
    grandchild = zc.zk.ParseNode()
    node = zc.zk.ParseNode("top", {"x": 1}, a=zc.zk.ParseNode(children=grandchild))
    assert (node.name, node.properties, list(node.children)) == ("top", {"x": 1}, ["a"])
    assert grandchild.parent is node.children["a"]
    assert [each.name for _, each in node.walk()] == ["top", "a", "children"]
    named = zc.zk.ParseNode("b")
    assert list(zc.zk.ParseNode(key=named).children) == ["b"]
    assert list(zc.zk.ParseNode("", None, {"b": named}).children) == ["b"]
