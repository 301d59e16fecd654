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


def test_an_address_gives_places_without_the_key_to_others_as_well():
    places = Places(100, 4)
    greedy = [places.take("greedy", has_key=False) for _ in range(4)]
    assert places.take("greedy", has_key=False) is None
    assert places.take("a", has_key=False)
    assert places.take("b", has_key=False)
    assert [place.is_revoked for place in greedy if place] == [True, True, False, False]
    assert places.take("a", has_key=False) is None, "nobody has more than it would have"
    assert places.take("a", has_key=True)


def test_places_with_the_key_do_not_count_among_those_without():
    """Many pages behind a proxy, and a program there: the program has one place, and keeps it."""
    places = Places(100, 2)
    pages = [places.take("proxy", has_key=True) for _ in range(10)]
    program = places.take("proxy", has_key=False)
    assert places.take("a", has_key=False)
    assert places.take("b", has_key=False) is None
    assert not any(place.is_revoked for place in (*pages, program) if place)


def test_an_address_gives_places_without_the_key_before_the_page():
    """A site elsewhere may have opened them, in the browser that shows the page."""
    places = Places(3, 2)
    page = places.take("reader", has_key=True)
    others = [places.take("reader", has_key=False) for _ in range(2)]
    assert places.take("a", has_key=True)
    assert page
    assert not page.is_revoked
    assert [place.is_revoked for place in others if place] == [True, False]
