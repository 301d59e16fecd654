"""The documents that users read: README.txt, and the pages below docs/."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).parents[2]
DOCS = PROJECT / "docs"
README = PROJECT / "README.txt"

# The pages say that ZooKeeper is here.
NAMED = "zookeeper.example.com:2181"

# The documents below docs/ for those who work on zc.zk; docs/conf.py leaves them out.
INTERNAL = {
    DOCS / "architecture.txt",
    DOCS / "benchmarks.txt",
    DOCS / "dependencies.txt",
    DOCS / "testing.txt",
    DOCS / "where-to-find.txt",
    *(DOCS / "decisions").rglob("*.txt"),
}

PAGES = {
    str(path.relative_to(PROJECT)): path.read_text("utf-8")
    for path in [README, *sorted(set(DOCS.rglob("*.txt")) - INTERNAL)]
}
