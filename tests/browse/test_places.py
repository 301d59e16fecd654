"""The page's readers share out the places of the server."""

from __future__ import annotations

from zc.zk.browse.places import Places


def test_readers_without_the_key_get_few_of_the_places():
    places = Places(4, 2)
    assert places.take("a", has_key=False)
    assert places.take("b", has_key=False)
    assert places.take("c", has_key=False) is None
    assert places.take("c", has_key=True)


def test_a_place_that_is_left_is_free():
    places = Places(1, 1)
    place = places.take("a", has_key=False)
    assert place
    assert places.take("b", has_key=True) is None
    places.leave(place)
    places.leave(place)
    assert places.take("b", has_key=True)
    assert places.take("c", has_key=True) is None


def test_an_address_with_many_places_gives_its_oldest_to_one_with_few():
    places = Places(4, 4)
    greedy = [places.take("greedy", has_key=True) for _ in range(4)]
    assert places.take("greedy", has_key=True) is None
    assert places.take("a", has_key=True)
    assert places.take("b", has_key=True)
    assert [place.is_revoked for place in greedy if place] == [True, True, False, False]
    assert places.take("a", has_key=True) is None, "nobody has more than it would have"


def test_leaving_a_revoked_place_frees_nothing():
    places = Places(2, 2)
    first = places.take("greedy", has_key=True)
    assert first
    places.take("greedy", has_key=True)
    assert places.take("a", has_key=True)
    places.leave(first)
    assert places.take("b", has_key=True) is None
