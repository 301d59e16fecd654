"""Strategies: which of the servers that can be called is to be called.

A strategy is a function that gets the candidates, of which there is at least one, whenever these
have changed, and returns a chooser: a function that returns one of them. So what takes long is done
once for each change, and to pick takes no more than a chooser does. A program's own one may be

    def newest(candidates, picks):
        best = max(candidates, key=lambda each: each.properties.get('version', ''))
        return lambda key: best

Strategies are pure: chance, turns and counts come from `picks`, which lives as long as the
`Providers`, across all changes. A chooser may be called by any number of threads at once.
"""

from __future__ import annotations

import itertools
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from struct import pack

from zc.zk import _speedups
from zc.zk.providers.provider import Key, Provider, hash_of

# The least used is looked for among so many, so that it takes as long with 10,000 as with 10.
MAX_COMPARED = 8

# A weight above it counts as it: the sum of all of them is to be a number.
MAX_WEIGHT = 1e9
USUAL_WEIGHT = 1.0

_BITS = 0xFFFFFFFFFFFFFFFF
_ODD = 0x9E3779B97F4A7C15  # spreads what it multiplies over the high bits (Knuth)


class Picks:
    """Turns, chance, and the calls under way: all that choosers use besides the candidates.

    `seed` differs from one consumer to the next: in the order that it makes, the successor of a
    server that fails is another one for each of them.
    """

    def __init__(
        self, seed: int | None = None, chance: Callable[[], float] = random.random
    ) -> None:
        self.seed = random.getrandbits(64) if seed is None else seed
        self.turns: Iterator[int] = itertools.count(self.seed % 1_000_003)
        self.chance = chance
        # By address: an entry for each call. To put one in, to take it out and to count are each
        # one step, so that threads, finalisers and signal handlers need no lock.
        self.under_way: dict[str, dict[object, None]] = {}

    def begin(self, address: str) -> Callable[[], object]:
        """Count a call; return a function that ends it, harmless when called twice."""
        call = object()
        # By now `forget` may have dropped them, of a server that is gone.
        calls = self.under_way.setdefault(address, {})
        calls[call] = None
        return partial(calls.pop, call, None)

    def forget(self, registered: Mapping[str, object]) -> None:
        """Drop the counts of servers that are gone, with no calls under way."""
        for address, calls in list(self.under_way.items()):
            if address not in registered and not calls:
                self.under_way.pop(address, None)


Chooser = Callable[["Key | None"], Provider]
Strategy = Callable[[Sequence[Provider], Picks], Chooser]


def round_robin(candidates: Sequence[Provider], picks: Picks) -> Chooser:
    """Pick one after the other, in an order of this consumer's own."""
    order, turns, count = shuffled(candidates, picks.seed), picks.turns, len(candidates)
    return lambda key: order[next(turns) % count]


def at_random(candidates: Sequence[Provider], picks: Picks) -> Chooser:
    """Pick any, all equally likely."""
    chance, count = picks.chance, len(candidates)
    return lambda key: candidates[int(chance() * count)]


def weighted(name: str = "weight") -> Strategy:
    """Return a strategy: pick at random, as often as the property `name` says.

    One with 2 is picked twice as often as one with 1, which is the weight of those that say
    nothing, or nothing of sense. One with 0 is picked only if all have it.
    """

    def strategy(candidates: Sequence[Provider], picks: Picks) -> Chooser:
        sums = list(itertools.accumulate(weight_of(each, name) for each in candidates))
        total, chance, last = sums[-1], picks.chance, len(candidates) - 1
        if not total:
            return at_random(candidates, picks)
        return lambda key: candidates[bisect_right(sums, chance() * total, 0, last)]

    return strategy


def weight_of(provider: Provider, name: str) -> float:
    """Return the weight that a server has by its property `name`."""
    weight = provider.properties.get(name)
    if isinstance(weight, bool) or not isinstance(weight, (int, float)):
        return USUAL_WEIGHT
    if not weight >= 0:  # NaN among these
        return USUAL_WEIGHT
    return float(min(weight, MAX_WEIGHT))


def least_used(candidates: Sequence[Provider], picks: Picks) -> Chooser:
    """Pick one with the fewest calls under way, as counted by `Providers.using`.

    Of more than eight, it is the least used of eight drawn at random.
    """
    order, chance, count = shuffled(candidates, picks.seed), picks.chance, len(candidates)
    under_way, compared = picks.under_way, range(MAX_COMPARED)

    def calls_of(provider: Provider) -> int:
        calls = under_way.get(provider.address)
        return len(calls) if calls else 0

    if count > MAX_COMPARED:
        return lambda key: min([order[int(chance() * count)] for _ in compared], key=calls_of)
    # Among equals each has its turn.
    turns, twice = picks.turns, order * 2

    def choose(key: Key | None) -> Provider:
        start = next(turns) % count
        return min(twice[start : start + count], key=calls_of)

    return choose


def rendezvous(candidates: Sequence[Provider], picks: Picks) -> Chooser:
    """Pick the one that belongs to the key, the same for all consumers (rendezvous hashing).

    When a server goes, its keys go to all others alike, and no other key moves; when one comes, the
    keys that it gets are all that move.
    """
    order = sorted(candidates, key=lambda each: each.address)
    hashes = pack(f"={len(order)}Q", *[each.hash for each in order])

    def choose(key: Key | None) -> Provider:
        if key is None:
            raise TypeError("rendezvous hashing picks by a key: pick(key)")
        return order[_speedups.highest_score(hash_of(key), hashes)]

    return choose


def zone_first(zone: object, then: Strategy = round_robin, *, name: str = "zone") -> Strategy:
    """Return a strategy: pick, by `then`, among those whose property `name` is `zone`.

    If there are none, among all.
    """

    def strategy(candidates: Sequence[Provider], picks: Picks) -> Chooser:
        near = [each for each in candidates if each.properties.get(name) == zone]
        return then(near or candidates, picks)

    return strategy


def subset(size: int, consumer: Key, then: Strategy = round_robin) -> Strategy:
    """Return a strategy: pick, by `then`, among `size` servers that belong to this consumer.

    `consumer` is the name of this one, another one for each, such as host name and process id. With
    two thousand consumers of two thousand servers, twenty servers each are 40,000 connections in
    the place of four million. When a server comes or goes, a consumer changes one of its own at
    most (rendezvous hashing). Raises ValueError for a size below 1.
    """
    if size < 1:
        raise ValueError(f"a subset has one server at least, not {size}")
    number = hash_of(consumer)

    def strategy(candidates: Sequence[Provider], picks: Picks) -> Chooser:
        if len(candidates) <= size:
            return then(candidates, picks)
        ranked = sorted(candidates, key=lambda each: (-score(number, each.hash), each.address))
        return then(ranked[:size], picks)

    return strategy


def shuffled(candidates: Sequence[Provider], seed: int) -> list[Provider]:
    """Return candidates in an order by `seed`, in which those that stay keep theirs."""
    return sorted(candidates, key=lambda each: (((each.hash ^ seed) * _ODD) & _BITS, each.address))


def score(key: int, server: int) -> int:
    """Return how much a key belongs to a server (the end of splitmix64)."""
    mixed = key ^ server
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _BITS
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _BITS
    return mixed ^ (mixed >> 31)
