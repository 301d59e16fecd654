"""The source distribution, and out of it a wheel for each platform and Python."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from scripts.wheels.archives import repack
from scripts.wheels.debian import fetch_release
from scripts.wheels.interpreters import ROOT, environment_of, link_headers
from scripts.wheels.libraries import Libraries, build_libraries, unpack
from scripts.wheels.running import BuildError, plain_environment, run
from scripts.wheels.targets import Target, extension_suffix, python_tag
from scripts.wheels.zig import Tools, tools_for

BUILD_TOOLS = ["setuptools", "Cython"]


def time_of_commit() -> int:
    """Return the time that is written into what is built: of the commit, or SOURCE_DATE_EPOCH."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    return int(given or run("git", "log", "-1", "--format=%ct", cwd=ROOT))


def build_sdist(output: Path, made_at: int) -> Path:
    """Build the source distribution of the checkout."""
    environment = plain_environment({"SOURCE_DATE_EPOCH": str(made_at)})
    words = ["-m", "build", "--no-isolation", "--sdist", "--outdir", str(output)]
    run(sys.executable, *words, cwd=ROOT, environment=environment)
    (sdist,) = output.glob("*.tar.gz")
    repack(sdist, made_at)
    return sdist


class Workshop:
    """A folder where wheels are built; what can be used again stays there."""

    def __init__(self, work: Path, sdist: Path, made_at: int) -> None:
        self._work = work
        self._sdist = sdist
        self._made_at = made_at
        self._archives: list[Path] = []

    def fetch_sources(self) -> None:
        """Fetch what is linked into the wheels, unless it is there."""
        sources = self._work / "sources"
        self._archives = [fetch_release(name, sources) for name in ("zookeeper", "openssl")]

    def build_libraries(self, target: Target) -> tuple[Tools, Libraries]:
        """Build what is linked into the wheels of a target, unless it is there."""
        work = self._work / target.tag
        tools = tools_for(target, work, work)
        client, openssl = self._archives
        return tools, build_libraries(target, tools, client, openssl, work)

    def interpreter(self, python: str) -> Path:
        """Return a Python of this machine with what builds the extensions."""
        return environment_of(python, self._work / python_tag(python) / "environment", BUILD_TOOLS)

    def build_wheels(
        self, python: str, interpreter: Path, targets: Sequence[Target], output: Path
    ) -> list[Path]:
        """Build the wheels of a Python, for some targets."""
        folder = self._work / python_tag(python)
        shutil.rmtree(folder / "source", ignore_errors=True)
        source = unpack(self._sdist, folder / "source")
        headers = link_headers(interpreter, folder / "headers")
        built = []
        translated: Path | None = None
        for target in targets:
            temporary = folder / target.tag
            shutil.rmtree(temporary, ignore_errors=True)
            if translated is not None:
                _copy_translations(translated, temporary)
            made = self._build_wheel(python, interpreter, headers, target, source, temporary)
            built.append(Path(shutil.move(made, output / made.name)))
            translated = temporary
        return built

    def _build_wheel(
        self,
        python: str,
        interpreter: Path,
        headers: Sequence[str],
        target: Target,
        source: Path,
        temporary: Path,
    ) -> Path:
        _, libraries = self.build_libraries(target)
        tools = tools_for(target, self._work / target.tag, source)
        environment = plain_environment(
            {
                "CC": str(tools.compiler),
                "LDSHARED": f"{tools.compiler} -shared",
                "AR": str(tools.archiver),
                "CFLAGS": " ".join(headers),
                "SETUPTOOLS_EXT_SUFFIX": extension_suffix(target, python),
                "_PYTHON_HOST_PLATFORM": f"linux-{target.machine}",
                "ZOOKEEPER_STATIC_LIB": str(libraries.client),
                "ZOOKEEPER_INCLUDE_DIR": str(libraries.client_headers),
                "ZOOKEEPER_OPENSSL": str(libraries.openssl),
                "SOURCE_DATE_EPOCH": str(self._made_at),
                "PYTHONHASHSEED": "0",
            }
        )
        commands: list[str | Path] = [
            *("build", "--build-base", temporary, "--build-temp", temporary / "temp"),
            *("bdist_wheel", "--bdist-dir", temporary / "wheel", "--dist-dir", temporary / "dist"),
            *("--plat-name", target.tag),
        ]
        run(interpreter, "setup.py", "--quiet", *commands, cwd=source, environment=environment)
        (made,) = (temporary / "dist").glob("*.whl")
        tag = python_tag(python)
        if not made.name.endswith(f"-{tag}-{tag}-{target.tag}.whl"):
            raise BuildError(f"{made.name} is no wheel of Python {python} for {target.tag}")
        return made


def _copy_translations(built: Path, temporary: Path) -> None:
    """Copy the C that Cython wrote, which is the same for every target."""
    for file in (built / "temp").rglob("src/**/*.c"):
        place = temporary / file.relative_to(built)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)
