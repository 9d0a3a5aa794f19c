from punktfunk.session.meter import STAGES, Meter


def test_a_sample_is_what_happened_since_the_last_one():
    meter = Meter()
    meter.frames_new += 3
    meter.sample(1, 1_000)
    meter.frames_new += 2
    meter.frames_dropped += 1

    sample = meter.sample(1, 1_000)

    assert (sample.frames_new, sample.frames_dropped) == (2, 1)
    assert meter.sample(1, 1_000).frames_new == 0


def test_every_stage_is_named_and_a_stage_without_work_is_zero():
    sample = Meter().sample(4, 900)

    assert tuple(stage.name for stage in sample.stages) == STAGES
    assert {(stage.p50_us, stage.p99_us) for stage in sample.stages} == {(0, 0)}
    assert (sample.stream_id, sample.bitrate_kbps) == (4, 900)


def test_quantiles_are_microseconds_of_this_window_only():
    meter = Meter()
    meter.add("encode", 999_000_000)
    meter.sample(1, 1)
    for value_us in range(1, 101):
        meter.add("encode", value_us * 1_000)
        meter.add_latency(value_us * 2_000)

    sample = meter.sample(1, 1)

    encode = next(stage for stage in sample.stages if stage.name == "encode")
    assert (encode.p50_us, encode.p99_us) == (51, 100)
    assert (sample.latency_p50_us, sample.latency_p99_us) == (102, 200)


def test_a_timed_stage_counts_even_when_it_fails():
    meter = Meter()
    try:
        with meter.stage("submit"):
            sum(range(100_000))
            raise ValueError
    except ValueError:
        pass

    submit = next(stage for stage in meter.sample(1, 1).stages if stage.name == "submit")
    assert submit.p50_us > 0


def test_a_reader_that_never_comes_costs_no_memory_without_end():
    meter = Meter()
    for _ in range(10_000):
        meter.add("send", 1_000)
        meter.add_latency(1_000)

    assert all(len(values) < 5_000 for values in meter._durations.values())
    assert len(meter._latencies) < 5_000
