"""Both faces of the client have the same methods, with the same parameters."""

from __future__ import annotations

import asyncio
import inspect
from typing import Any

import pytest

import zc.zk
import zc.zk.aio
from zc.zk.operations.plan import Plan
from zc.zk.providers import Providers
from zc.zk.watching.tree import Tree

pytestmark = pytest.mark.quick

# The forms of calls that take a completion: in the asynchronous face there is no other form.
WITH_COMPLETION = {
    name
    for name in dir(zc.zk.ZooKeeper)
    if name.startswith("a") and (name[1:] in dir(zc.zk.ZooKeeper) or name in ("async_", "async"))
}

# These wait for nothing, so they are plain methods there, too.
AT_ONCE = {
    "check_operations", "children", "client_id", "connection_fault", "event_zxid",
    "is_refused", "is_unrecoverable", "properties", "providers", "recv_timeout", "set_watcher",
    "tree", "walk",
}  # fmt: skip

# How it is opened, and an attribute of the other one's objects.
OWN = {"connect", "watches"}


def public(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}


def parameters(function: Any) -> list[tuple[str, Any, object]]:
    found = inspect.signature(function).parameters.values()
    return [(each.name, each.default, each.kind) for each in found if each.name != "self"]


def test_the_client_has_all_methods_of_the_blocking_one_and_few_others():
    blocking, other = public(zc.zk.ZooKeeper), public(zc.zk.aio.ZooKeeper)
    assert {"aget", "amulti", "async_", "acreate2"} <= WITH_COMPLETION
    assert "add_auth" not in WITH_COMPLETION
    assert blocking.keys() - WITH_COMPLETION == other.keys() - OWN


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name, value in public(zc.zk.ZooKeeper).items()
        if name not in WITH_COMPLETION and callable(value)
    ),
)
def test_a_method_has_the_parameters_of_the_blocking_one(name: str):
    blocking, other = getattr(zc.zk.ZooKeeper, name), getattr(zc.zk.aio.ZooKeeper, name)
    expected = [each for each in parameters(blocking) if each[0] != "completion"]
    assert parameters(other) == expected
    assert inspect.iscoroutinefunction(other) == (name not in AT_ONCE)
    assert other.__doc__


def test_the_constructor_has_the_parameters_of_the_blocking_one():
    expected = parameters(zc.zk.ZooKeeper.__init__)
    assert parameters(zc.zk.aio.ZooKeeper.__init__) == expected
    assert parameters(zc.zk.aio.ZooKeeper.connect) == expected


# Attributes of instances of one face, and of the class of the other (tests/aio/test_callbacks.py).
OF_INSTANCES = {"callbacks", "failed_calls", "keep_callbacks"}


@pytest.mark.parametrize(
    ("blocking", "other", "instead"),
    [
        (zc.zk.Registration, zc.zk.aio.Registration, set()),
        (zc.zk.Registrations, zc.zk.aio.Registrations, set()),
        (zc.zk.Children, zc.zk.aio.Children, set()),
        (zc.zk.Properties, zc.zk.aio.Properties, {"delete"}),
        (Providers, zc.zk.aio.Providers, set()),
        (Tree, zc.zk.aio.Tree, set()),
        (Plan, zc.zk.aio.Plan, set()),
    ],
)
def test_an_object_has_the_methods_of_the_blocking_one(
    blocking: type, other: type, instead: set[str]
):
    assert public(other).keys() - instead == public(blocking).keys() - OF_INSTANCES
    for name, value in public(blocking).items():
        if inspect.isfunction(value):
            assert parameters(getattr(other, name)) == parameters(value), name
    for name in ("__getitem__", "__iter__", "__len__", "__contains__", "__call__", "__str__"):
        if name in dir(blocking):
            assert hasattr(other, name), name


def test_plain_clients_import_neither_asyncio_nor_greenlet():
    import subprocess
    import sys

    program = (
        "import sys, zc.zk; zc.zk.ZooKeeper; print({'asyncio', 'greenlet'}.isdisjoint(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "True\n"


def test_a_client_that_is_not_open_says_how_to_open_it():
    async def main() -> None:
        zk = zc.zk.aio.ZooKeeper("127.0.0.1:1")
        assert "not open" in repr(zk)
        with pytest.raises(RuntimeError, match="async with"):
            await zk.get("/")
        with pytest.raises(RuntimeError, match="async with"):
            zk.children("/")
        await zk.close()

    asyncio.run(main())
