"""What an index and its users would find wrong with a wheel."""

from __future__ import annotations

import json
import sys
import tempfile
import zipfile
from pathlib import Path

from scripts.bill_of_materials import FILE
from scripts.wheels.elf import faults_of
from scripts.wheels.running import run
from scripts.wheels.targets import TARGETS, extension_suffix

EXTENSIONS = {"zookeeper/_client", "zookeeper/_tls", "zc/zk/_speedups/_text"}


def extension_names(wheel: str) -> set[str]:
    """Return the names that the Pythons which a wheel is for look for."""
    *_, python, platform = wheel.removesuffix(".whl").split("-")
    (target,) = (target for target in TARGETS if target.tag == platform)
    version = python.replace("cp3", "3.")
    return {name + extension_suffix(target, version) for name in EXTENSIONS}


def platform_of(verdict: str) -> str:
    """Return the platform that auditwheel, with --json, says a wheel is for."""
    # It may warn before.
    told = json.loads(verdict[verdict.index("{") :])
    platform: str = told["overall_tag"]
    return platform


def faults_of_wheel(wheel: Path) -> list[str]:
    """List what is wrong with a wheel."""
    tag = wheel.stem.split("-")[-1]
    # The libraries of this machine are nothing to the wheel, and one has the name of musl's.
    words = ["show", "--json", "--ldpaths=/nowhere"]
    platform = platform_of(run(sys.executable, "-m", "auditwheel", *words, wheel))
    found = [] if tag == platform else [f"auditwheel finds it fit for {platform}"]
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(wheel) as packed:
        packed.extractall(folder)
        unpacked = Path(folder)
        extensions = sorted(unpacked.rglob("*.so"))
        names = {str(path.relative_to(unpacked)) for path in extensions}
        if names != extension_names(wheel.name):
            found.append(f"its extensions are {', '.join(sorted(names))}")
        found += [f"{path.name}: {fault}" for path in extensions for fault in faults_of(path)]
        if not list(unpacked.glob(f"*.dist-info/{FILE}")):
            found.append("it has no bill of materials")
    return found
