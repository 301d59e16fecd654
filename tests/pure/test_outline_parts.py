"""A text that is read in parts has the outline that it has when it is read at once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.deadlines import scaled
from tests.pure.test_outline import NOT_OUTLINED, OUTLINED, plain_texts
from tests.pure.test_unparsed import altered, export_of, tops
from zc.zk._speedups import outline_of
from zc.zk.acl import READ_ACL_UNSAFE
from zc.zk.tree.diff import plan_outline

pytestmark = pytest.mark.quick

SANITIZED = bool(os.environ.get("LD_PRELOAD"))

AT_ONCE = 1
PARTS = [2, 3, 4]


def nodes(text: str, parts: int) -> list[object] | None:
    """Return what is to be made of a text that is read in parts; None if it is to be parsed."""
    outline = outline_of(text, parts)
    if outline is None:
        return None
    plan = plan_outline(outline, "/top")
    return [
        outline.names,
        [change.attributes() for change in plan],
        [*plan.operations(READ_ACL_UNSAFE)],
    ]


def is_as_at_once(text: str) -> bool:
    at_once = nodes(text, AT_ONCE)
    return all(nodes(text, parts) == at_once for parts in PARTS)


@settings(deadline=None, max_examples=300)
@given(plain_texts() | tops().map(export_of), st.data())
def test_parts_have_the_outline_of_the_whole(text: str, draw: st.DataObject) -> None:
    assert is_as_at_once(text)
    assert is_as_at_once(draw.draw(altered(text)))


@pytest.mark.parametrize("text", OUTLINED + NOT_OUTLINED, ids=range(len(OUTLINED + NOT_OUTLINED)))
def test_unusual_text_in_parts_is_as_it_is_at_once(text: str) -> None:
    assert is_as_at_once(text)


def tree_text(depth: int, width: int, properties: int, indent: str = "") -> str:
    lines = [f"{indent}p{number:02} = {number}" for number in range(properties)]
    for number in range(width if depth else 0):
        lines.append(f"{indent}/n{number:03}")
        below = tree_text(depth - 1, width, properties, indent + "  ")
        lines += [below] if below else []
    return "\n".join(lines)


TREES = {
    "wide": tree_text(1, 500, 0) + "\n",
    "bushy": tree_text(4, 5, 2)[len("p00 = 0\np01 = 1\n") :] + "\n",
    "chain": "".join(f"{'  ' * level}/n\n" for level in range(200)),
    "chains": "".join(
        f"/a{number:02}\n" + "".join(f"{' ' * level}/n\n" for level in range(1, 40))
        for number in range(40)
    ),
    "with blanks": "\n\n".join(f"# {number}\n/a{number:02}\n  x = 1\n" for number in range(90)),
}


@pytest.mark.parametrize("name", TREES)
@pytest.mark.parametrize("parts", PARTS)
def test_plain_trees_are_read_in_parts(name: str, parts: int) -> None:
    outline = outline_of(TREES[name], parts)
    assert outline is not None
    assert outline.parts == parts
    assert is_as_at_once(TREES[name])


@pytest.mark.parametrize("name", TREES)
def test_a_text_that_is_cut_anywhere_is_read_as_at_once(name: str) -> None:
    text = TREES[name]
    for start in range(0, len(text), 7 + len(text) // 400):
        assert is_as_at_once(text[start:])
        assert is_as_at_once(text[: len(text) - start])


@pytest.mark.parametrize(
    "text",
    [
        "/a\n  /b\n  /c\n/d\n   /x\n  /y\n",  # siblings that are indented differently
        "/a\n    /b\n    /c\n  /d\n    /e\n",  # an indentation that nobody has begun
        "/a\n  /b\n/a\n  /c\n",  # a name that comes twice, once in each part
        "/b\n  /c\n/a\n  /d\n",  # names out of order, across the parts
        "/a\n  /c\n    /x\n  /b\n    /y\n",
        "/a\n  x = 1\n    /b\n      /c\n",  # a node below a property
        "/a\n  /b\n    /c\n  x = 1\n",  # a property behind its node's children
    ],
)
def test_faults_that_only_the_parts_together_show_are_found(text: str) -> None:
    assert outline_of(text, AT_ONCE) is None
    assert is_as_at_once(text)


def test_parts_are_no_more_than_there_are_nodes() -> None:
    outline = outline_of("/a\n/b\n", 4)
    assert outline is not None
    assert outline.parts == 2
    assert outline_of("/a\n", 4) is not None
    assert outline_of("", 4) is not None


def test_long_decimals_of_lists_are_looked_at_by_python() -> None:
    lines = [f"/n{number:03}\n  x = [1, -2.50, 0.1234567890123456789]" for number in range(99)]
    assert nodes("\n".join(lines), AT_ONCE) is None
    text = "\n".join(lines).replace("-2.50", "-2.5").replace("56789]", "]")
    assert nodes(text, AT_ONCE) is not None
    assert is_as_at_once(text)


def test_a_long_text_is_read_in_parts_by_itself() -> None:
    text = tree_text(1, 100, 0) + "\n    x = '" + 1_000_000 * "x" + "'\n/z\n"
    outline = outline_of(text)
    assert outline is not None
    # One part before the long value, one behind it, if there are processors for both.
    assert outline.parts == (2 if len(os.sched_getaffinity(0)) > 1 else 0)


def test_many_threads_read_texts_in_parts_at_once() -> None:
    wrong = []

    def read() -> None:
        for name, text in TREES.items():
            if not is_as_at_once(text):
                wrong.append(name)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(scaled(60))
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong


def test_the_caller_stays_on_its_processors() -> None:
    text = TREES["wide"]
    before = os.sched_getaffinity(0)
    for _ in range(5000):
        assert outline_of(text, 4) is not None
        assert os.sched_getaffinity(0) == before


WITHOUT_THREADS = """
import resource, sys, threading
from zc.zk._speedups import outline_of
text = "".join(f"/n{number:03}\\n  x = 1\\n" for number in range(300))
sizes = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize")]
resource.setrlimit(resource.RLIMIT_AS, (1024 * int(sizes[0]) + 6_000_000, -1))
outline = outline_of(text, 4)
try:
    threading.Thread(target=print).start()
except RuntimeError as fault:
    print(outline.parts, len(outline.names), fault)
"""


def test_without_threads_all_parts_are_read_by_the_caller() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_THREADS], capture_output=True, text=True, timeout=60
    )
    assert ran.stdout == "4 300 can't start new thread\n", ran.stderr


WITHOUT_MEMORY = """
import os, resource
from zc.zk._speedups import outline_of
text = "".join(f"/n{number:06}\\n  a = {number}\\n" for number in range(40_000))
sizes = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmSize")]
endings = set()
for more in range(0, 40_000_000, 100_000):
    child = os.fork()
    if child == 0:
        resource.setrlimit(resource.RLIMIT_AS, (1024 * int(sizes[0]) + more, -1))
        try:
            outline_of(text, 4)
        except MemoryError:
            pass
        os._exit(0)
    endings.add(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
print(*endings)
"""


@pytest.mark.skipif(SANITIZED, reason="a sanitizer takes all addresses for itself")
def test_however_little_memory_there_is_the_process_goes_on() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_MEMORY], capture_output=True, text=True, timeout=scaled(60)
    )
    assert (ran.stdout, ran.stderr) == ("0\n", "")
