"""The cross compiler, clang, with headers and stubs of each libc.

The package ziglang brings it.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import NamedTuple

from scripts.wheels.running import BuildError, run
from scripts.wheels.targets import Target

# Of all that is compiled, as in setup.py, which compiles the extensions.
HARDENED = [
    "-O2",
    "-fPIC",
    "-g0",
    "-fvisibility=hidden",
    "-fstack-protector-strong",
    "-U_FORTIFY_SOURCE",
    "-D_FORTIFY_SOURCE=2",
]


# zig calls musl's library libc.so, and systems with musl by a name that no other libc has.
_RENAME_MUSL = """ || exit
for word; do
    [ "$word" != -shared ] || shared=yes
    [ "$previous" != -o ] || output=$word
    previous=$word
done
[ -z "$shared" ] || exec "{patchelf}" --replace-needed libc.so libc.musl-{machine}.so.1 "$output"
"""


class Tools(NamedTuple):
    """Programs for one target, in a folder that may be put on a path."""

    folder: Path
    compiler: Path
    archiver: Path
    version: str


def zig() -> Path:
    """Return the compiler's program."""
    found = importlib.util.find_spec("ziglang")
    if found is None or found.origin is None:
        raise BuildError("the package ziglang is missing: run make wheels")
    return Path(found.origin).parent / "zig"


def tools_for(target: Target, work: Path, sources: Path) -> Tools:
    """Write the compiler of a target as programs of one word, as build systems want them.

    Neither the folder of the build nor that of the sources is in what it makes.
    """
    folder = work / "tools"
    folder.mkdir(parents=True, exist_ok=True)
    program = zig()
    kept_out = f'-ffile-prefix-map="{work}"=. -ffile-prefix-map="{sources}"=.'
    # Its default is to stop at undefined behaviour, for debugging.
    options = f"-target {target.triple} -fno-sanitize=undefined {kept_out}"
    cache = f'ZIG_GLOBAL_CACHE_DIR="{work / "cache"}" ZIG_LOCAL_CACHE_DIR="{work / "cache"}"'
    tools = Tools(folder, folder / "cc", folder / "ar", run(program, "version").strip())
    compiles = f'"{program}" cc {options} "$@"'
    if "musl" in target.triple:
        compiles += _RENAME_MUSL.format(
            patchelf=Path(sys.executable).with_name("patchelf"), machine=target.machine
        )
        _write_program(tools.compiler, f"export {cache}\n{compiles}")
    else:
        _write_program(tools.compiler, f"{cache} exec {compiles}")
    _write_program(tools.archiver, f'{cache} exec "{program}" ar "$@"')
    _write_program(folder / "ranlib", f'{cache} exec "{program}" ranlib "$@"')
    return tools


def _write_program(file: Path, line: str) -> None:
    file.write_text(f"#!/bin/sh\n{line}\n")
    file.chmod(0o755)
