"""The report of a fault run."""

from __future__ import annotations

import statistics
from collections import Counter
from dataclasses import dataclass, field

from tests.faults.checker import Finding, Loss

MOST_SHOWN = 40


@dataclass
class Report:
    """Counts of the faults, the work and the findings, over all seeds."""

    library: str
    seeds: list[int] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    activities: Counter[str] = field(default_factory=Counter)
    compared: Counter[str] = field(default_factory=Counter)
    recoveries: list[float] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def losses(self) -> Counter[Loss]:
        """Return how many findings of each kind there are."""
        return Counter(finding.loss for finding in self.findings)

    def __str__(self) -> str:
        lines = [
            f"{self.faults.total()} faults with {self.library}, seeds "
            + ", ".join(map(str, self.seeds)),
            "",
            *_table(self.faults),
            "",
            "meanwhile:",
            *_table(self.activities),
            "",
            f"checked {self.compared['checks']} times, after faults had ended:",
            *_table(self.compared),
        ]
        if self.recoveries:
            median, most = statistics.median(self.recoveries), max(self.recoveries)
            lines += [f"  all was right {median:.2f} s later (median; {most:.2f} s at the most)"]
        lines += ["", "found:"]
        late = Counter(finding.loss for finding in self.findings if finding.seconds is not None)
        lines += [
            f"  {self.losses[loss]:6} {loss}"
            + (f", {late[loss]} of them only late" * bool(late[loss]))
            for loss in Loss
        ]
        lines += [f"    {finding}" for finding in self.findings[:MOST_SHOWN]]
        if len(self.findings) > MOST_SHOWN:
            lines.append(f"    and {len(self.findings) - MOST_SHOWN} more")
        return "\n".join(lines)


def _table(counts: Counter[str]) -> list[str]:
    return [f"  {count:6} {name}" for name, count in sorted(counts.items())]
