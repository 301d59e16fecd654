"""Arguments are checked before anything is sent, and not read afterwards.

The C core's I/O thread goes on while Python's arguments come and go: it must not be told of them
before all of them have been checked, and has to be told when a call ends early.
"""

from __future__ import annotations

import contextlib
import gc
import re
import sys
from decimal import Decimal
from typing import Any

import pytest

from tests.deadlines import scaled, wait_until
from tests.sessions import OPEN

MANY = 3000

BAD_TIMEOUTS = [-1, -0.001, "x", float("nan"), float("inf"), 1e10, 10**400, [1], 1j]


def writes(number=MANY):
    return [("create", f"/{place:05}", f"data of {place:05}", OPEN) for place in range(number)]


def bulk_calls(zookeeper):
    """Return every call that sends many requests.

    Each of them would change or watch something.
    """
    return {
        "write_many": lambda h, **options: zookeeper.write_many(h, writes(), **options),
        "write_many(count=)": lambda h, **options: zookeeper.write_many(
            h, iter(writes()), count=MANY, **options
        ),
        "multi": lambda h, **options: zookeeper.multi(h, writes(100), **options),
        "get_many": lambda h, **options: zookeeper.get_many(h, ["/"] * MANY, **options),
        "get_acl_many": lambda h, **options: zookeeper.get_acl_many(h, ["/"] * MANY, **options),
        "get_children_many": lambda h, **options: zookeeper.get_children_many(
            h, ["/"] * MANY, **options
        ),
        "read_tree": lambda h, **options: zookeeper.read_tree(h, "/", **options),
        "watch_many": lambda h, **options: zookeeper.watch_many(
            h, ["/"], ["/"], ["/none"], print, **options
        ),
    }


def single_calls(zookeeper):
    return {
        "create": lambda h, **options: zookeeper.create(h, "/a", "", OPEN, **options),
        "create2": lambda h, **options: zookeeper.create2(h, "/a", "", OPEN, **options),
        "delete": lambda h, **options: zookeeper.delete(h, "/a", **options),
        "set": lambda h, **options: zookeeper.set(h, "/", "x", **options),
        "set2": lambda h, **options: zookeeper.set2(h, "/", "x", **options),
        "set_acl": lambda h, **options: zookeeper.set_acl(h, "/", -1, OPEN, **options),
        "exists": lambda h, **options: zookeeper.exists(h, "/", print, **options),
        "get": lambda h, **options: zookeeper.get(h, "/", print, **options),
        "get_children": lambda h, **options: zookeeper.get_children(h, "/", print, **options),
        "get_children2": lambda h, **options: zookeeper.get_children2(h, "/", print, **options),
        "get_acl": lambda h, **options: zookeeper.get_acl(h, "/", **options),
        "sync": lambda h, **options: zookeeper.sync(h, "/", **options),
        "remove_watches": lambda h, **options: zookeeper.remove_watches(h, "/", **options),
    }


@pytest.mark.parametrize("timeout", BAD_TIMEOUTS, ids=lambda value: repr(value)[:9])
def test_a_bad_timeout_is_said_before_anything_is_sent(zookeeper, handle, timeout):
    before = zookeeper.exists(handle, "/")
    for name, call in {**bulk_calls(zookeeper), **single_calls(zookeeper)}.items():
        with pytest.raises((TypeError, zookeeper.BadArgumentsException)) as raised:
            call(handle, timeout=timeout)
        assert raised.value.args, name
    assert zookeeper.sync(handle, "/") == "/"
    assert zookeeper.exists(handle, "/") == before


def test_any_number_of_seconds_is_a_timeout(zookeeper, handle):
    for timeout in (5, 5.5, Decimal("5.5"), True, 999_999_999):
        assert zookeeper.get(handle, "/", timeout=timeout)
        assert zookeeper.get_many(handle, ["/"], timeout=timeout)


@pytest.mark.parametrize("progress", [7, "x", []])
def test_an_argument_that_cannot_be_called_is_refused_before_sending(zookeeper, handle, progress):
    before = zookeeper.exists(handle, "/")
    for name, call in bulk_calls(zookeeper).items():
        if name not in ("multi", "watch_many"):
            with pytest.raises(TypeError, match="progress must be callable"):
                call(handle, progress=progress)
    assert zookeeper.exists(handle, "/") == before


@pytest.mark.parametrize("fault", [KeyboardInterrupt, MemoryError, SystemExit, ValueError])
def test_a_call_that_is_left_early_leaves_nothing_that_is_read_later(zookeeper, handle, fault):
    """AddressSanitizer reports a read of memory that has been freed."""

    def leave(done, total):
        raise fault

    for _ in range(3):
        for name, call in bulk_calls(zookeeper).items():
            if name not in ("multi", "watch_many"):
                with contextlib.suppress(zookeeper.NodeExistsException), pytest.raises(fault):
                    call(handle, progress=leave)
        gc.collect()
        [bytes(50_000) for _ in range(100)]  # freed memory is written to
    # Earlier requests are answered first, which takes a sanitizer longer than a session lasts.
    assert zookeeper.sync(handle, "/", timeout=scaled(30)) == "/"


