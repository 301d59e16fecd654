"""The command `zookeeper_server`: a server for development, until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from zc.zk.testing.server import LOOPBACK, Server
from zc.zk.testing.snapshot import SnapshotError
from zc.zk.testing.suites import plant

DEFAULT_PORT = 2181

BANNER = "A server for development and tests; for real work run a ZooKeeper ensemble."

ENDING = (signal.SIGINT, signal.SIGTERM)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a server until SIGINT or SIGTERM. Returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        # Before there are threads, which would get the signals otherwise.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        return _serve(options)
    except (OSError, SnapshotError, ValueError) as fault:
        print(f"zookeeper_server: {fault}", file=sys.stderr)
        return 1
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _serve(options: argparse.Namespace) -> int:
    tree = options.tree.read_text(encoding="utf-8") if options.tree else ""
    print(BANNER, file=sys.stderr)
    with Server(options.port, host=options.host, data=options.data) as server:
        plant(server.connection_string, tree)
        print(f"listening on {server.connection_string}", flush=True)
        signal.sigwait(ENDING)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="zookeeper_server", description=BANNER)
    parser.add_argument(
        "--port",
        type=int,
        default=DEFAULT_PORT,
        help="0 for one that is free (default: %(default)s)",
    )
    parser.add_argument("--host", default=LOOPBACK, help="where to listen (default: %(default)s)")
    parser.add_argument("--tree", type=Path, help="a file with a tree to import at the start")
    parser.add_argument("--data", type=Path, help="a file to keep nodes and sessions in")
    return parser


if __name__ == "__main__":
    sys.exit(main())
