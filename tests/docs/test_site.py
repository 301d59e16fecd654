"""The pages are built without a warning, and lead somewhere wherever they lead."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import zc.zk
import zc.zk.aio
import zc.zk.browse
import zc.zk.formats
import zc.zk.graphvis
import zc.zk.metrics
import zc.zk.providers
import zc.zk.testing
import zookeeper
from tests.deadlines import scaled
from tests.docs.pages import DOCS, INTERNAL, PAGES, PROJECT, README


class Page(HTMLParser):
    """The links of a page, the files that it fetches, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.anchors: set[str] = set()
        self.viewport = ""
        self.tables: list[list[str]] = []
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attributes}
        if "id" in values:
            self.anchors.add(values["id"])
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon", "preload"):
            self.fetched.append(values["href"])
        if tag in ("script", "img", "iframe") and "src" in values:
            self.fetched.append(values["src"])
        if tag == "meta" and values.get("name") == "viewport":
            self.viewport = values["content"]
        if tag == "div":
            self._inside.append(values.get("class", ""))
        if tag == "table" and "docutils" in values.get("class", ""):
            self.tables.append([*self._inside])

    def handle_endtag(self, tag: str) -> None:
        if tag == "div" and self._inside:
            self._inside.pop()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder with the pages, built as `make docs` does it."""
    pytest.importorskip("sphinx")
    pytest.importorskip("furo")
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [
            sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going",
            "--doctree-dir", str(folder / "doctrees"), str(DOCS), str(folder / "pages"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=scaled(180),
    )  # fmt: skip
    assert built.returncode == 0, built.stdout
    assert built.stdout == ""
    return folder / "pages"


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Return the pages by their files."""
    return {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_built_and_no_internal_document(site: Path) -> None:
    built = {path.relative_to(site).with_suffix("") for path in site.rglob("*.html")}
    written = {Path(name).relative_to("docs").with_suffix("") for name in PAGES if "/" in name}
    assert written <= built
    assert not {path.relative_to(DOCS).with_suffix("") for path in INTERNAL} & built


def test_links_lead_to_pages_and_places_that_are_there(pages: dict[Path, Page]) -> None:
    lost, outside = [], []
    for path, page in pages.items():
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                outside.append(link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target in pages:
                if parts.fragment and unquote(parts.fragment) not in pages[target].anchors:
                    lost.append((path.name, link))
            elif not target.exists():
                lost.append((path.name, link))
    assert not lost
    for link in outside:
        assert re.fullmatch(r"https://[\w-]+(\.[\w-]+)+(/[\w./~#?&=%+-]*)?", link), link


def test_a_page_fetches_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    for path, page in pages.items():
        for address in page.fetched:
            parts = urlsplit(address)
            assert not parts.scheme, (path.name, address)
            assert not parts.netloc, (path.name, address)
            assert (path.parent / unquote(parts.path)).exists(), (path.name, address)


def test_a_page_fits_a_phone(pages: dict[Path, Page]) -> None:
    for page in pages.values():
        assert "width=device-width" in page.viewport
    written = [table for page in pages.values() for table in page.tables]
    assert len(written) > 5
    assert all(any("table-wrapper" in name for name in table) for table in written)


def test_the_documents_that_the_readme_names_are_there() -> None:
    text = README.read_text()
    named = re.findall(r"`((?:docs|examples)/[\w./-]*|[A-Z]+\.\w+)`_", text)
    assert len(named) > 8
    # An index shows links of these, with the addresses that scripts/readme.py makes.
    assert set(re.findall(r"^\.\. _([^:]+): \1$", text, re.MULTILINE)) == set(named)
    named += re.findall(r"``((?:docs|examples)/[\w./-]*|[A-Z]+\.\w+)``", text)
    assert [name for name in named if not (PROJECT / name).exists()] == []


PATHS = re.compile(r"``((?:docs|examples|benchmarks|scripts|src|tests)/[\w./-]+)``")


@pytest.mark.parametrize("page", PAGES)
def test_the_files_that_a_page_names_are_there(page: str) -> None:
    named = PATHS.findall(PAGES[page])
    assert [name for name in named if not (PROJECT / name).exists()] == []


# What the reference has an entry for, by the page that has it. Beside entries of their own, names
# have a place in the docstring of their class, or in the page.
CLASSES: dict[type, str] = {
    zc.zk.ZooKeeper: "client",
    zc.zk.Children: "live-objects",
    zc.zk.Properties: "live-objects",
    zc.zk.Tree: "live-objects",
    zc.zk.Registration: "live-objects",
    zc.zk.Registrations: "live-objects",
    zc.zk.Providers: "providers",
    zc.zk.Provider: "providers",
    zc.zk.TLS: "security",
    zc.zk.SASL: "security",
    zc.zk.ParseNode: "trees",
    zookeeper.ZooKeeperException: "exceptions",
    zc.zk.aio.ZooKeeper: "aio",
    zc.zk.aio.Properties: "live-objects",
    zc.zk.aio.Providers: "providers",
    zc.zk.aio.Tree: "live-objects",
    zc.zk.aio.Registration: "live-objects",
    zc.zk.testing.Certificates: "testing",
    zc.zk.testing.Emulation: "testing",
    zc.zk.testing.Server: "testing",
    zc.zk.testing.ServerTLS: "testing",
    zookeeper.CompletionQueue: "zookeeper",
    zookeeper.Subtree: "zookeeper",
    zookeeper.Znode: "zookeeper",
}

# Attributes of the project's own use, in spite of their names.
NOT_FOR_PROGRAMS = {
    "data_may_wait",
    "plain_data",
    "asks_for_certificates",
    "configuration",
    "nested",
    "packed_stat",
    "count",
}


@pytest.fixture(scope="module")
def entries(pages: dict[Path, Page]) -> set[str]:
    """Return the names that the reference has an entry for."""
    return {
        anchor
        for path, page in pages.items()
        if path.parent.name == "reference"
        for anchor in page.anchors
    }


@pytest.mark.parametrize(
    "module",
    [
        zc.zk,
        zc.zk.aio,
        zc.zk.browse,
        zc.zk.formats,
        zc.zk.graphvis,
        zc.zk.metrics,
        zc.zk.providers,
        zc.zk.testing,
    ],
    ids=lambda module: module.__name__,
)
def test_the_reference_has_every_name_of_a_module(module, entries: set[str]) -> None:
    names = {*module.__all__, *({"decode", "encode", "join"} if module is zc.zk else ())}
    known = {entry.rpartition(".")[2] for entry in entries} if module is zc.zk.providers else set()
    assert {name for name in names - known if f"{module.__name__}.{name}" not in entries} == set()


def test_the_reference_has_every_name_of_the_binding(entries: set[str]) -> None:
    names = {name for name in dir(zookeeper) if name[0] != "_"}
    names -= {name for name in names if inspect.ismodule(getattr(zookeeper, name))}
    assert len(names) > 150
    assert {name for name in names if f"zookeeper.{name}" not in entries} - {
        "async", "TLS", "SASL",
    } == set()  # fmt: skip


def own_names(cls: type) -> set[str]:
    """Return the public names that a class has from this project."""
    return {
        name
        for base in cls.__mro__
        if base.__module__.split(".")[0] in ("zc", "zookeeper")
        for name in vars(base)
        if not name.startswith("_")
    }


@pytest.mark.parametrize("documented", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_the_reference_has_every_attribute_of_a_class(documented: type, entries: set[str]) -> None:
    names = own_names(documented) - NOT_FOR_PROGRAMS
    assert names
    ends = {f"{base.__name__}.{name}" for base in documented.__mro__ for name in names}
    with_entry = {
        end.rpartition(".")[2] for end in ends if any(entry.endswith(end) for entry in entries)
    }
    text = f"{documented.__doc__} {PAGES[f'docs/reference/{CLASSES[documented]}.txt']}"
    assert [name for name in names - with_entry if not re.search(rf"\b{name}\b", text)] == []
