"""The pages do what they say: the examples of each run from top to bottom.

Those of a page share a namespace, and a server with nothing on it.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import zc.zk
from tests.conftest import EXTERNAL_SERVICE, TARGETS
from tests.docs import examples
from tests.docs.pages import NAMED, PAGES, PROJECT
from tests.servers import standalone
from zc.zk.testing import Server
from zc.zk.testing.suites import REAL_SERVER_VARIABLE, service

WITH_EXAMPLES = [name for name, text in PAGES.items() if re.search("^ +>>> ", text, re.MULTILINE)]


@pytest.fixture(scope="session", params=TARGETS)
def target(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """Yield where a real server is, a secured one, and ours; None for the emulation."""
    if EXTERNAL_SERVICE or request.param == "emulation":
        yield EXTERNAL_SERVICE
    elif request.param == "tls":
        with standalone() as running:
            yield running.connection_string
    elif request.param == "real":
        yield request.getfixturevalue("real_server").connection_string
    else:
        with Server() as own:
            yield own.connection_string


@pytest.fixture
def server_of_the_pages(target: str | None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the connection string of the pages lead there, as `setUp` does.

    It is also what clients go by that are given none.
    """
    monkeypatch.setenv("ZC_ZK_CONNECTION_STRING", NAMED)
    if target is None:
        monkeypatch.delenv(REAL_SERVER_VARIABLE, raising=False)
    else:
        monkeypatch.setenv(REAL_SERVER_VARIABLE, target)
    with service(NAMED):
        yield


@contextmanager
def clients_closed(variables: dict[str, Any]) -> Iterator[None]:
    """Close and remove what examples that failed left open."""
    try:
        yield
    finally:
        for value in variables.values():
            if isinstance(value, zc.zk.ZooKeeper):
                value.close()
            elif isinstance(value, Server):
                value.stop()
            elif isinstance(value, tempfile.TemporaryDirectory):
                value.cleanup()
        variables.clear()


@pytest.mark.parametrize("page", WITH_EXAMPLES)
def test_the_examples_of_a_page(page: str, server_of_the_pages: None) -> None:
    variables: dict[str, Any] = {"__name__": "page"}
    with clients_closed(variables):
        report = examples.run(PAGES[page], page, variables)
    assert not report, report


def test_every_kind_of_page_has_examples() -> None:
    assert {"README.txt", "docs/tutorial.txt"} < set(WITH_EXAMPLES)
    assert len(WITH_EXAMPLES) > 12


def test_the_targets_of_make_that_pages_name_exist() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    text = "\n".join(PAGES.values())
    named = set(re.findall(r"(?:^    |``)make ([a-z-]+)(?=``|$| +#| ARGS)", text, re.MULTILINE))
    assert {"demo", "docs"} < named
    for target in named:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_the_page_about_installing_has_every_extra() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    page = PAGES["docs/howto/install.txt"].partition("\nExtras\n---")[2]
    named = set(re.findall(r"^``([\w-]+)``(?:, ``([\w-]+)``)?", page, re.MULTILINE))
    extras = {name for names in named for name in names if name}
    # `static` is for requirements of earlier releases, `test` for those who work on it.
    assert extras == set(project["optional-dependencies"]) - {"static", "test"}


def test_the_pages_install_the_release_that_they_are_of() -> None:
    tomllib = pytest.importorskip("tomllib")
    release = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"]
    for name in ("README.txt", "docs/howto/install.txt"):
        (asked,) = re.findall(r"^    pip install 'zc\.zk>=(.+)'$", PAGES[name], re.MULTILINE)
        assert release == asked or not re.search("[a-z]", release), name


def test_installing_by_a_page_never_finds_the_releases_for_python_2() -> None:
    """Without a number an installer prefers them to a candidate (rc) of 3.0.0."""
    examples = [path for path in (PROJECT / "examples").rglob("*") if path.is_file()]
    texts = {**PAGES, **{str(path): path.read_text(errors="replace") for path in examples}}
    asked = [
        (name, line.strip())
        for name, text in texts.items()
        for line in re.findall(r".*pip install.*zc\.zk.*", text)
    ]
    assert len(asked) > 6
    for name, line in asked:
        assert re.search(r"'zc\.zk(\[[a-z0-9,-]+\])?>=3\.0\.0(rc1)?'", line), (name, line)
