"""Opens a handle in a finaliser at the very end of the interpreter, and prints what is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import zookeeper


class Late:
    """The finaliser has what it needs in its arguments: names of modules are gone by then."""

    def __del__(
        self,
        init: Callable[[str], int] = zookeeper.init,
        write: Callable[..., None] = print,
        dumps: Callable[[Any], str] = json.dumps,
    ) -> None:
        try:
            init("127.0.0.1:1")
        except Exception as fault:
            write(dumps(str(fault).removeprefix("system error: ")), flush=True)


late = Late()
zookeeper.close(zookeeper.init("127.0.0.1:1"))
