"""Each module can be a program's first import, and meets none half made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import scaled
from tests.embedded import embedded
from tests.test_layers import sources

# One child a module, forked from an interpreter that has the libraries of others already. A module
# is half made while it is being imported: to ask for a name in it then is a cycle at run time. A
# package may be half made while its own modules are imported.
PROGRAM = """
import argparse, asyncio, builtins, http.server, importlib, os, sys, traceback
import argcomplete, pytest, yaml, zope.interface

usual_import = builtins.__import__
faults = []


def is_its_module(package, name):
    folders = getattr(package, "__path__", ())
    return any(name == file.split(".")[0] for folder in folders for file in os.listdir(folder))


def noting_import(name, globals=None, locals=None, fromlist=(), level=0):
    module = sys.modules.get(name)
    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        if name.split(".")[0] in ("zc", "zookeeper", "half_made"):
            for each in fromlist or ["nothing"]:
                if not is_its_module(module, each):
                    faults.append(f"{globals['__name__']} imports {each} from {name}")
    return usual_import(name, globals, locals, fromlist, level)


for name in sys.argv[1:]:
    if not os.fork():
        builtins.__import__ = noting_import
        try:
            importlib.import_module(name)
        except BaseException:
            faults.append(traceback.format_exc())
        for fault in faults:
            print(f"{name}: {fault}", flush=True)
        os._exit(0)
    os.wait()
"""


def faults_of(*names: str, path: str = "") -> str:
    program = f"import sys; sys.path.insert(0, {path!r})\n{PROGRAM}" if path else PROGRAM
    return subprocess.run(
        [sys.executable, "-c", program, *names],
        capture_output=True,
        text=True,
        timeout=scaled(240),
        check=True,
    ).stdout


def test_each_module_can_be_imported_first() -> None:
    names = [
        name
        for name, (path, *_) in sources().items()
        if path.suffix in (".py", ".pyx") and name != "zc.zk.__main__"  # it is a command
    ]
    assert len(names) > 100
    assert faults_of("zc.zk", *names) == ""


def test_a_cycle_would_be_found(tmp_path: Path) -> None:
    folder = tmp_path / "half_made"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "one.py").write_text("from half_made import two\nx = 1\n")
    (folder / "two.py").write_text("import half_made.one\n")
    told = faults_of("half_made", "half_made.one", path=str(tmp_path))
    assert told == "half_made.one: half_made.two imports nothing from half_made.one\n"


# Typing compiles an annotation that is text where it has to have its value, as of a field of a
# `NamedTuple`: ten million instructions for the first one, a twentieth of a command's start.
COMPILED_ANNOTATIONS = """
import importlib, sys, typing

usual_init = typing.ForwardRef.__init__


def noting_init(self, text, *args, **options):
    frame = sys._getframe(1)
    while frame.f_globals["__name__"] in ("typing", "functools", "contextlib"):
        frame = frame.f_back
    module = frame.f_globals["__name__"]
    if module.split(".")[0] in ("zc", "zookeeper", "as_text"):
        print(f"{module}: {text}")
    usual_init(self, text, *args, **options)


typing.ForwardRef.__init__ = noting_init
for name in sys.argv[1:]:
    importlib.import_module(name)
"""


def compiled_annotations(*names: str, folder: Path) -> str:
    return subprocess.run(
        [sys.executable, "-c", COMPILED_ANNOTATIONS, *names],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=scaled(120),
        check=True,
    ).stdout


def test_no_import_has_an_annotation_compiled(tmp_path: Path) -> None:
    names = [
        name
        for name, (path, *_) in sources().items()
        if path.suffix == ".py" and name != "zc.zk.__main__"
    ]
    assert len(names) > 100
    told = compiled_annotations(*names, folder=tmp_path).splitlines()
    # That module is for type checkers; neither clients nor commands import it.
    assert [line for line in told if not line.startswith("zookeeper.types: ")] == []


def test_a_compiled_annotation_would_be_found(tmp_path: Path) -> None:
    lines = ["from __future__ import annotations", "from typing import NamedTuple"]
    lines += ["class Point(NamedTuple):", "    x: int"]
    (tmp_path / "as_text.py").write_text("\n".join(lines))
    assert compiled_annotations("as_text", folder=tmp_path) == "as_text: int\n"


# A command, with all that it does, and the modules that it has imported by the end.
COMMAND = """
import sys
import zc.zk.scripts
sys.argv = sys.argv[1:]
status = getattr(zc.zk.scripts, sys.argv[0])()
print(status, *sorted(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("command", ["export", "import_"])
def test_a_plain_tree_needs_no_parser_of_literals_nor_json(command: str, tmp_path: Path) -> None:
    """Each of them would be a twentieth of a command's start."""
    tree = tmp_path / "tree.txt"
    tree.write_text("/shop : benchmark\n  motd = 'Open'\n  threads = 3\n  /a\n")
    with embedded() as server:
        words = [server.connection_string]
        for name, *more in (["import_", str(tree)], [command, "/shop"]):
            more = [str(tree)] if name == "import_" else more
            ended = subprocess.run(
                [sys.executable, "-c", COMMAND, name, *words, *more],
                capture_output=True,
                text=True,
                timeout=scaled(60),
                check=True,
            )
    status, *modules = ended.stderr.splitlines()[-1].split()
    assert status == "None"
    assert "zc.zk.session.session" in modules
    unneeded = {
        "json", "math", "unicodedata", "zc.zk.client", "zc.zk.quickjson",
        *(f"zc.zk.tree.{name}" for name in ("layout", "literals", "oddtext", "parse", "template")),
    }  # fmt: skip
    assert unneeded & set(modules) == set()


@pytest.mark.parametrize("command", ["export", "import", "get", "ls"])
def test_help_imports_neither_sessions_nor_operations(command: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", COMMAND, "zk", command, "--help"],
        capture_output=True,
        text=True,
        timeout=scaled(60),
        check=True,
    )
    _, *modules = ended.stderr.split()
    assert "zc.zk.cli.connect" in modules
    assert [name for name in modules if name.startswith("zc.zk.operations.")] == []
    assert {"json", "zc.zk.session.session", "zc.zk.tree.model"} & set(modules) == set()


@pytest.mark.parametrize(
    ("module", "package", "extra"),
    [
        ("zc.zk.aio", "greenlet", "asyncio"),
        ("zc.zk.metrics.opentelemetry", "opentelemetry", "opentelemetry"),
        ("zc.zk.metrics.prometheus", "prometheus_client", "prometheus"),
        ("zc.zk.providers.aiohttp", "aiohttp", "aiohttp"),
        ("zc.zk.providers.httpx", "httpx", "httpx"),
        ("zc.zk.providers.requests", "requests", "requests"),
    ],
)
def test_a_module_without_its_package_says_how_to_install_it(
    module: str, package: str, extra: str
) -> None:
    # None in sys.modules is a package that cannot be found.
    program = f"import sys; sys.modules[{package!r}] = None; import {module}"
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=scaled(60)
    )
    last = ended.stderr.splitlines()[-1]
    assert last.startswith(f"ImportError: {module} needs {package}")
    assert last.endswith(f": pip install 'zc.zk[{extra}]'")
    assert ended.returncode == 1
