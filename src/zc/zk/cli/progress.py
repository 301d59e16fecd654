"""How far long work has got, on a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from zc.zk.cli.failures import status_of_interruption
from zc.zk.cli.output import is_terminal, tell

# Most work is done before anybody would look at a bar.
PATIENCE_SECONDS = 0.7


@contextmanager
def progress(what: str) -> Iterator[_Bar | None]:
    """Return a `progress` function, or None where there is nobody to see it.

    `what` says what is going on. The bar is tqdm's, which is imported when there is something to
    show; without it there is none.
    """
    if not is_terminal(sys.stderr):
        yield None
        return
    bar = _Bar(what)
    try:
        yield bar
    finally:
        bar.close()


@contextmanager
def looking() -> Iterator[_Bar | None]:
    """Return a `progress` function for nodes that are printed as they are found.

    There is none where the results are on the terminal themselves, and tell how far it has got.
    """
    if is_terminal(sys.stdout):
        yield None
        return
    with progress("look") as bar:
        yield bar


@contextmanager
def writing(name: str, what: str) -> Iterator[_Bar | None]:
    """Return a `progress` function for changes, of which an end by a signal tells.

    `name` is the command's.
    """
    try:
        with progress(what) as bar:
            yield bar
    except BaseException as fault:
        if status_of_interruption(fault) is not None:
            with suppress(OSError):  # the terminal may have gone, which is what SIGHUP says
                tell(
                    name,
                    "interrupted: some changes may have been made, run it again to make the rest",
                )
        raise


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._started = time.monotonic()
        self._bar: Any = None
        self._is_missing = False

    def __call__(self, done: int, total: int | None) -> None:
        if self._bar is None and not self._is_missing:
            if time.monotonic() - self._started < PATIENCE_SECONDS:
                return
            self._make(total)
        if self._bar is not None:
            self._bar.total = total
            self._bar.n = done
            self._bar.refresh()

    def close(self) -> None:
        if self._bar is not None:
            self._bar.close()

    def _make(self, total: int | None) -> None:
        try:
            from tqdm import tqdm
        except ImportError:
            self._is_missing = True
            return
        tqdm.monitor_interval = 0  # no thread to watch over the bar
        self._bar = tqdm(
            total=total, desc=self._what, unit=" nodes", leave=False, file=sys.stderr, miniters=1
        )
        # For its idea of how fast the work is.
        self._bar.start_t -= time.monotonic() - self._started
