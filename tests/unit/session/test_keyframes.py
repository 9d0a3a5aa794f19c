from punktfunk.session.keyframes import MIN_SPACING_NS, KeyframeRequests


def test_a_stream_begins_with_a_keyframe():
    assert KeyframeRequests().take(0)


def test_many_requests_before_the_next_frame_cost_one_keyframe():
    requests = KeyframeRequests()
    requests.take(0)
    for _ in range(20):
        requests.request()

    later = MIN_SPACING_NS
    assert requests.take(later)
    assert not requests.take(later + MIN_SPACING_NS)


def test_a_request_right_after_a_keyframe_is_held_but_not_lost():
    requests = KeyframeRequests()
    requests.take(0)
    requests.request()

    assert not requests.take(MIN_SPACING_NS - 1)
    assert requests.take(MIN_SPACING_NS)


def test_nothing_asked_nothing_given():
    requests = KeyframeRequests()
    requests.take(0)

    assert not any(requests.take(n * MIN_SPACING_NS) for n in range(1, 10))
