"""A client uses the binding that it is handed, for everything.

A client that is handed none uses the module `zookeeper`.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import zc.zk
import zookeeper
from tests.deadlines import scaled, wait_until
from zc.zk.testing import Emulation, Server
from zookeeper.binding import Binding

SOURCES = Path(str(sys.modules["zc.zk.client"].__file__)).parent
FUNCTIONS = [name for name in vars(Binding) if not name.startswith("_")]

# These have the functions of the module replaced, for suites that know nothing of bindings.
DISPATCHES = {"testing/dispatch.py", "testing/suites.py"}


@pytest.fixture
def emulation() -> Iterator[Emulation]:
    emulation = Emulation()
    yield emulation
    emulation.close()


def client(emulation: Emulation, root: str = "", **arguments: Any) -> zc.zk.ZooKeeper:
    return zc.zk.ZooKeeper(
        emulation.connection_string + root, binding=emulation.binding, **arguments
    )


def use(zk: zc.zk.ZooKeeper) -> None:
    """Do a bit of everything."""
    zk.import_tree("/shop\n  x = 1\n  /providers\n")
    zk.import_tree("/shop\n  x = 2\n  /providers\n    /old\n")
    zk.import_tree("/shop\n  x = 3\n  /providers\n", trim=True)
    told: list[list[str]] = []
    providers = zk.children("/shop/providers")
    providers(lambda names: told.append(sorted(names)))
    properties = zk.properties("/shop")
    registration = zk.register("/shop/providers", "1.2.3.4:80")
    wait_until(lambda: told[-1:] == [["1.2.3.4:80"]], "the live object is told")
    registration.update(weight=2)
    properties.update(x=4)
    zk.ln("/shop", "/alias")
    assert zk.resolve("/alias/providers") == "/shop/providers"
    assert zk.is_ephemeral(*registration.paths)
    assert zk.get_properties("/shop") == {"x": 4}
    assert "/shop/providers" in list(zk.walk())
    assert "  x = 4" in zk.export_tree("/shop").splitlines()
    zk.create("/mine", "", zc.zk.OPEN_ACL_UNSAFE, zookeeper.EPHEMERAL)
    zk.set("/mine", "changed")
    zk.multi([("check", "/mine"), ("delete", "/mine")])
    zk.add_auth("digest", "somebody:secret")
    registration.unregister()
    wait_until(lambda: list(providers) == [], "the live object is told again")
    zk.delete_recursive("/shop", force=True)


def refuse(name: str) -> Any:
    def refused(*arguments: object, **named: object) -> None:
        raise AssertionError(f"zookeeper.{name} is called with {arguments}")

    return refused


def test_it_is_used_for_everything(emulation: Emulation, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in FUNCTIONS:
        monkeypatch.setattr(zookeeper, name, refuse(name))
    with client(emulation) as zk:
        use(zk)
        zk.create_recursive("/a/b")
        zk.register("/a/b", "1.2.3.4:80")
        emulation.sessions[zk.handle or 0].expire()
        wait_until(lambda: zk.get_children("/a/b") == ["1.2.3.4:80"], "it is registered again")
    assert not emulation.sessions


def test_the_root_of_its_paths_is_made_by_it_too(emulation: Emulation) -> None:
    with client(emulation, "/not/there") as zk:
        zk.create_recursive("/a/b")
    with client(emulation) as zk:
        assert zk.exists("/not/there/a/b")


@pytest.mark.not_emulated("the whole module is an emulation then")
def test_a_client_of_a_server_works_beside_it(emulation: Emulation) -> None:
    before = vars(zookeeper).copy()
    with Server() as server, zc.zk.ZooKeeper(server.connection_string) as real:
        with client(emulation) as emulated:
            emulated.create("/only-here")
            assert not real.exists("/only-here")
            for zk in emulated, real:
                use(zk)
            assert zookeeper.event_thread(real.handle or 0) is not None
    assert vars(zookeeper) == before


def test_without_one_it_is_the_module_with_what_a_test_has_patched(
    emulation: Emulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, function in emulation.functions.items():
        monkeypatch.setattr(zookeeper, name, function)
    with zc.zk.ZooKeeper(emulation.connection_string) as zk:
        use(zk)
        monkeypatch.setattr(zookeeper, "get", lambda handle, path: ("{}", {"handle": handle}))
        assert zk.get("/x") == ("{}", {"handle": zk.handle})


def test_the_end_of_a_program_closes_the_handles_of_all_bindings() -> None:
    program = """
import atexit, sys
import zookeeper
from zc.zk.testing import Emulation
emulation = Emulation()
atexit.register(lambda: print("open:", list(emulation.sessions)))
import zc.zk.session.session  # its hook is registered later, and is called first
import zc.zk
left = zc.zk.ZooKeeper(sys.argv[1])
emulated = zc.zk.ZooKeeper(emulation.connection_string, binding=emulation.binding)
print(left.exists("/") is not None, list(emulation.sessions))
"""
    with Server() as server:
        said = subprocess.run(
            [sys.executable, "-c", program, server.connection_string],
            capture_output=True,
            text=True,
            timeout=scaled(60),
        )
        assert said.stdout.splitlines() == ["True [0]", "open: []"], said.stderr
        assert server.sessions() == []


def calls_past_the_binding(path: Path) -> list[str]:
    """Return the border's functions that a module takes from `zookeeper` itself."""
    tree = ast.parse(path.read_text())
    # `passed_on` takes a function for its name and documentation.
    shown = {
        id(argument)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "passed_on"
        for argument in node.args
    }
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "zookeeper"
        and node.attr in FUNCTIONS
        and id(node) not in shown
    ]


def test_a_call_past_the_binding_would_be_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text("zookeeper.get(0, '/')\npassed_on(zookeeper.set)\nzookeeper.error(1)\n")
    assert calls_past_the_binding(module) == ["line 1: zookeeper.get"]


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(SOURCES.rglob("*.py"))
        if str(path.relative_to(SOURCES)) not in DISPATCHES
    ],
    ids=lambda path: str(path.relative_to(SOURCES)),
)
def test_no_module_of_the_library_calls_past_its_session_s_binding(path: Path) -> None:
    assert calls_past_the_binding(path) == []
