"""Counts how often a thread that writes operations down offers its processor (yields.c).

Arguments: hosts, the library that is preloaded, milliseconds for which the processor is gone each
time, how many operations. Prints its outcome as JSON.
"""

from __future__ import annotations

import ctypes
import json
import sys

import zookeeper
from tests.sessions import OPEN, session

hosts, library = sys.argv[1:3]
milliseconds, count = map(int, sys.argv[3:])
yields = ctypes.CDLL(library)
ctypes.c_int.in_dll(yields, "yields_milliseconds").value = milliseconds

with session(zookeeper, hosts) as handle:
    zookeeper.create(handle, "/n", "", OPEN)
    counter = ctypes.c_long.in_dll(yields, "yields_count")
    before = counter.value
    operations = (("set", "/n", str(number)) for number in range(count))
    results = zookeeper.write_many(handle, operations, count=count)
    offers = counter.value - before
    data = zookeeper.get(handle, "/n")[0]
    print(json.dumps({"offers": offers, "data": data, "results": len(results)}))
