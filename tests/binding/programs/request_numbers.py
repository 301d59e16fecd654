"""Makes calls of a session whose process has made very many, by the clock that is preloaded.

Arguments: hosts, and how many calls. Prints, as JSON, how many were answered, and which failed.
"""

from __future__ import annotations

import json
import sys

import zookeeper
from tests.sessions import session


def main(hosts: str, count: int) -> None:
    answered, failed = 0, []
    with session(zookeeper, hosts) as handle:
        for number in range(count):
            try:
                if number % 3 == 0:
                    zookeeper.get(handle, "/")
                elif number % 3 == 1:
                    zookeeper.exists(handle, "/", lambda *event: None)
                else:
                    zookeeper.get_many(handle, ["/", "/"])
                answered += 1
            except zookeeper.ZooKeeperException as fault:
                failed.append(f"{number}: {fault!r}")
    print(json.dumps({"answered": answered, "failed": failed}))


main(sys.argv[1], int(sys.argv[2]))
