"""A fault run: clients at work, faults, and a check after each round."""

from __future__ import annotations

import heapq
import itertools
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace

from tests.deadlines import scaled, wait_until
from tests.faults import checker, place, plan, truth
from tests.faults.activities import SLOW_CALLBACK
from tests.faults.beliefs import Belief
from tests.faults.checker import Finding, FindingKey, Loss
from tests.faults.clients import SLACK_SECONDS, Client, Options
from tests.faults.injector import Injector
from tests.faults.plan import Fault
from tests.faults.processes import NoAnswer
from tests.faults.report import Report
from tests.servers import Ensemble, Server

# A busy machine, on which few comparisons fit into that time, gets so many all the same.
LEAST_COMPARISONS = 5

# A fault that lasts for so many seconds after that is there for good.
LASTING_SECONDS = 8.0

# Servers may take so long (seconds) to find a leader again, once they all run.
ELECTION_SECONDS = 60.0

Tell = Callable[[str], None]


class Run:
    """The rounds of one seed."""

    def __init__(
        self, ensemble: Ensemble, seed: int, options: Options, report: Report, tell: Tell
    ) -> None:
        self._ensemble = ensemble
        self._root = f"/faults-{seed}-{time.time_ns():x}"
        self._seed = seed
        self._options = options
        self._report = report
        self._tell = tell
        self._clients: list[Client] = []
        self._ordinary: dict[str, tuple[int, int]] = {}
        self._wrong: set[FindingKey] = set()
        self._slow_calls: set[tuple[str, str, float]] = set()
        self._errors: set[tuple[str, str]] = set()

    def run(self, rounds: Iterable[Sequence[Fault]]) -> None:
        """Start the clients, do the rounds, end the clients."""
        self._report.seeds.append(self._seed)
        with ExitStack() as undo:
            with truth.connected(
                self._ensemble.connection_string,
                self._root,
                self._ensemble.keys,
                self._options.logins,
            ) as servers:
                servers.create(place.nodes())
            for number in range(self._options.clients):
                client = Client(number, self._ensemble, self._root, self._seed, self._options)
                undo.callback(client.close)
                self._clients.append(client)
            self._check(is_first=True)
            injector = Injector(self._ensemble, self._clients, self._seed, self._options.logins)
            for number, faults in enumerate(rounds, 1):
                self._round(injector, faults)
                self._check()
                self._tell(
                    f"seed {self._seed}, round {number}: {self._report.faults.total()} faults,"
                    f" {len(self._report.findings)} findings"
                )
            self._end()

    def _find(self, loss: Loss, client: Client, text: str) -> None:
        self._note([Finding(loss, client.name, text)])

    def _note(self, findings: list[Finding]) -> None:
        for finding in findings:
            self._tell(f"  {finding}")
        self._report.findings += findings

    # Faults

    def _round(self, injector: Injector, faults: Sequence[Fault]) -> None:
        for client in self._clients:
            try:
                client.process.send("go")
            except NoAnswer:
                continue  # the check has told
        began = time.monotonic()
        order = itertools.count()
        to_do: list[tuple[float, int, Fault | Callable[[], None]]] = [
            (fault.at, next(order), fault) for fault in faults
        ]
        heapq.heapify(to_do)
        while to_do:
            at, _, action = heapq.heappop(to_do)
            time.sleep(max(0.0, began + at - time.monotonic()))
            if not isinstance(action, Fault):
                action()
                continue
            self._tell(f"  {action}")
            undo = injector.inject(action)
            if undo is not None:
                self._report.faults[str(action.kind)] += 1
                heapq.heappush(to_do, (at + action.seconds, next(order), undo))
        injector.heal()

    # Checks

    def _check(self, *, is_first: bool = False) -> None:
        self._wait_until_reachable()
        beliefs = self._rest()
        findings, lasting = self._compare_until_right(beliefs)
        # The findings that are still wrong have been counted.
        self._note([finding for finding in findings if finding.key not in self._wrong])
        self._wrong = lasting
        for client in self._clients:
            belief = beliefs.get(client.name)
            if belief is not None:
                self._look_into(client, belief, is_first)
        self._report.compared["checks"] += 1

    def _wait_until_reachable(self) -> None:
        servers = self._ensemble.servers

        def is_whole() -> bool:
            return sorted(str(server.mode()) for server in servers) in (
                ["standalone"],
                ["follower"] * (len(servers) - 1) + ["leader"],
            )

        def works() -> bool:
            # A server that has just begun to serve may still be without the others' votes.
            try:
                for server in servers:
                    with self._connected(server) as session:
                        session.prove_that_it_works()
            except truth.TROUBLE:
                return False
            return True

        def modes() -> str:
            return f"the servers work: {[server.mode() for server in servers]}"

        def wait() -> None:
            self._ensemble.wait_until_serving(ELECTION_SECONDS)
            wait_until(is_whole, modes, ELECTION_SECONDS)
            wait_until(works, modes, ELECTION_SECONDS)

        try:
            wait()
        except AssertionError:
            # They serve readers, and one waits for the others' votes for ever: no client's fault.
            self._report.compared["times that servers were stuck, and were restarted"] += 1
            for server in servers:
                server.restart()
            wait()

    def _connected(self, server: Server) -> AbstractContextManager[truth.Servers]:
        return truth.connected(
            server.connection_string, self._root, server.keys, self._options.logins
        )

    def _rest(self) -> dict[str, Belief]:
        """Have all clients rest; return the beliefs of those that answer."""
        patience = scaled(self._options.session_seconds * 8 + SLACK_SECONDS)
        answering = []
        for client in self._clients:
            try:
                client.process.send("rest", patience)
                answering.append(client)
            except NoAnswer as reason:
                self._find(Loss.CRASH, client, str(reason))
        beliefs = {}
        for client in answering:
            try:
                if not client.process.receive(patience + SLACK_SECONDS):
                    stacks = client.process.ask("stacks")
                    self._find(Loss.HUNG, client, f"a call does not end\n{stacks}")
                beliefs[client.name] = client.process.ask("report")
            except NoAnswer as reason:
                loss = Loss.CRASH if client.process.has_ended else Loss.HUNG
                self._find(loss, client, str(reason))
        return beliefs

    def _compare_until_right(
        self, beliefs: dict[str, Belief]
    ) -> tuple[list[Finding], set[FindingKey]]:
        """Compare until nothing is wrong; update the beliefs.

        A fault that was there for too long is found, with the time that it took to become right,
        and one that has not become right at all is lasting.
        """
        began = time.monotonic()
        patience = self._options.recovery_seconds
        former = scaled(2 * self._options.session_seconds) + patience
        compared = 0
        late: list[Finding] = []
        asked = [client for client in self._clients if client.name in beliefs]
        with ExitStack() as sessions:
            servers = [
                sessions.enter_context(self._connected(server)) for server in self._ensemble.servers
            ]
            while True:
                truths = [server.read() for server in servers]
                findings = checker.compare(truths, beliefs)
                seconds = time.monotonic() - began
                compared += 1
                if not findings:
                    self._report.recoveries.append(seconds)
                    self._count(truths, beliefs)
                    return [replace(finding, seconds=seconds) for finding in late], set()
                if checker.held_by_former_sessions(truths, beliefs):
                    # The end of a former session changes the nodes once more.
                    own = self._options.recovery_seconds
                    patience = max(patience, min(seconds + own, former))
                if compared >= LEAST_COMPARISONS:
                    late = late or [
                        finding
                        for finding in findings
                        if seconds > patience + self._grace(finding.loss)
                    ]
                if late and seconds > patience + scaled(LASTING_SECONDS):
                    return late, {finding.key for finding in findings}
                for client in asked:
                    beliefs[client.name] = client.process.ask("report")

    def _grace(self, loss: Loss) -> float:
        """Return the seconds that something may be wrong beyond the others.

        Callbacks wait for one another. One may be at a call that takes a session timeout to fail,
        and there may be a slow one for each live object.
        """
        if loss is not Loss.UNTOLD:
            return 0.0
        return scaled(self._options.session_seconds) + place.MOST_FOLLOWED * SLOW_CALLBACK

    def _count(self, truths: list[truth.Truth], beliefs: dict[str, Belief]) -> None:
        for belief in beliefs.values():
            self._report.compared["registrations"] += len(belief["registrations"])
            self._report.compared["live objects"] += len(belief["live"])
        self._report.compared["nodes"] += len(truths[0])
        self._report.compared["checks in which servers disagreed"] += any(
            held != truths[0] for held in truths
        )

    def _look_into(self, client: Client, belief: Belief, is_first: bool) -> None:
        for call in belief["slow_calls"]:
            key = client.name, call["name"], call["began"]
            seconds = client.process.seconds(call)
            if seconds > call["seconds_allowed"] and key not in self._slow_calls:
                self._slow_calls.add(key)
                self._find(Loss.HUNG, client, f"{call['name']}: {seconds:.2f} s")
        for error in belief["errors"]:
            if (client.name, error) not in self._errors:
                self._errors.add((client.name, error))
                self._find(Loss.ERROR, client, error)
        if is_first:
            self._ordinary[client.name] = belief["threads"], belief["descriptors"]
        for what, now, before in zip(
            ("threads", "descriptors"),
            (belief["threads"], belief["descriptors"]),
            self._ordinary[client.name],
            strict=True,
        ):
            if now > before:
                self._find(Loss.LEAK, client, f"{now} {what}, {before} at the beginning")

    # The end

    def _end(self) -> None:
        for client in self._clients:
            try:
                self._report.activities.update(client.process.ask("report")["counts"])
                left = client.process.ask("close", seconds=30)
                if left:
                    self._find(Loss.LEAK, client, left)
                status = client.process.end()
                if status:
                    self._find(Loss.CRASH, client, f"status {status}")
                if client.process.complaints:
                    self._find(Loss.ERROR, client, "".join(client.process.complaints))
            except NoAnswer as reason:
                loss = Loss.CRASH if client.process.has_ended else Loss.HUNG
                self._find(loss, client, str(reason))


def random_rounds(seed: int, count: int, options: Options) -> Iterator[list[Fault]]:
    """Yield the rounds that follow from a seed."""
    return plan.rounds(
        seed,
        count,
        options.clients,
        options.scaled_session_seconds,
        by_tls=options.by_tls,
        by_sasl=options.logins is not None,
    )
