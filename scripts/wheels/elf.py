"""What a built extension must be like, as readelf tells of any machine's."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.wheels.interpreters import ROOT
from scripts.wheels.running import run

# Libraries that every system of a kind has: those of glibc, of musl, and their loaders.
_LIBC = re.compile(r"lib(c|m|pthread|dl|rt)\.so\.\d|ld-linux[\w-]*\.so\.\d|libc\.musl-\w+\.so\.1")


def faults_of(extension: Path) -> list[str]:
    """List what is wrong with an extension for a wheel: nothing, if it is hardened and stripped."""
    found = []
    dynamic = run("readelf", "--wide", "--dynamic", extension)
    segments = run("readelf", "--wide", "--program-headers", extension)
    sections = run("readelf", "--wide", "--sections", extension)
    symbols = run("readelf", "--wide", "--dyn-syms", extension)
    if not re.search(r"\bUND __stack_chk_fail\b", symbols):
        found.append("it has no stack protector")
    if "GNU_RELRO" not in segments or not re.search(r"FLAGS.*\bNOW\b|BIND_NOW", dynamic):
        found.append("its table of functions is writable")
    if re.search(r"GNU_STACK.*\bRWE\b", segments) or "GNU_STACK" not in segments:
        found.append("its stack is executable")
    if ".symtab" in sections or ".debug" in sections:
        found.append("it has symbols for debuggers")
    if "RPATH" in dynamic or "RUNPATH" in dynamic:
        found.append("it looks for libraries in a folder")
    if "TEXTREL" in dynamic:
        found.append("its code is relocated, so it is writable")
    past = sorted(checked_calls(symbols) & wrapped_names((ROOT / "setup.py").read_text()))
    if past and "_client" in extension.name:
        found.append(f"it calls {', '.join(past)} past us")
    needed = re.findall(r"NEEDED.*\[(.+)\]", dynamic)
    foreign = [name for name in needed if not _LIBC.fullmatch(name)]
    if foreign:
        found.append(f"it needs {', '.join(foreign)}")
    shown = exported(symbols)
    if [name for name in shown if not name.startswith("PyInit_")] or len(shown) != 1:
        found.append(f"it shows {', '.join(shown) or 'nothing'}")
    return found


def wrapped_names(setup: str) -> set[str]:
    """Return the functions that setup.py has the core put itself in front of."""
    listed = re.search(r"^WRAPPED = \[(.*?)^\]", setup, re.MULTILINE | re.DOTALL)
    if listed is None:
        raise LookupError("setup.py has no list WRAPPED")
    return {*re.findall(r'"(\w+)"', listed[1])}


def checked_calls(symbols: str) -> set[str]:
    """Return the functions that are called in the form that checks sizes, such as __poll_chk."""
    return {*re.findall(r"\bUND __(\w+)_chk\b", symbols)}


def exported(symbols: str) -> list[str]:
    """List the names that readelf --dyn-syms shows as defined and global."""
    pattern = r"\b(?:GLOBAL|WEAK)\s+\w+\s+(?:\d+|ABS)\s+(\S+)$"
    return re.findall(pattern, symbols, re.MULTILINE)
