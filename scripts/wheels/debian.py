"""Sources and systems from Debian's packages, without touching the system's own settings.

apt checks all that it gets by Debian's signatures. It works in a folder of its own here, and takes
the place that packages come from from the settings of the machine.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from scripts.wheels.running import BuildError, run

KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"


def own_sources(folder: Path) -> list[tuple[str, str]]:
    """List the places and suites of Debian that the machine has, such as (URI, bookworm)."""
    lines = run(
        "apt-get",
        "indextargets",
        "--format",
        "$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
        cwd=folder,
    )
    found = re.findall(r"^Debian (\S+) (\S+) main$", lines, re.MULTILINE)
    if not found:
        raise BuildError("apt has no lists of Debian's packages here: run apt-get update")
    return list(dict.fromkeys(found))


class Apt:
    """apt in a folder of its own, for one architecture."""

    def __init__(self, folder: Path, lines: Sequence[str], architecture: str = "amd64") -> None:
        for place in ("lists/partial", "cache/archives/partial"):
            (folder / place).mkdir(parents=True, exist_ok=True)
        (folder / "sources.list").write_text("".join(f"{line}\n" for line in lines))
        # Nothing is installed, so whatever a package needs is fetched with it.
        (folder / "status").touch()
        self.folder = folder
        self._options = [
            f"--option={option}"
            for option in (
                f"Dir::Etc::sourcelist={folder}/sources.list",
                "Dir::Etc::sourceparts=/dev/null",
                f"Dir::State::lists={folder}/lists",
                f"Dir::State::status={folder}/status",
                f"Dir::Cache={folder}/cache",
                f"APT::Architecture={architecture}",
                f"APT::Architectures={architecture}",
                "APT::Install-Recommends=false",
                "APT::Sandbox::User=root",
                "Debug::NoLocking=true",
            )
        ]

    def get(self, *words: str, cwd: Path | None = None) -> str:
        """Run apt-get."""
        return run("apt-get", *self._options, "--quiet", *words, cwd=cwd)


def fetch_release(name: str, folder: Path, suite: str | None = None) -> Path:
    """Fetch the authors' release of a program as Debian's source package has it.

    It is of the machine's own release of Debian and its fixes, or of another one. Debian's own
    changes are left out: of what is linked they change spelling and the build alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pattern = f"{name}_*.orig.tar.*[!c]"
    found = sorted(folder.glob(pattern))
    if not found:
        sources = own_sources(folder) if suite is None else [(main_archive(folder), suite)]
        lines = [f"deb-src [signed-by={KEYS}] {uri} {of} main" for uri, of in sources]
        apt = Apt(folder / "apt", lines)
        apt.get("update")
        apt.get("source", "--download-only", "--tar-only", name, cwd=folder)
        found = sorted(folder.glob(pattern))
    if not found:
        raise BuildError(f"Debian's source package {name} brought no release into {folder}")
    return found[-1]


def main_archive(folder: Path) -> str:
    """Return the place that releases come from, rather than fixes."""
    return next(uri for uri, suite in own_sources(folder) if "-" not in suite)


def unpack_system(folder: Path, suite: str, architecture: str, packages: Sequence[str]) -> Path:
    """Unpack packages, and all that these need, into a folder; return their root.

    No script of a package runs, so the architecture may be a foreign one.
    """
    root = folder / "root"
    done = folder / "unpacked"
    wanted = " ".join([suite, architecture, *packages])
    if done.exists() and done.read_text() == wanted:
        return root
    folder.mkdir(parents=True, exist_ok=True)
    line = f"deb [signed-by={KEYS}] {main_archive(folder)} {suite} main"
    apt = Apt(folder / "apt", [line], architecture)
    apt.get("update")
    apt.get("--yes", "--download-only", "install", *packages)
    root.mkdir(exist_ok=True)
    for package in sorted((apt.folder / "cache" / "archives").glob("*.deb")):
        run("dpkg-deb", "--extract", package, root)
    done.write_text(wanted)
    return root
