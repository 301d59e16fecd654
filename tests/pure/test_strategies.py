"""Strategies: how they share out, and how little they move when the list changes.

Chance is either spread evenly over [0, 1), or of a fixed seed: counts are exact.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zc.zk import _speedups
from zc.zk.providers import strategies
from zc.zk.providers.provider import Provider, hash_of
from zc.zk.providers.strategies import Picks, Strategy

pytestmark = pytest.mark.quick


def servers(count: int, **properties: Any) -> list[Provider]:
    return [Provider(f"10.0.{n // 250}.{n % 250}:80", properties) for n in range(count)]


def picked(strategy: Strategy, among: Sequence[Provider], times: int, **more: Any) -> list[str]:
    """Return the addresses that so many picks give."""
    choose = strategy(among, Picks(**{"seed": 5, **more}))
    return [choose(None).address for _ in range(times)]


def spread(times: int) -> Callable[[], float]:
    """Return a chance that comes `times` times, evenly, in an order that looks like none."""
    step = next(n for n in range(times // 2 + 1, 3 * times + 3) if _coprime(n, times))
    places: Iterator[int] = (n * step % times for n in itertools.count())
    return lambda: (next(places) + 0.5) / times


def _coprime(one: int, other: int) -> bool:
    while other:
        one, other = other, one % other
    return one == 1


counts = st.integers(1, 40)
seeds = st.integers(0, 2**64 - 1)


# One after the other


@settings(deadline=None)
@given(counts, st.integers(1, 5), seeds)
def test_round_robin_picks_all_equally_often(count, rounds, seed) -> None:
    among = servers(count)
    addresses = picked(strategies.round_robin, among, count * rounds, seed=seed)
    assert Counter(addresses) == {each.address: rounds for each in among}


@settings(deadline=None)
@given(st.integers(2, 40), seeds, st.data())
def test_the_order_of_those_that_stay_is_kept_when_one_goes(count, seed, data) -> None:
    among = servers(count)
    gone = data.draw(st.sampled_from(among))
    before = strategies.shuffled(among, seed)
    after = strategies.shuffled([each for each in among if each is not gone], seed)
    assert after == [each for each in before if each is not gone]


def test_a_server_has_another_successor_at_each_consumer() -> None:
    among = servers(20)
    random = Random(5)
    followed_by: Counter[Provider] = Counter()
    for _ in range(1900):
        order = strategies.shuffled(among, random.getrandbits(64))
        followed_by[order[(order.index(among[0]) + 1) % 20]] += 1
    assert len(followed_by) == 19
    assert max(followed_by.values()) < 250, "a hundred each, if they were drawn one by one"


def test_turns_go_on_when_the_list_changes() -> None:
    picks, among = Picks(seed=5), servers(3)
    one = strategies.round_robin(among, picks)
    first = one(None)
    another = strategies.round_robin(list(among), picks)
    assert {first, another(None), another(None)} == set(among)


# At random


@settings(deadline=None)
@given(counts, st.integers(1, 5))
def test_at_random_all_are_equally_likely(count, times) -> None:
    among = servers(count)
    chance = spread(count * times)
    addresses = picked(strategies.at_random, among, count * times, chance=chance)
    assert Counter(addresses) == {each.address: times for each in among}


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=20).filter(any), st.integers(1, 5))
def test_weights_say_how_often_each_is_picked(weights, times) -> None:
    among = [Provider(f"10.0.0.{n}:80", {"weight": weight}) for n, weight in enumerate(weights)]
    total = sum(weights) * times
    addresses = picked(strategies.weighted(), among, total, chance=spread(total))
    wanted = {f"10.0.0.{n}:80": weight * times for n, weight in enumerate(weights) if weight}
    assert Counter(addresses) == wanted


def test_of_servers_that_all_weigh_nothing_any_is_picked() -> None:
    addresses = picked(strategies.weighted(), servers(3, weight=0), 6, chance=spread(6))
    assert sorted(Counter(addresses).values()) == [2, 2, 2]


@pytest.mark.parametrize("weight", [None, "2", True, -1, float("nan"), [3], {}])
def test_a_weight_without_sense_counts_as_one(weight) -> None:
    among = [Provider("a:1", {"size": weight}), Provider("b:1", {}), Provider("c:1", {"size": 2})]
    addresses = picked(strategies.weighted("size"), among, 8, chance=spread(8))
    assert Counter(addresses) == {"a:1": 2, "b:1": 2, "c:1": 4}


@pytest.mark.parametrize("weight", [float("inf"), 1e308, 10**400])
def test_a_weight_beyond_measure_is_the_greatest(weight) -> None:
    among = [Provider("a:1", {"weight": weight}), Provider("b:1", {"weight": 1e9})]
    addresses = picked(strategies.weighted(), among, 4, chance=spread(4))
    assert Counter(addresses) == {"a:1": 2, "b:1": 2}


def test_a_heavy_last_server_is_found_at_the_end_of_chance() -> None:
    among = [Provider("a:1", {"weight": 1}), Provider("b:1", {"weight": 0})]
    assert picked(strategies.weighted(), among, 1, chance=lambda: 1 - 2**-53) == ["a:1"]


# The least used


@settings(deadline=None)
@given(st.integers(1, 8), st.lists(st.integers(0, 99), max_size=40), seeds)
def test_of_few_the_least_used_is_picked(count, steps, seed) -> None:
    picks, among = Picks(seed), servers(count)
    choose = strategies.least_used(among, picks)
    under_way: list[tuple[str, Callable[[], object]]] = []
    for step in steps:
        if step % 3 == 0 and under_way:
            _, end = under_way.pop(step % len(under_way))
            end()
        else:
            used = Counter(address for address, _ in under_way)
            address = choose(None).address
            assert used[address] == min(used[each.address] for each in among)
            under_way.append((address, picks.begin(address)))


@settings(deadline=None)
@given(st.integers(1, 8), st.integers(1, 5))
def test_of_few_that_are_idle_each_has_its_turn(count, rounds) -> None:
    addresses = picked(strategies.least_used, servers(count), count * rounds)
    assert set(Counter(addresses).values()) == {rounds}


def test_of_many_the_least_used_are_nearly_even() -> None:
    picks, among = Picks(5, Random(5).random), servers(1000)
    choose = strategies.least_used(among, picks)
    for _ in range(10_000):
        address = choose(None).address
        picks.begin(address)
    used = Counter(len(calls) for calls in picks.under_way.values())
    assert sum(used.values()) == 1000
    # By chance alone it is from 2 to 22.
    assert (min(used), max(used)) == (9, 11)


def test_a_call_that_ends_twice_is_counted_once() -> None:
    picks = Picks(5)
    end, _ = picks.begin("a:1"), picks.begin("a:1")
    end()
    end()
    assert len(picks.under_way["a:1"]) == 1


def test_counts_of_servers_that_are_gone_are_dropped_when_unused() -> None:
    picks = Picks(5)
    end = picks.begin("a:1")
    picks.begin("b:1")()
    picks.forget({})
    assert list(picks.under_way) == ["a:1"]
    end()
    picks.forget({})
    assert picks.under_way == {}
    end()


# Rendezvous hashing

keys = st.text() | st.binary()


def owners(among: Sequence[Provider], keys: Sequence[str | bytes]) -> list[str]:
    choose = strategies.rendezvous(among, Picks(5))
    return [choose(key).address for key in keys]


@settings(deadline=None)
@given(st.integers(2, 40), st.lists(keys, min_size=1), st.data())
def test_keys_of_a_server_that_goes_are_all_that_moves(count, keys, data) -> None:
    among = servers(count)
    gone = data.draw(st.sampled_from(among))
    before = owners(among, keys)
    after = owners([each for each in among if each is not gone], keys)
    for former, present in zip(before, after, strict=True):
        assert present != gone.address
        assert former in (present, gone.address)


@settings(deadline=None)
@given(st.lists(keys, min_size=1), st.permutations(servers(9)))
def test_the_order_of_the_list_does_not_move_keys(keys, among) -> None:
    assert owners(among, keys) == owners(servers(9), keys)


def test_keys_are_spread_evenly() -> None:
    found = Counter(owners(servers(10), [f"user-{n}" for n in range(10_000)]))
    assert len(found) == 10
    assert 900 < min(found.values()) <= max(found.values()) < 1100


def test_keys_of_a_server_that_goes_are_spread_over_all_others() -> None:
    keys = [f"user-{n}" for n in range(10_000)]
    among = servers(10)
    before, after = owners(among, keys), owners(among[1:], keys)
    moved = Counter(b for a, b in zip(before, after, strict=True) if a != b)
    assert sum(moved.values()) == before.count(among[0].address)
    assert len(moved) == 9
    assert max(moved.values()) < 1.5 * min(moved.values())


def test_keys_belong_where_they_did_in_earlier_releases() -> None:
    assert hash_of("tea") == hash_of(b"tea") == HASH_OF_TEA
    assert owners(servers(10), ["tea", "coffee", b"\xff"]) == OWNERS


HASH_OF_TEA = 10431608578837538234
OWNERS = ["10.0.0.8:80", "10.0.0.1:80", "10.0.0.2:80"]


@settings(deadline=None)
@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2**64 - 1), min_size=1))
def test_the_highest_score_is_found_quickly_as_in_python(key, hashes) -> None:
    packed = b"".join(each.to_bytes(8, "little") for each in hashes)
    scores = [strategies.score(key, each) for each in hashes]
    assert _speedups.highest_score(key, packed) == scores.index(max(scores))


def test_no_hashes_have_no_highest_score() -> None:
    with pytest.raises(ValueError, match="there are no hashes"):
        _speedups.highest_score(1, b"1234567")


def test_rendezvous_hashing_asks_for_a_key() -> None:
    choose = strategies.rendezvous(servers(2), Picks(5))
    with pytest.raises(TypeError, match=r"picks by a key: pick\(key\)"):
        choose(None)


# Zones


def test_servers_of_the_same_zone_are_picked_alone() -> None:
    near, far = servers(4, zone="a")[:2], servers(4, zone="b")[2:]
    addresses = picked(strategies.zone_first("a"), near + far, 10)
    assert Counter(addresses) == {each.address: 5 for each in near}


def test_servers_of_other_zones_are_picked_where_there_are_none() -> None:
    addresses = picked(strategies.zone_first("c"), servers(4, zone="b"), 8)
    assert set(Counter(addresses).values()) == {2}


def test_a_zone_may_be_another_property_and_go_by_another_strategy() -> None:
    among = [Provider(f"h{n}:1", {"rack": n % 2, "weight": n}) for n in range(4)]
    strategy = strategies.zone_first(1, strategies.weighted(), name="rack")
    assert Counter(picked(strategy, among, 8, chance=spread(8))) == {"h1:1": 2, "h3:1": 6}


# Subsets


def subset_of(among: Sequence[Provider], size: int, consumer: str) -> set[str]:
    strategy = strategies.subset(size, consumer)
    return set(picked(strategy, among, min(size, len(among))))


@settings(deadline=None)
@given(st.integers(1, 60), st.integers(1, 10), st.text())
def test_a_subset_has_its_size_or_all(count, size, consumer) -> None:
    assert len(subset_of(servers(count), size, consumer)) == min(size, count)


@settings(deadline=None)
@given(st.integers(2, 60), st.integers(1, 10), st.text(), st.data())
def test_a_subset_changes_by_one_server_at_most(count, size, consumer, data) -> None:
    among = servers(count)
    gone = data.draw(st.sampled_from(among))
    before = subset_of(among, size, consumer)
    after = subset_of([each for each in among if each is not gone], size, consumer)
    assert before - after == before & {gone.address}
    assert len(after - before) <= (gone.address in before)


def test_subsets_of_many_consumers_cover_all_servers_evenly() -> None:
    among = servers(100)
    consumers: Counter[str] = Counter()
    for number in range(500):
        consumers.update(subset_of(among, 20, f"consumer-{number}"))
    assert len(consumers) == 100
    assert sum(consumers.values()) == 500 * 20
    assert 70 <= min(consumers.values()) <= max(consumers.values()) <= 130


def test_a_subset_without_servers_is_refused() -> None:
    with pytest.raises(ValueError, match="one server at least, not 0"):
        strategies.subset(0, "me")


# Servers


@pytest.mark.parametrize("name", [":80", "shop", "shop:0", "shop:80000", "::1:80", "a b:80"])
def test_a_name_that_nobody_can_call_is_no_provider(name) -> None:
    with pytest.raises(ValueError, match="address"):
        Provider(name, {})


def test_a_provider_tells_host_port_and_properties() -> None:
    provider = Provider("[::1]:80", {"weight": 2})
    assert (provider.address, provider.host, provider.port) == ("[::1]:80", "::1", 80)
    assert repr(provider) == "<Provider [::1]:80 {'weight': 2}>"


@pytest.mark.parametrize(
    ("properties", "is_draining"),
    [({}, False), ({"draining": False}, False), ({"draining": True}, True)],
)
def test_a_provider_drains_by_a_property(properties, is_draining) -> None:
    assert Provider("a:1", properties).is_draining is is_draining
