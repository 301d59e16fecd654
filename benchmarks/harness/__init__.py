"""Measuring competitors against each other in one run.

A benchmark is a generator of cases; `command.main` runs it. A case names its competitors, each a
function that does one round of work, times that work itself and returns the figure. Rounds are
interleaved, so that whatever else the machine does meanwhile hits all competitors alike, and ratios
are taken within a round.
"""

import sys
from pathlib import Path

# A benchmark is run as a script, from anywhere, and shares its servers with the tests.
sys.path.append(str(Path(__file__).parents[2]))
