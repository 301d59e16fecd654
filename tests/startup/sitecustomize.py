"""Python runs this at the start of programs of the target *tls*: their sessions go by TLS.

See `tests/secured.py`, which puts this folder on their PYTHONPATH. The binding is imported when the
program does so, and no earlier.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Finder:
    """Finds the binding as ever, and changes it once it has been executed."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "zookeeper":
            return None
        sys.meta_path.remove(self)
        from importlib.util import find_spec

        spec = find_spec(name)
        assert spec is not None
        loader = spec.loader
        assert loader is not None
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            # Programs that run elsewhere do not find the tests.
            sys.path.append(ROOT)
            from tests.secured import go_by_tls

            sys.path.pop()
            go_by_tls(module)

        loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if "ZK_TEST_KEYS" in os.environ:
    sys.meta_path.insert(0, Finder())
