"""Servers that tests register below `/providers`.

The fixture `providers` makes the node.
"""

from __future__ import annotations

import json
from typing import Any

import zc.zk

ADDRESS = ("1.2.3.4", 80)
PATH = "/providers/1.2.3.4:80"


def data_of(zk: zc.zk.ZooKeeper, path: str = PATH) -> dict[str, Any]:
    """Return the data of a registered server, as JSON has them."""
    properties: dict[str, Any] = json.loads(zk.get(path)[0] or "")
    return properties