def test_an_iterator_that_raises_leaves_nothing_that_is_read_later(zookeeper, handle):
    def some(number):
        yield from writes(number)
        raise KeyboardInterrupt

    for number in (0, 1, 499, 500, 501, 1700):
        with pytest.raises(KeyboardInterrupt):
            zookeeper.write_many(handle, some(number), count=MANY)
        gc.collect()
        names = zookeeper.get_children(handle, "/")
        zookeeper.write_many(handle, [("delete", f"/{name}") for name in names])
    assert zookeeper.sync(handle, "/") == "/"


@pytest.mark.not_emulated("it makes no room beforehand")
def test_more_operations_than_there_ever_are_is_a_memory_error(zookeeper, handle):
    with pytest.raises((MemoryError, ValueError)):
        zookeeper.write_many(handle, [], count=2**31 - 1)


# The data that are sent are those of the arguments when they were given.

READ_ONLY = {"perms": 1, "scheme": "world", "id": "anyone"}


@pytest.mark.parametrize("counted", [True, False])
def test_permissions_that_change_meanwhile_are_those_of_their_operation(zookeeper, handle, counted):
    acl = [dict(OPEN[0])]

    def operations():
        yield ("create", "/open", "", acl)
        yield ("create", "/open too", "", acl)
        acl[0]["perms"] = 1
        yield ("create", "/shut", "", acl)
        acl.append({"perms": 31, "scheme": "ip", "id": "127.0.0.1"})
        yield ("create", "/both", "", acl)
        del acl[1]
        acl[0] = dict(OPEN[0])
        yield ("create", "/open again", "", acl)

    if counted:
        zookeeper.write_many(handle, operations(), count=5)
    else:
        zookeeper.write_many(handle, operations())
    found = {
        path: [entry["perms"] for entry in zookeeper.get_acl(handle, path)[1]]
        for path in ("/open", "/open too", "/shut", "/both", "/open again")
    }
    assert found == {
        "/open": [31], "/open too": [31], "/shut": [1], "/both": [1, 31], "/open again": [31],
    }  # fmt: skip


def test_an_operation_or_a_list_that_grows_while_it_is_looked_at(zookeeper, handle):
    """Comparisons and conversions may run Python, which may do anything."""
    acl = [READ_ONLY]

    class Entry(dict[str, object]):
        def keys(self):
            acl.extend([READ_ONLY] * 50)
            return super().keys()

    acl[0] = Entry(READ_ONLY)
    zookeeper.create(handle, "/a", "", acl)
    assert len(zookeeper.get_acl(handle, "/a")[1]) == 1

    class Name(str):
        def __eq__(self, other):
            del operation[2:]
            return super().__eq__(other)

        __hash__ = str.__hash__

    operation = [Name("set"), "/", "x", -1]
    zookeeper.multi(handle, [operation])
    assert zookeeper.get(handle, "/")[0] == "x"


class Number(int):
    def __le__(self, other):
        return True

    __lt__ = __ge__ = __gt__ = __le__


def test_a_number_that_lies_about_its_size_is_no_handle(zookeeper, handle):
    for number in (10**6, -(10**6), 2**70):
        with pytest.raises(zookeeper.InvalidStateException):
            zookeeper.exists(Number(number), "/")


# A C int holds no more than 2**31 - 1.


def test_a_limit_of_requests_fits_in_a_frame(zookeeper, connection_string):
    for limit in (0, -1, 2**31, 2**63, 10**30):
        with pytest.raises(zookeeper.BadArgumentsException, match="max_request"):
            zookeeper.init(connection_string, max_request=limit)
    for wrong in (1.5, "1", None, True):
        with pytest.raises(TypeError, match="max_request"):
            zookeeper.init(connection_string, max_request=wrong)


