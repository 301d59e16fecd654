"""Regular expressions that are compiled when they are first used.

To compile all those of tree text takes a tenth of the processor time in which a command starts, and
a command needs few of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, AnyStr, cast

if TYPE_CHECKING:
    from re import Pattern


class _Later:
    """Stands for a pattern. A method that was used once is found without a detour."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._given = (text, flags)

    def __getattr__(self, name: str) -> Any:
        # Threads that come here at once compile it twice, or find it in the cache of `re`.
        value = getattr(re.compile(*self.__dict__["_given"]), name)
        setattr(self, name, value)
        return value


def pattern(text: AnyStr, flags: int = 0) -> Pattern[AnyStr]:
    """Return what `re.compile` returns, for its methods and attributes.

    A mistake in `text` is found at the first use: re.error.
    """
    return cast("Pattern[AnyStr]", _Later(text, flags))
