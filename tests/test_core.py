"""The C core as text: its calls, its locks, its names.

Calls go in one direction, functions have the locks that they need, names are unique and used.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from zookeeper import constants
from zookeeper.errors import CLASS_OF_CODE, SessionError

PACKAGE = Path(__file__).resolve().parent.parent / "src" / "zookeeper"
CORE = PACKAGE / "core"
TLS = PACKAGE / "tls"
FILES = sorted(CORE.glob("*.c"))
# The files of each library, and the header whose comment lists them in their order.
LIBRARIES = {
    "core": (FILES, CORE / "core.h"),
    "tls": (sorted(TLS.glob("*.c")), TLS / "tls.h"),
}
each_library = pytest.mark.parametrize(("files", "header"), LIBRARIES.values(), ids=LIBRARIES)

# At the left margin: a type, a name, arguments, and a body.
FUNCTION = re.compile(
    r"^(?:__attribute__\(\(.*\)\) )?(static )?[a-z_][^\n(=;]*?(\w+)\([^;{}]*\) \{", re.M
)
# Variables and types: the other names at file level, besides functions.
VARIABLE = re.compile(
    r"^static (?:__thread |_Atomic |const |struct )*\w+ \**(\w+)(?: =|;|,|\[)", re.M
)
TYPE = re.compile(r"^\} (\w+);", re.M)
COMMENT = re.compile(r"/\*.*?\*/", re.S)
HELD = re.compile(r"[Ww]ith (?:the|its) lock held|[Ww]ith `submit`\s+held")


def code_of(path: Path) -> str:
    """Return the text without comments and strings."""
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', COMMENT.sub("", path.read_text()))


@cache
def functions(path: Path) -> dict[str, tuple[bool, str]]:
    """Map each function of a file to whether it is static, and its body."""
    text = code_of(path)
    found: dict[str, tuple[bool, str]] = {}
    for match in FUNCTION.finditer(text):
        line_end = text.find("\n", match.end())
        is_short = text[match.end() : line_end].endswith("}")
        end = line_end if is_short else text.index("\n}", match.end())
        found[match[2]] = (bool(match[1]), text[match.end() : end])
    return found


def offered(files: Iterable[Path] = FILES) -> dict[str, Path]:
    return {
        name: path
        for path in files
        for name, (static, _) in functions(path).items()
        if not static and not name.startswith("__wrap_")
    }


def words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def test_functions_are_found() -> None:
    """The other tests would pass on nothing without this."""
    assert len(offered()) > 100
    assert offered()["call_submit"].name == "request.c"
    assert functions(CORE / "request.c")["hand_over"][0]


@each_library
def test_files_call_one_another_without_a_cycle(files: list[Path], header: Path) -> None:
    home = offered(files)
    calls = {
        path.name: {home[word].name for word in words(code_of(path)) & home.keys()} - {path.name}
        for path in files
    }
    assert any(calls.values())
    order = list(TopologicalSorter(calls).static_order())
    assert len(order) == len(files)


@each_library
def test_order_of_files_in_the_header_is_that_of_their_calls(
    files: list[Path], header: Path
) -> None:
    lines = re.findall(r"^ \*     (\w+(?:, \w+)*)(?:  .*)?$", header.read_text(), re.M)
    floors = [line.split(", ") for line in lines]
    floor = {name: number for number, names in enumerate(floors) for name in names}
    assert floor.keys() == {path.stem for path in files}
    home = offered(files)
    upwards = [
        (path.stem, word)
        for path in files
        for word in words(code_of(path)) & home.keys()
        if floor[home[word].stem] < floor[path.stem]
    ]
    assert upwards == []


@each_library
def test_names_at_file_level_are_unique_in_a_library(files: list[Path], header: Path) -> None:
    """A debugger, a profile and a stack trace show the name alone."""
    names = Counter(
        name
        for path in files
        for name in {
            *functions(path),
            *VARIABLE.findall(code_of(path)),
            *TYPE.findall(code_of(path)),
        }
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_functions_that_headers_offer_are_used_by_another_file() -> None:
    outside = [*PACKAGE.glob("*.p[xy]*")]
    texts = {path: words(code_of(path)) for path in FILES}
    texts |= {path: words(re.sub(r"#.*", "", path.read_text())) for path in outside}
    unused = [
        name
        for name, home in offered().items()
        if not any(name in text for path, text in texts.items() if path != home)
        and name not in words(code_of(CORE / f"{home.stem}.h").replace(f"{name}(", "", 1))
    ]
    # A declaration for Cython is no use: the declaration alone would keep the function.
    declared = words((PACKAGE / "_core.pxd").read_text())
    assert [name for name in unused if name not in declared] == []


def test_functions_of_the_declarations_for_cython_are_called_by_its_code() -> None:
    code = " ".join(re.sub(r"#.*", "", path.read_text()) for path in PACKAGE.glob("*.p[xy][xi]"))
    declared = re.findall(r"(\w+)\(", (PACKAGE / "_core.pxd").read_text())
    assert [name for name in declared if name not in words(code)] == []


def functions_that_need_a_lock(text: str) -> set[str]:
    """Return the functions whose comment says that they need a lock.

    The comment is right before a declaration or definition.
    """
    return {
        found[1]
        for comment in COMMENT.finditer(text)
        if HELD.search(comment[0])
        and (found := re.match(r"\n[a-z][\w ]*[ *]+(\w+)\(", text[comment.end() :]))
    }


def test_functions_that_need_a_lock_assert_it() -> None:
    needing = set().union(
        *(functions_that_need_a_lock(path.read_text()) for path in [*FILES, *CORE.glob("*.h")])
    )
    assert len(needing) > 5
    bodies = {name: body for path in FILES for name, (_, body) in functions(path).items()}
    assert [name for name in needing if "core_assert_held(" not in bodies[name]] == []


def test_each_mutex_has_its_rank_in_the_table_of_locks() -> None:
    text = (CORE / "locks.h").read_text()
    listed = re.findall(r"^ \*     (LOCK_\w+) +(?:\w+\.)?(\w+)", text, re.M)
    ranks = re.findall(r"^    (LOCK_\w+),$", text, re.M)
    assert [rank for rank, _ in listed] == ranks
    made = [
        (rank, name)
        for path in FILES
        for name, rank in [
            *re.findall(r"core_mutex_init\(&(?:\w+->)?(\w+), (LOCK_\w+)\)", code_of(path)),
            *re.findall(r"(\w+) = CORE_MUTEX\((LOCK_\w+)\)", code_of(path)),
        ]
    ]
    assert set(made) == set(listed)


def test_mutexes_without_a_rank_are_in_locks_h_alone() -> None:
    bare = [
        path.name
        for path in [*FILES, *CORE.glob("*.h")]
        if "pthread_mutex" in code_of(path) and path.stem != "locks"
    ]
    assert bare == []


def test_codes_of_the_session_are_those_of_session_errors() -> None:
    cases = re.findall(r"case Z(\w+):", functions(CORE / "codes.c")["code_is_of_the_session"][1])
    of_errors = {error.code for error in CLASS_OF_CODE.values() if issubclass(error, SessionError)}
    assert len(cases) > 5
    assert {getattr(constants, name) for name in cases} == of_errors


def test_parts_of_the_extension_have_less_than_300_lines() -> None:
    files = [
        *PACKAGE.glob("*.pyx"),
        *PACKAGE.glob("*.px[id]"),
        *CORE.glob("*.[ch]"),
        *TLS.glob("*.[ch]"),
    ]
    long = {path.name: len(path.read_text().splitlines()) for path in files}
    assert {name: lines for name, lines in long.items() if lines >= 300} == {}


def test_docstrings_of_the_binding_begin_with_a_short_line() -> None:
    files = [*PACKAGE.glob("*.pyx"), *PACKAGE.glob("*.pxi")]
    lines = [
        (path.name, line)
        for path in files
        for line in re.findall(r'(?:def|class) [^"]*?:\n\s+"""(.*?)(?:"""|\n)', path.read_text())
    ]
    assert len(lines) > 100
    assert [found for found in lines if len(found[1]) > 75] == []


def test_no_sentence_in_the_sources_begins_with_who_or_what_as_its_subject() -> None:
    begins = re.compile(r"(?:^\s*|[.:;] |/\* |\* |# |\"\"\")(?:What|Who|Whoever|Whose)\b", re.M)
    kinds = {".c", ".h", ".js", ".pxd", ".pxi", ".py", ".pyi", ".pyx"}
    files = [path for path in PACKAGE.parent.rglob("*") if path.suffix in kinds]
    assert len(files) > 200
    assert [path.name for path in files if begins.search(path.read_text())] == []


def test_limits_in_the_sources_are_named_max_and_min() -> None:
    other = re.compile(r"\b(?:[A-Z_]+_)?(?:MOST|LEAST|LONGEST|SHORTEST|LARGEST|FEW)(?:_[A-Z_]+)?\b")
    found = [
        (path.name, name)
        for path in PACKAGE.parent.rglob("*.*")
        if path.suffix in {".c", ".h", ".js", ".pxd", ".pxi", ".py", ".pyi", ".pyx"}
        for name in other.findall(path.read_text())
    ]
    assert found == []
