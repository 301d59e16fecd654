"""The wheel of `make wheel`: its files, and an installation of it alone."""

from __future__ import annotations

import email
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from scripts.bill_of_materials import FILE

import zookeeper._client
from tests.deadlines import scaled, wait_until
from tests.servers import standalone

pytestmark = pytest.mark.first

ROOT = Path(__file__).resolve().parent.parent

# The settings of make, tox and the sanitizers are not for the programs that the tests start.
CLEAN = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("MAKE", "MFLAGS", "PYTHON", "VIRTUAL_ENV"))
}


def run(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command, which must succeed, and return its standard output.

    It does not outlive the tests, which may be ended for it takes too long.
    """
    done = subprocess.run(
        ["setpriv", "--pdeathsig", "TERM", "--", *command],
        cwd=cwd,
        env=CLEAN,
        capture_output=True,
        text=True,
        timeout=scaled(600),
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def empty_environment(folder: Path) -> Path:
    venv.create(folder, symlinks=True, with_pip=False)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """Build the wheel of the sources as they are."""
    run("make", "wheel")
    (built,) = (ROOT / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an environment that holds the wheel alone, without network.

    Returns its Python.
    """
    python = empty_environment(tmp_path_factory.mktemp("environment"))
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-index", wheel)
    return python


@pytest.fixture(scope="module")
def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


def extension_in_use() -> Path:
    specification = importlib.util.find_spec("zookeeper._client")
    assert specification is not None
    assert specification.origin is not None
    return Path(specification.origin)


def libraries_beyond_libc(extension: Path) -> list[str]:
    libc = re.compile(r"linux-vdso\.so\.1|libc\.so\.6|ld-linux[\w-]*\.so\.\d")
    names = [Path(line.split()[0]).name for line in run("ldd", extension).splitlines()]
    return [name for name in names if not libc.fullmatch(name)]


def installed_extension(environment: Path, name: str = "zookeeper/_client") -> Path:
    (extension,) = environment.parent.parent.rglob(f"{name}.*.so")
    return extension


def test_the_extensions_need_libc_and_nothing_else(environment: Path) -> None:
    assert libraries_beyond_libc(extension_in_use()) == []
    assert libraries_beyond_libc(installed_extension(environment)) == []
    assert libraries_beyond_libc(installed_extension(environment, "zc/zk/_speedups/_text")) == []
    assert libraries_beyond_libc(installed_extension(environment, "zookeeper/_tls")) == []


def test_the_extension_keeps_the_symbols_of_the_c_client_to_itself(
    environment: Path,
) -> None:
    symbols = run("nm", "--dynamic", "--defined-only", installed_extension(environment))
    assert [line.split()[-1] for line in symbols.splitlines()] == ["PyInit__client"]


EXTENSIONS = ["zookeeper/_client", "zookeeper/_tls", "zc/zk/_speedups/_text"]


@pytest.mark.parametrize("name", EXTENSIONS)
def test_an_installed_extension_is_hardened_and_has_no_symbols(
    environment: Path, name: str
) -> None:
    extension = installed_extension(environment, name)
    assert "__stack_chk_fail" in run("nm", "--dynamic", "--undefined-only", extension)
    segments = run("readelf", "--wide", "--program-headers", "--dynamic", extension)
    assert "GNU_RELRO" in segments
    assert re.search(r"FLAGS.*NOW", segments)
    assert not re.search(r"GNU_STACK.*RWE", segments)
    assert "RUNPATH" not in segments
    sections = run("readelf", "--wide", "--sections", extension)
    assert ".symtab" not in sections
    assert ".debug" not in sections
    assert str(ROOT).encode() not in extension.read_bytes()


def in_dist_info(wheel: Path, name: str) -> str:
    with zipfile.ZipFile(wheel) as archive:
        (full,) = (path for path in archive.namelist() if path.endswith(f".dist-info/{name}"))
        return archive.read(full).decode()


def test_the_wheel_carries_the_licences_of_all_that_is_linked(
    wheel: Path, metadata: Message
) -> None:
    assert metadata["License-Expression"] == "ZPL-2.1 AND Apache-2.0 AND BSD-3-Clause"
    files = metadata.get_all("License-File", [])
    assert "Apache License" in in_dist_info(wheel, "licenses/LICENSES/Apache-2.0.txt")
    hash_table = in_dist_info(wheel, "licenses/LICENSES/BSD-3-Clause-hashtable.txt")
    assert "Christopher Clark" in hash_table
    notice = in_dist_info(wheel, "licenses/NOTICE.txt")
    assert {*re.findall(r"LICENSES/\S+\.txt", notice)} <= {*files}


def test_the_wheel_lists_the_libraries_it_carries(wheel: Path, environment: Path) -> None:
    bill = json.loads(in_dist_info(wheel, FILE))
    components = {part["name"]: part["version"] for part in bill["components"]}
    client = run(environment, "-c", "import zookeeper; print(zookeeper.__version__)").strip()
    assert components.keys() == {"zookeeper-client-c", "openssl"}
    assert components["zookeeper-client-c"] == client
    linked = installed_extension(environment, "zookeeper/_tls").read_bytes()
    assert f"OpenSSL {components['openssl']} ".encode() in linked
    if not os.environ.get("ZOOKEEPER_STATIC_LIB") and shutil.which("dpkg-query"):
        (purl,) = (part["purl"] for part in bill["components"] if part["name"] != "openssl")
        assert re.match(r"pkg:deb/\w+/zookeeper@\S+\?arch=source$", purl)


def test_the_version_is_that_of_the_wheel(
    environment: Path, metadata: Message, tmp_path: Path
) -> None:
    version = run(environment, "-c", "import zc.zk; print(zc.zk.__version__)", cwd=tmp_path)
    assert version.strip() == metadata["Version"]
    told = run(environment.parent / "zookeeper_export", "--version", cwd=tmp_path)
    assert told.startswith(f"zookeeper_export {metadata['Version']}, ")


def test_the_wheel_leaves_the_zc_namespace_to_everybody(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "zc/__init__.py" not in names
    assert not [name for name in names if name.endswith(".pth")]
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "zc",
        "zookeeper",
    }


def test_both_packages_carry_their_types(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {"zc/zk/py.typed", "zookeeper/py.typed", "zookeeper/__init__.pyi"} <= {*names}


def test_nothing_is_required_but_by_an_extra(metadata: Message) -> None:
    requirements = metadata.get_all("Requires-Dist", [])
    assert [wanted for wanted in requirements if "extra ==" not in wanted] == []
    assert not [wanted for wanted in requirements if "static" in wanted]
    extras = metadata.get_all("Provides-Extra", [])
    assert {"static", "test", "netifaces", "zope-event"} <= {*extras}


def test_the_wheel_works_in_an_empty_environment(environment: Path, tmp_path: Path) -> None:
    program = """
import sys, time
import zc.zk, zookeeper

handle = zookeeper.init(sys.argv[1])
deadline = time.monotonic() + 30
while zookeeper.state(handle) != zookeeper.CONNECTED_STATE:
    assert time.monotonic() < deadline, "no session"
    time.sleep(0.01)
acl = [{"perms": zookeeper.PERM_ALL, "scheme": "world", "id": "anyone"}]
zookeeper.create(handle, "/shipped", "works", acl)
print(zookeeper.get(handle, "/shipped")[0], zookeeper.__file__)
zookeeper.close(handle)
"""
    with standalone() as server:
        answer = run(environment, "-c", program, server.connection_string, cwd=tmp_path)
    data, module = answer.split()
    assert data == "works"
    assert Path(module).is_relative_to(environment.parent.parent)


def test_the_library_and_its_test_server_work_in_an_empty_environment(
    environment: Path, tmp_path: Path
) -> None:
    program = """
import zc.zk, zc.zk.testing

with zc.zk.testing.Server() as server, zc.zk.ZooKeeper(server.connection_string) as zk:
    zk.import_tree("/app\\n  /providers\\n")
    zk.register("/app/providers", "1.2.3.4:80", pid=1)
    print(zc.zk.__file__)
    zk.print_tree()
"""
    module, _, tree = run(environment, "-c", program, cwd=tmp_path).partition("\n")
    assert tree == "/app\n  /providers\n    /1.2.3.4:80\n      pid = 1\n"
    assert Path(module).is_relative_to(environment.parent.parent)


def test_the_commands_are_there_in_an_empty_environment(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "tree.txt").write_text("/app\n")
    run(environment.parent / "zookeeper_validate", "tree.txt", cwd=tmp_path)


@pytest.mark.parametrize("developed", [False, True], ids=["installed", "developed"])
def test_a_distribution_with_an_old_style_zc_namespace_lives_beside_it(
    wheel: Path, tmp_path: Path, developed: bool
) -> None:
    python = empty_environment(tmp_path / "environment")
    (packages,) = tmp_path.glob("environment/lib/python*/site-packages")
    other = packages / "zc" / "other"
    other.mkdir(parents=True)
    (other / "__init__.py").touch()
    # The lines that setuptools writes for `namespace_packages = ['zc']`.
    (packages / "zc.other-nspkg.pth").write_text(
        "import sys, types, os;"
        "p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('zc',));"
        "importlib = __import__('importlib.util');__import__('importlib.machinery');"
        "m = sys.modules.setdefault('zc', importlib.util.module_from_spec("
        "importlib.machinery.PathFinder.find_spec('zc', [os.path.dirname(p)])));"
        "mp = (m or []) and m.__dict__.setdefault('__path__',[]);"
        "(p not in mp) and mp.append(p)\n"
    )
    source = tmp_path / "source" if developed else packages
    zipfile.ZipFile(wheel).extractall(source)
    (packages / "__editable__.zc_zk.pth").write_text(f"{source}\n")
    run(python, "-c", "import zc.other, zc.zk", cwd=tmp_path)


def test_a_build_without_the_c_client_names_the_package_to_install() -> None:
    build = subprocess.run(
        [sys.executable, "setup.py", "--version"],
        cwd=ROOT,
        env={**CLEAN, "ZOOKEEPER_STATIC_LIB": "/nowhere/libzookeeper_mt.a"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode != 0
    assert "/nowhere/libzookeeper_mt.a" in build.stderr
    assert "apt-get install libzookeeper-mt-dev" in build.stderr


@pytest.mark.parametrize("compiler", ["/nowhere/gcc", "nowhere-gcc -pthread"])
def test_a_build_without_a_compiler_ends_before_it_begins(compiler: str) -> None:
    build = subprocess.run(
        [sys.executable, "setup.py", "build_ext", "--build-temp", "/nowhere"],
        cwd=ROOT,
        env={**CLEAN, "CC": compiler},
        capture_output=True,
        text=True,
        check=False,
    )
    assert build.returncode != 0
    assert f"There is no C compiler {compiler.split()[0]}: run `apt-get inst" in build.stderr
    assert "Traceback" not in build.stderr
    assert not Path("/nowhere").exists()


def copied_sources(tree: Path) -> Path:
    """Copy what a build takes into a folder, and return it."""
    for name in run("git", "ls-files", "-z").rstrip("\0").split("\0"):
        if (ROOT / name).is_file() and not name.startswith(("docs/", "tests/", "benchmarks/")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, tree / name)
    return tree


def test_an_installer_leaves_the_extensions_to_others_when_told_so(tmp_path: Path) -> None:
    tree, wheels = copied_sources(tmp_path / "tree"), tmp_path / "wheels"
    words = [sys.executable, "setup.py", "--quiet", "editable_wheel", f"--dist-dir={wheels}"]
    # Compiling in spite of it would fail.
    run("env", "ZOOKEEPER_EXTENSIONS=elsewhere", "CC=/nowhere/gcc", *words, cwd=tree)
    assert [*wheels.glob("*.whl")]
    assert not [*tree.rglob("*.so")]


def empty_compiler(file: Path, note: str) -> Path:
    """Write a compiler that makes empty files, and carries out `note`, in Bash, for each."""
    file.write_text(
        f"""#!/bin/bash
made=; for word; do [ "$made" != next ] || made=$word; [ "$word" != -o ] || made=next; done
: >"$made"
{note}
"""
    )
    file.chmod(0o755)
    return file


def test_our_own_c_is_compiled_while_cython_translates(tmp_path: Path) -> None:
    temporary, log = tmp_path / "temp", tmp_path / "log"
    note = f"""echo "$made: $(cd {temporary} && find . -name '_*.c')" >>{log}"""
    compiler = empty_compiler(tmp_path / "gcc", note)
    folders = [f"--build-temp={temporary}", f"--build-lib={tmp_path / 'lib'}"]
    words = [sys.executable, "setup.py", "--quiet", "build_ext", *folders, "--parallel=2"]
    build = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", "--", *words],
        cwd=ROOT,
        env={**CLEAN, "CC": str(compiler)},
    )
    try:
        wait_until(
            lambda: (log.exists() and log.read_text().count("\n")) or build.poll() is not None,
            lambda: "a file is compiled",
        )
    finally:
        build.terminate()
        build.wait()
    assert re.match(r".*/core/address\.o: $", log.read_text(), re.MULTILINE)


def test_an_extension_that_is_compiled_hastily_is_made_anew_by_all_others(tmp_path: Path) -> None:
    tree, log = copied_sources(tmp_path / "tree"), tmp_path / "log"
    compiler = empty_compiler(tmp_path / "gcc", f'echo " $* " >>{log}')

    def build(*settings: str) -> list[str]:
        """Build in place, and return the calls of the compiler."""
        log.write_text("")
        words = ["setup.py", "--quiet", "build_ext", "--inplace", "--parallel=2"]
        run("env", f"CC={compiler}", *settings, sys.executable, *words, cwd=tree)
        return [call for call in log.read_text().splitlines() if " -c " in call]

    hasty = build("ZOOKEEPER_HASTY=1")
    assert len(hasty) > 50
    assert all(" -O0 " in call for call in hasty)
    assert build("ZOOKEEPER_HASTY=1") == [], "nothing has changed"
    thorough = build()
    assert len(thorough) == len(hasty)
    assert not any(" -O0 " in call or " -Wno-all" in call for call in thorough)
    assert build("ZOOKEEPER_HASTY=1") == build() == [], "the better one stays"


def pip_for_environment(folder: Path, python: str | Path) -> Path:
    """Run scripts/pip beside an empty environment, and return the place of the pip that it runs."""
    told = run(ROOT / "scripts" / "pip", python, "--version", cwd=folder)
    return Path(told.split(" from ")[1].split(" (python")[0])


def test_pip_of_the_python_installs_into_an_environment_without_one(tmp_path: Path) -> None:
    environment = empty_environment(tmp_path / ".venv")
    place = pip_for_environment(tmp_path, sys.executable)
    assert not place.is_relative_to(tmp_path)
    assert run(ROOT / "scripts" / "pip", sys.executable, "list", cwd=tmp_path).strip() == ""
    absent = "from importlib.util import find_spec; assert find_spec('pip') is None"
    run(environment, "-c", absent)


def test_an_environment_has_a_pip_made_if_the_python_has_none(tmp_path: Path) -> None:
    empty_environment(tmp_path / ".venv")
    without = empty_environment(tmp_path / "without")
    assert pip_for_environment(tmp_path, without).is_relative_to(tmp_path / ".venv")


@pytest.mark.skipif(
    "-g" in os.environ.get("CFLAGS", "").split(), reason="CFLAGS asks for all symbols"
)
def test_symbols_are_compiled_for_our_own_c_and_not_for_generated_c() -> None:
    words = ["readelf", "--debug-dump=info", "--dwarf-depth=1", zookeeper._client.__file__]
    units = re.findall(r"DW_AT_name\s*:.*?(\S+\.c)$", run(*words), re.MULTILINE)
    assert "src/zookeeper/core/handle.c" in units
    assert not [unit for unit in units if unit.endswith("_client.c")]
