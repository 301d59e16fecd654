"""Systems that are not this one, each as a Python that runs here.

They are where wheels are tried for real.

Debian's packages of other architectures and releases are unpacked into folders. Their programs are
started by their own loader or by qemu, so nothing is installed and root is not needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from scripts.wheels.debian import fetch_release, unpack_system
from scripts.wheels.pythons import Recipe, build_python
from scripts.wheels.targets import TARGETS, Target
from scripts.wheels.zig import tools_for


class Place(NamedTuple):
    """A Python, and the platform whose wheels it takes."""

    python: str
    target: Target
    program: Path


def _target(tag: str) -> Target:
    (target,) = (target for target in TARGETS if target.tag == tag)
    return target


def _started_by(program: Path, line: str, home: Path) -> Path:
    """Write a program that starts a Python, which takes it for its own."""
    program.write_text(f'#!/bin/sh\nPYTHONHOME="{home}" exec {line} "$@"\n')
    program.chmod(0o755)
    return program


def on_arm(work: Path) -> Place:
    """Return Debian's Python for aarch64, which qemu runs."""
    target = _target("manylinux_2_17_aarch64")
    qemu = unpack_system(work / "qemu", "bookworm", "amd64", ["qemu-user-static"])
    root = unpack_system(work / "arm64", "bookworm", "arm64", ["python3"])
    emulator = qemu / "usr/bin/qemu-aarch64-static"
    line = f'"{emulator}" -L "{root}" -0 "$0" "{root}/usr/bin/python3.11"'
    return Place("3.11", target, _started_by(work / "arm64" / "python", line, Path("/usr")))


def with_old_glibc(work: Path) -> Place:
    """Return a Python that runs with the glibc of the oldest Debian that is still served, 2.31."""
    target = _target("manylinux_2_17_x86_64")
    root = unpack_system(work / "bullseye", "bullseye", "amd64", ["libc6"])
    libraries = root / "lib/x86_64-linux-gnu"
    linked = f"-Wl,-dynamic-linker,{libraries}/ld-2.31.so -Wl,-rpath,{libraries}"
    return Place("3.13", target, _built(work / "glibc-python", target, linked))


def with_musl(work: Path) -> Place:
    """Return a Python that runs with musl."""
    target = _target("musllinux_1_2_x86_64")
    root = unpack_system(work / "musl", "bookworm", "amd64", ["musl"])
    linked = f"-dynamic -Wl,-dynamic-linker,{root}/lib/ld-musl-x86_64.so.1"
    # Functions of zig's musl that Debian's older one has not.
    newer = [f"ac_cv_func_{name}=no" for name in ("preadv2", "pwritev2")]
    return Place("3.13", target, _built(work / "musl-python", target, linked, newer))


def with_newer_python(work: Path) -> Place:
    """Return the Python of the next Debian, with its glibc."""
    target = _target("manylinux_2_17_x86_64")
    root = unpack_system(work / "sid", "sid", "amd64", ["python3.14", "libpython3.14-dev"])
    libraries = root / "usr/lib/x86_64-linux-gnu"
    loader = f'"{libraries}/ld-linux-x86-64.so.2" --library-path "{libraries}" --argv0 "$0"'
    line = f'{loader} "{root}/usr/bin/python3.14"'
    return Place("3.14", target, _started_by(work / "sid" / "python", line, root / "usr"))


def _built(folder: Path, target: Target, linked: str, options: Sequence[str] = ()) -> Path:
    tools = tools_for(target, folder, folder)
    # The oldest whose modules are compiled without the headers of this system's libc.
    archive = fetch_release("python3.13", folder.parent / "sources", "trixie")
    recipe = Recipe("python3.13", str(tools.compiler), linked, options)
    return build_python(recipe, archive, folder / "python")


PLACES: Mapping[str, Callable[[Path], Place]] = {
    "aarch64": on_arm,
    "old glibc": with_old_glibc,
    "musl": with_musl,
    "Python 3.14": with_newer_python,
}