@pytest.mark.skipif(sys.maxsize < 2**32, reason="needs a large address space")
@pytest.mark.parametrize("limit", [1_048_575, 2**31 - 1])
def test_data_of_more_bytes_than_a_c_int_holds_are_refused(
    zookeeper, connect, handle, target, limit
):
    """bytes() of zeros takes no memory until it is read: nothing may read it."""
    if target == "emulation" and limit > 2**30:
        pytest.skip("an emulation may take it")
    handle = connect(max_request=limit)
    large = bytes(2**32 + 5)  # 5, if it is cut
    for name, call in {
        "create": lambda: zookeeper.create(handle, "/a", large, OPEN),
        "create2": lambda: zookeeper.create2(handle, "/a", large, OPEN),
        "acreate": lambda: zookeeper.acreate(handle, "/a", large, OPEN),
        "acreate2": lambda: zookeeper.acreate2(handle, "/a", large, OPEN),
        "set": lambda: zookeeper.set(handle, "/", large),
        "set2": lambda: zookeeper.set2(handle, "/", large),
        "aset": lambda: zookeeper.aset(handle, "/", large),
        "multi": lambda: zookeeper.multi(handle, [("set", "/", large)]),
        "multi create": lambda: zookeeper.multi(handle, [("create", "/a", large, OPEN)]),
        "amulti": lambda: zookeeper.amulti(handle, [("set", "/", large)]),
        "write_many": lambda: zookeeper.write_many(handle, [("set", "/", large)]),
        "write_many(count=)": lambda: zookeeper.write_many(
            handle, iter([("set", "/", large)]), count=1
        ),
        "add_auth": lambda: zookeeper.add_auth(handle, "digest", large),
    }.items():
        with pytest.raises(zookeeper.BadArgumentsException, match="over the limit") as raised:
            call()
        assert "4294967" in str(raised.value), name
    assert zookeeper.get_children(handle, "/") == []
    assert zookeeper.get(handle, "/")[0] == ""


@pytest.mark.not_emulated("its requests have no size")
def test_a_size_that_is_refused_is_said_to_be_over_the_limit(zookeeper, handle):
    refused = 0
    for length in range(1_048_480, 1_048_580, 7):
        try:
            zookeeper.write_many(handle, [("set", "/", length * "x")])
        except zookeeper.BadArgumentsException as fault:
            size, limit = map(int, re.findall(r"\b\d{5,}\b", str(fault)))
            assert size > limit
            refused += 1
    assert 0 < refused < 15


def test_an_access_control_list_has_a_limit(zookeeper, handle):
    """The limit is that of a request; the list itself is only pointers."""
    with pytest.raises(zookeeper.BadArgumentsException, match="over the limit"):
        zookeeper.create(handle, "/a", "", OPEN * 100_000)
    with pytest.raises(zookeeper.BadArgumentsException, match="over the limit"):
        zookeeper.set_acl(handle, "/", -1, OPEN * 100_000)


def test_a_scheme_is_text_without_null_characters(zookeeper, handle):
    with pytest.raises(zookeeper.BadArgumentsException, match="null character"):
        zookeeper.add_auth(handle, "digest\0x", "a:b")


def test_get_takes_the_fourth_argument_of_zkpython(zookeeper, handle):
    zookeeper.set(handle, "/", "x" * 5000)
    seen = []
    assert zookeeper.get(handle, "/", None, 10)[0] == "x" * 5000
    assert zookeeper.get(handle, "/", lambda *args: seen.append(args), 1024 * 1024)[0]
    assert zookeeper.get(handle, "/", bufferlen=5)[0] == "x" * 5000
    zookeeper.set(handle, "/", "")
    wait_until(lambda: seen, "the watcher is called")


# Objects that only the binding makes.


def object_of(kind: Any) -> Any:
    """Return an object of a class that cannot be called."""
    return kind.__new__(kind)


@pytest.mark.not_emulated("its classes hold nothing that could be missing")
def test_nodes_and_trees_come_from_read_tree_alone(zookeeper, handle):
    tree = zookeeper.read_tree(handle, "/")
    for kind in (type(tree), type(tree[0])):
        with pytest.raises(TypeError, match="read_tree"):
            kind()
    node = object_of(type(tree[0]))
    for name in dir(node):
        if name.startswith("_"):
            continue
        with pytest.raises(TypeError, match="read_tree"):
            getattr(node, name)
    with pytest.raises(TypeError, match="read_tree"):
        repr(node)
    empty = object_of(type(tree))
    assert len(empty) == 0
    assert list(empty) == empty[:] == []
    with pytest.raises(IndexError):
        empty[0]
    with pytest.raises(TypeError, match="read_tree"):
        empty.zxid  # noqa: B018
    with pytest.raises(TypeError):
        tree.__init__()
    assert len(tree) == 1


def test_no_other_class_can_be_had_from_the_extension():
    import zookeeper._client as extension

    classes = {name for name, value in vars(extension).items() if isinstance(value, type)}
    made = {name for name in classes if getattr(extension, name).__module__ == "zookeeper._client"}
    assert made == {"CompletionQueue", "Subtree", "WatcherRegistry", "Znode"}


@pytest.mark.not_emulated("it has no threads")
def test_a_handle_that_is_made_by_hand_does_nothing(zookeeper, handle):
    kind = type(zookeeper.event_thread(handle)._target.__self__)
    with pytest.raises(TypeError, match="init"):
        object_of(kind).deliver()
