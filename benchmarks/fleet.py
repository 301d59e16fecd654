"""Measure a fleet of clients: what all of them do in the same second.

Each client registers one server, and follows 5 services (lists of servers, with a callback) and 5
settings. They are spread over a few processes, and reach the servers by way of relays that count.
One after another:

- all are started;
- all connections are broken at once, within their sessions;
- the leader is lost; with one server (--servers 1) that one is killed and started again;
- all providers are restarted, one after another in each process;
- all sessions expire: the network is away for longer than their timeout;
- a list of 5,000 names changes ten times a second, before a tenth of the clients.

For each, counted from the end of the trouble: seconds until all servers are listed again, and until
all of the clients show what the servers have; the longest time that any of them was without a
connection; the slowest answer to a bystander, a client that has nothing to do with it all;
connections, and how many were made within 10 milliseconds; requests and bytes, in total and per
client; seconds of the servers' and of the clients' processors.

The library takes part with its defaults, with `spread=0`, so that everything is read at once, and
as its users can set it for large lists. The rival is kazoo, by its recipes; a registration is an
ephemeral node that is made again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import zookeeper
from harness import kazoo_jobs, machine
from harness.fleet import LARGE, SERVER, SESSION_SECONDS, Bystander, Fleet, running_service
from harness.service import WORLD_ACL, connected

# By name: the library, and its limits.
COMPETITORS: dict[str, tuple[str, dict[str, float]]] = {
    "zc.zk": ("zc.zk", {}),
    "at-once": ("zc.zk", {"spread": 0.0}),
    "calm": ("zc.zk", {"min_interval": 1.0, "spread": 10.0}),
    "kazoo": ("kazoo", {}),
}
CHANGES_A_SECOND = 10
CHANGE_SECONDS = 5
RESTART_PAUSE_SECONDS = 0.01


# Each does the trouble, and returns when it is over.


def start(fleet: Fleet) -> None:
    fleet.ask("open")


def blip(fleet: Fleet) -> None:
    fleet.service.cut()


def lose_leader(fleet: Fleet) -> None:
    fleet.service.lose_leader()
    if len(fleet.service.servers) == 1:
        fleet.service.mend()


def restart_providers(fleet: Fleet) -> None:
    fleet.ask("restart", RESTART_PAUSE_SECONDS)


def expire(fleet: Fleet) -> None:
    fleet.service.refuse()
    time.sleep(SESSION_SECONDS + 3 * SERVER["tickTime"] / 1000)
    fleet.service.allow()


def change_large_list(fleet: Fleet) -> None:
    with connected(fleet.service.connection_string) as handle:
        began = time.monotonic()
        for number in range(CHANGES_A_SECOND * CHANGE_SECONDS):
            time.sleep(max(0.0, began + number / CHANGES_A_SECOND - time.monotonic()))
            zookeeper.create(handle, f"{LARGE}/new-{number}", "", WORLD_ACL)


TROUBLES: dict[str, Callable[[Fleet], None]] = {
    "start": start,
    "blip": blip,
    "leader lost": lose_leader,
    "providers restarted": restart_providers,
    "sessions expired": expire,
    "large list changes": change_large_list,
}


def measure(fleet: Fleet, trouble: Callable[[Fleet], None]) -> dict[str, float]:
    """Return the figures of one trouble."""
    fleet.ask("forget")
    usage, service = fleet.ask("usage"), fleet.service
    used, traffic = service.seconds(), service.count()
    with Bystander(service.connection_string) as bystander:
        trouble(fleet)
        over = time.monotonic()
        listed, right, wrong = fleet.wait_until_right()
    passed, used = service.count().since(traffic), service.seconds() - used
    after = fleet.ask("usage")
    service.mend()
    return {
        "listed after": max(0.0, listed - over),
        "right after": max(0.0, right - over),
        "wrong": wrong,
        "outage": max(each["outage"] for each in after),
        "slowest answer": bystander.slowest,
        **passed._asdict(),
        "server seconds": used,
        "client seconds": sum(each["seconds"] for each in after)
        - sum(each["seconds"] for each in usage),
        "megabytes": sum(each["megabytes"] for each in after),
    }


COLUMNS = (
    f"{'':20} {'listed':>7} {'right':>7} {'longest':>7} {'slowest':>7} {'connec-':>7} {'in':>5}"
    f" {'':>9} {'kB to':>9} {'kB to':>9} {'servers':>7} {'clients':>7} {'per client':>17}\n"
    f"{'':20} {'after s':>7} {'after s':>7} {'outage':>7} {'answer':>7} {'tions':>7} {'10 ms':>5}"
    f" {'requests':>9} {'servers':>9} {'clients':>9} {'CPU s':>7} {'CPU s':>7} {'requests':>8}"
    f" {'kB':>8}"
)


def line(title: str, figures: dict[str, float], clients: int) -> str:
    kilobytes = (figures["to_server"] + figures["to_clients"]) / 1000
    text = (
        f"{title:20} {figures['listed after']:7.2f} {figures['right after']:7.2f}"
        f" {figures['outage']:7.2f} {figures['slowest answer']:7.2f}"
        f" {figures['connections']:7,.0f} {figures['peak']:5,.0f} {figures['requests']:9,.0f}"
        f" {figures['to_server'] / 1000:9,.0f} {figures['to_clients'] / 1000:9,.0f}"
        f" {figures['server seconds']:7.1f} {figures['client seconds']:7.1f}"
        f" {figures['requests'] / clients:8.1f} {kilobytes / clients:8.2f}"
    )
    return text + (f"  {figures['wrong']:.0f} wrong" if figures["wrong"] else "")


@contextlib.contextmanager
def running(name: str, options: argparse.Namespace) -> Iterator[Fleet]:
    with running_service(options.servers) as service:
        fleet = Fleet(*COMPETITORS[name], options, service)
        options.version = kazoo_jobs.server_version(service.servers[0].connection_string)
        try:
            yield fleet
        finally:
            fleet.end()


def as_cases(results: dict[str, dict[str, dict[str, float]]], clients: int) -> list[dict[str, Any]]:
    """Return the figures as other benchmarks have them: a case for each trouble and figure."""
    troubles = next(iter(results.values()))
    return [
        {
            "title": f"{trouble}, {clients:,} clients",
            "unit": unit,
            "parameters": {"clients": clients, "trouble": trouble},
            "note": "",
            "competitors": {
                name: {
                    "figures": [measured[trouble][unit]],
                    **dict.fromkeys(("median", "lowest", "highest"), measured[trouble][unit]),
                }
                for name, measured in results.items()
            },
            "goals": [],
        }
        for trouble, figures in troubles.items()
        for unit in figures
    ]


def main() -> None:
    options = parse_options()
    surroundings = machine.describe()
    results: dict[str, dict[str, dict[str, float]]] = {}
    with tempfile.TemporaryDirectory(prefix="fleet-") as folder:
        options.folder = Path(folder)
        for name in options.competitors:
            results[name] = {}
            with running(name, options) as fleet:
                limits = ", ".join(
                    f"{key}={value:g}" for key, value in COMPETITORS[name][1].items()
                )
                print(f"{name}{limits and f' ({limits})'}, {options.clients:,} clients\n{COLUMNS}")
                for title, trouble in TROUBLES.items():
                    if trouble is start or title in options.only:
                        figures = results[name][title] = measure(fleet, trouble)
                        print(line(title, figures, options.clients), flush=True)
            print()
    if options.json:
        result = {
            "benchmark": "fleet",
            "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "machine": {**surroundings, "server": options.version},
            "rounds": 1,
            "cases": as_cases(results, options.clients),
        }
        options.json.write_text(json.dumps(result, indent=2) + "\n")


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--clients", type=int, default=100, help="default: %(default)s")
    add("--processes", type=int, default=2, help="default: %(default)s")
    add("--servers", type=int, default=1, help="default: %(default)s")
    add("--competitors", nargs="+", choices=COMPETITORS, default=COMPETITORS)
    add("--only", nargs="+", choices=TROUBLES, default=TROUBLES, help="beside the start")
    add("--json", type=Path, metavar="FILE", help="write all figures to FILE, too")
    return parser.parse_args()


if __name__ == "__main__":
    main()
