"""Imports at first use, in the middle of which no process forks.

A child process has not got the thread that is importing a module, and would wait for ever for that
module. So a fork waits until these imports are done:

    with importing:
        from zc.zk.operations import walk
"""

from __future__ import annotations

import os
import threading

# Re-entrant: a finaliser or a signal handler may come back to it, or fork, in the middle.
importing = threading.RLock()
os.register_at_fork(
    before=importing.acquire,
    after_in_parent=importing.release,
    after_in_child=importing.release,
)
