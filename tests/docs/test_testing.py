"""The tests that docs/howto/test.txt shows are run as its readers run them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deadlines import scaled
from tests.docs import examples
from tests.docs.pages import PAGES
from tests.servers import Server
from zc.zk.testing.suites import REAL_SERVER_VARIABLE

PAGE = PAGES["docs/howto/test.txt"]
FILES = ("shop.txt", "test_shop.py", "conftest.py", "test_bad_days.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder where a reader has typed the files of the page."""
    written = {block.name: block.text for block in examples.blocks(PAGE)}
    for name in FILES:
        assert f"``{name}``" in PAGE
        (tmp_path / name).write_text(written[name.replace(".", "_")])
    return tmp_path


@pytest.fixture(scope="session", params=["without a service", "with a real server"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Return the reader's environment, with and without a named server."""
    variables = {**os.environ, "PYTHONWARNINGS": "error"}
    variables.pop(REAL_SERVER_VARIABLE, None)
    if request.param == "with a real server":
        real_server: Server = request.getfixturevalue("real_server")
        variables[REAL_SERVER_VARIABLE] = real_server.connection_string
    return variables


def run(folder: Path, environment: dict[str, str], *module: str) -> str:
    """Return the output of `python -m MODULE ...`, which has to end well."""
    process = subprocess.run(
        [sys.executable, "-m", *module],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=scaled(120),
    )
    assert process.returncode == 0, process.stdout
    return process.stdout


def test_the_doctest_and_the_unittest(folder: Path, environment: dict[str, str]) -> None:
    said = run(folder, environment, "unittest", "test_shop")
    assert "Ran 2 tests" in said
    assert ("skipped=1" in said) == (REAL_SERVER_VARIABLE in environment)


def test_the_tests_for_pytest(folder: Path, environment: dict[str, str]) -> None:
    said = run(
        folder,
        environment,
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:asyncio",
        "test_bad_days.py",
    )
    is_real = REAL_SERVER_VARIABLE in environment
    assert re.search("1 passed, 2 skipped" if is_real else "3 passed", said), said
