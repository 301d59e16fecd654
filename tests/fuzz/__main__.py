"""Have clients meet servers that spoil what they send, at random, over TLS and in the clear.

    python -m tests.fuzz [SECONDS] [--seed N] [--case N] [--unsanitized]

Clients run in processes built with AddressSanitizer and UndefinedBehaviorSanitizer, some hundred
cases each; servers run here. The seed is printed, and --case repeats one case of it. Crashes,
reports of the sanitizers, calls that do not end, closing that takes long, and data that no server
has sent fail the run.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from scripts import run_sanitized

from tests.deadlines import scaled
from tests.fuzz.peers import PLAIN, TRUE_KINDS, Contexts, case_of
from tests.tlspeer import Peer, tls_peer

ROOT = Path(__file__).resolve().parents[2]
REPORTS = run_sanitized.BUILD / "fuzz-reports"
BATCH = 200
BATCH_SECONDS = 240
# A share of clients close while the handshake or the calls are under way.
SHARE_IN_A_HURRY = 0.2
MAX_HURRY_SECONDS = 0.05
# More connections in the few seconds of a case are a storm.
MAX_CONNECTIONS = 150


@dataclass
class Tally:
    """The counts of a run, and everything that was wrong."""

    seed: int
    cases: int = 0
    connections: int = 0
    answered: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def wrong(self, number: int, problem: str) -> None:
        line = f"--seed {self.seed} --case {number}: {problem}"
        print(line, flush=True)
        self.problems.append(line)

    def __str__(self) -> str:
        kinds = ", ".join(f"{kind} {count:,}" for kind, count in sorted(self.kinds.items()))
        return (
            f"seed {self.seed}: {self.cases:,} cases ({kinds}), {self.connections:,} connections,"
            f" {self.answered:,} answers accepted, {len(self.problems)} problems"
        )


def main() -> int:
    options = parse_options()
    environment = {**os.environ, "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    if not options.unsanitized:
        run_sanitized.build()
        environment = run_sanitized.sanitized_environment(REPORTS)
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True, exist_ok=True)
    seed = options.seed if options.seed is not None else secrets.randbelow(1 << 32)
    tally = Tally(seed)
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        contexts = Contexts(Path(folder))
        if options.case is not None:
            run_batch([options.case], tally, contexts, environment)
        deadline = time.monotonic() + options.seconds
        while options.case is None and (tally.cases == 0 or time.monotonic() < deadline):
            count = options.batch
            run_batch(range(tally.cases, tally.cases + count), tally, contexts, environment)
            print(tally, flush=True)
    print(tally)
    return 1 if tally.problems else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seconds", type=float, nargs="?", default=60)
    parser.add_argument("--seed", type=int, help="default: a random one")
    parser.add_argument("--case", type=int, help="this case alone")
    parser.add_argument("--batch", type=int, default=BATCH, help="cases a process: %(default)s")
    parser.add_argument("--unsanitized", action="store_true", help="with the usual build")
    return parser.parse_args()


def run_batch(
    numbers: range | list[int], tally: Tally, contexts: Contexts, environment: dict[str, str]
) -> None:
    """Run cases, with all clients in one process."""
    lines: list[str] = []
    peers: dict[int, Peer] = {}
    with ExitStack() as stack:
        for number in numbers:
            kind, script, context = case_of(tally.seed, number, contexts)
            peers[number] = stack.enter_context(tls_peer(script, context))
            tally.kinds[kind] += 1
            chance = Random(f"{tally.seed} {number} hurry")
            is_hurried = chance.random() < SHARE_IN_A_HURRY
            case = {
                "number": number,
                "hosts": peers[number].connection_string,
                "tls": kind != PLAIN,
                "is_true": kind in TRUE_KINDS,
                "hurry": chance.uniform(0, MAX_HURRY_SECONDS) if is_hurried else 0,
            }
            lines.append(json.dumps(case) + "\n")
        output, problem = run_clients("".join(lines), contexts.authority, environment)
    ended = [json.loads(line) for line in output.splitlines()]
    for result in ended:
        tally.answered += result["answered"]
        for each in result["problems"]:
            tally.wrong(result["number"], each)
    missing = sorted(set(numbers) - {result["number"] for result in ended})
    if problem or missing:
        first = missing[0] if missing else numbers[0]
        tally.wrong(first, f"{problem}; cases that have not ended: {missing[:20]}")
    for number, peer in peers.items():
        tally.connections += peer.connections
        if peer.connections > MAX_CONNECTIONS:
            tally.wrong(number, f"{peer.connections} connections")
    tally.cases += len(numbers)
    for report in sorted(REPORTS.iterdir()):
        for fault in run_sanitized.faults_in(report.read_text(errors="replace")):
            tally.wrong(numbers[0], f"one of these {len(numbers)} cases:\n{fault}")
        report.unlink()


def run_clients(cases: str, authority: Path, environment: dict[str, str]) -> tuple[str, str]:
    """Return the output of a process of clients, and how it failed ('' if it has not)."""
    command = [sys.executable, "-m", "tests.fuzz.client", str(authority)]
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", *command],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        output, errors = process.communicate(cases, timeout=scaled(BATCH_SECONDS))
    except subprocess.TimeoutExpired:
        # faulthandler shows where each thread is.
        process.send_signal(6)
        output, errors = process.communicate()
        return output, f"the clients hang\n{errors[-20_000:]}"
    if process.returncode:
        return output, f"status {process.returncode}\n{errors[-20_000:]}"
    return output, ""


if __name__ == "__main__":
    sys.exit(main())
