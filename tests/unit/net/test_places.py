from punktfunk.net.places import Places


def test_a_place_that_was_given_back_can_be_taken_again() -> None:
    places = Places(1, 1)
    for _ in range(3):
        place = places.enter("a", lambda: None)
        assert place is not None
        places.leave(place)
        places.leave(place)


def test_one_address_gets_so_many_and_loses_none_to_itself() -> None:
    places = Places(10, 2)
    sent_away: list[int] = []
    for number in range(2):
        assert places.enter("a", lambda number=number: sent_away.append(number)) is not None

    assert places.enter("a", lambda: None) is None
    assert sent_away == []
    assert places.enter("b", lambda: None) is not None


def test_threat_33_a_newcomer_gets_the_oldest_idle_place_of_the_busiest_address() -> None:
    places = Places(4, 3)
    sent_away: list[str] = []
    for name in ("b1", "a1", "a2", "a3"):
        assert places.enter(name[0], lambda name=name: sent_away.append(name)) is not None

    for newcomer in ("c", "d"):
        assert places.enter(newcomer, lambda: None) is not None

    assert sent_away == ["a1", "a2"]


def test_who_is_being_served_is_not_sent_away() -> None:
    places = Places(2, 2)
    sent_away: list[str] = []
    served = places.enter("a", lambda: sent_away.append("served"))
    other = places.enter("a", lambda: sent_away.append("other"))
    assert served is not None
    assert other is not None
    served.expendable = False

    assert places.enter("b", lambda: None) is not None
    assert sent_away == ["other"]


def test_when_everybody_is_being_served_there_is_no_place() -> None:
    places = Places(2, 2)
    for address in ("a", "b"):
        place = places.enter(address, lambda: None)
        assert place is not None
        place.expendable = False

    assert places.enter("c", lambda: None) is None
