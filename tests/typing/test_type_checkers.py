"""Programs of users are clean under the strict modes of mypy and pyright, by our types."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("program.py")
EXAMPLES = [ROOT / "examples" / f"asyncio_{part}.py" for part in ("service", "consumer")]

# A mistake that only a checker finds that knows our types.
MISTAKE = """\
import zc.zk


def main(zk: zc.zk.ZooKeeper) -> int:
    data, _ = zk.get("/shop")
    return data
"""


def mypy(files: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    nothing = folder / "mypy.ini"
    nothing.write_text("[mypy]\n")
    command = ["mypy", "--strict", f"--config-file={nothing}", f"--cache-dir={folder}", *files]
    return run(command, folder)


def pyright(files: list[Path], folder: Path) -> subprocess.CompletedProcess[str]:
    settings = {
        "typeCheckingMode": "strict",
        "include": list(map(str, files)),
        "extraPaths": [str(ROOT / "src")],
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["basedpyright", f"--project={folder}", f"--pythonpath={sys.executable}"]
    return run(command, folder)


def run(command: Sequence[object], folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name(str(command[0]))
    words = [str(program), *map(str, command[1:])]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("check", [mypy, pyright])
class TestCheckers:
    def test_programs_of_both_faces_are_clean(self, check, tmp_path) -> None:
        done = check([PROGRAM, *EXAMPLES], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr

    def test_a_mistake_is_found(self, check, tmp_path) -> None:
        wrong = tmp_path / "wrong.py"
        wrong.write_text(MISTAKE)
        done = check([wrong], tmp_path)
        assert done.returncode == 1
        assert "None" in done.stdout
        assert "wrong.py:6" in done.stdout
