"""A program with a monitor and few descriptors, which works while flooded.

Prints the monitor's address. Then, for each line on standard input, opens a dozen files at once,
and prints the processor time that it has used so far, in seconds.
"""

from __future__ import annotations

import resource
import sys
import time
from contextlib import ExitStack

from zc.zk.monitor import start


def main() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    with start(0) as monitor:
        print(monitor.address, flush=True)
        for _ in sys.stdin:
            with ExitStack() as stack:
                for _ in range(12):
                    stack.enter_context(open("/dev/null", "rb"))
            print(time.process_time(), flush=True)


main()
