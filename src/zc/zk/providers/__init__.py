"""From a list of registered servers to the one to call: strategies, and what they choose among.

`zc.zk.ZooKeeper.providers` makes a `Providers`. A strategy says which server is picked:

    zk.providers('/prices/providers', weighted('weight'))

`strategies` has them, and says how to write another one.
"""

from zc.zk.providers.provider import Provider
from zc.zk.providers.providers import Providers
from zc.zk.providers.strategies import (
    Chooser,
    Picks,
    Strategy,
    at_random,
    least_used,
    rendezvous,
    round_robin,
    subset,
    weighted,
    zone_first,
)

__all__ = [
    "Chooser",
    "Picks",
    "Provider",
    "Providers",
    "Strategy",
    "at_random",
    "least_used",
    "rendezvous",
    "round_robin",
    "subset",
    "weighted",
    "zone_first",
]
