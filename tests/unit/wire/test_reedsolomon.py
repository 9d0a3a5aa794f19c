import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from punktfunk.errors import ConfigError, ProtocolError
from punktfunk.wire import gf256
from punktfunk.wire.reedsolomon import (
    AUDIO_ROWS,
    BACKEND_VARIABLE,
    Backend,
    ReedSolomon,
    available_backends,
    cauchy_code,
    cauchy_rows,
    default_backend,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "gamestream"
GF256 = json.loads((VECTORS / "gf256.json").read_text())
VIDEO = json.loads((VECTORS / "fec_video.json").read_text())["cases"]
AUDIO = json.loads((VECTORS / "fec_audio.json").read_text())
BACKENDS = available_backends()


def shards_of(hex_rows):
    return np.array([list(bytes.fromhex(row)) for row in hex_rows], dtype=np.uint8)


def ruled_data(case):
    i = np.arange(case["data_shards"])[:, None]
    k = np.arange(case["shard_len"])[None, :]
    return ((31 * i + 7 * k + 3) & 255).astype(np.uint8)


def test_the_field_is_the_one_of_the_protocol():
    exp = bytes(gf256.EXP)

    assert list(exp[:32]) == GF256["exp_first_32"]
    assert hashlib.sha256(exp).hexdigest() == GF256["sha256_exp_0_254"]
    inverse_digest = hashlib.sha256(gf256.INVERSE.tobytes()).hexdigest()
    assert inverse_digest == GF256["sha256_inverse_0_255_with_inv0_as_0"]
    assert all(gf256.LOG[int(value)] == log for value, log in GF256["log_of"].items())
    assert all(gf256.PRODUCT[a, b] == product for a, b, product in GF256["products"])


@given(st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_matrix_times_its_inverse_is_one(size, random):
    columns = random.sample(range(128, 256), size)
    rows = random.sample(range(128), size)
    matrix = gf256.INVERSE[np.array(rows)[:, None] ^ np.array(columns)[None, :]]

    inverse = gf256.invert_matrix(matrix)

    assert (gf256.multiply_matrices(matrix, inverse) == np.eye(size)).all()


def test_a_singular_matrix_is_refused():
    with pytest.raises(ProtocolError):
        gf256.invert_matrix(np.array([[3, 5], [3, 5]], dtype=np.uint8))


@pytest.mark.parametrize("case", VIDEO, ids=lambda c: f"{c['data_shards']}+{c['parity_shards']}")
def test_the_video_matrix_is_the_clients(case):
    rows = cauchy_rows(case["data_shards"], case["parity_shards"])

    if "matrix_rows" in case:
        assert [row.tobytes().hex() for row in rows] == case["matrix_rows"]
    else:
        assert rows[0, :16].tobytes().hex() == case["matrix_row0_first16"]
        assert hashlib.sha256(rows.tobytes()).hexdigest() == case["matrix_sha256"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", VIDEO, ids=lambda c: f"{c['data_shards']}+{c['parity_shards']}")
def test_video_parity_is_what_the_clients_library_makes(case, backend):
    code = ReedSolomon(cauchy_rows(case["data_shards"], case["parity_shards"]), backend)
    data = ruled_data(case)
    parity = np.zeros((case["parity_shards"], case["shard_len"]), dtype=np.uint8)

    code.encode_into(data, parity)

    assert code.backend is backend
    assert hashlib.sha256(parity.tobytes()).hexdigest() == case["parity_sha256"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("case", AUDIO["cases"], ids=lambda c: str(c["shard_len"]))
def test_audio_parity_is_what_the_clients_library_makes(case, backend):
    data = shards_of(case["data"])
    parity = np.zeros((2, case["shard_len"]), dtype=np.uint8)

    ReedSolomon(AUDIO_ROWS, backend).encode_into(data, parity)

    assert [row.tobytes().hex() for row in parity] == case["parity"]


def test_the_audio_matrix_is_the_clients():
    assert [row.tobytes().hex() for row in AUDIO_ROWS] == AUDIO["matrix_rows"]


def test_isal_is_here_where_its_wheel_is_installed():
    """Else every other test of it would be left out in silence."""
    pytest.importorskip("pyeclib")

    assert BACKENDS[0] is Backend.ISAL


@settings(deadline=None, max_examples=60)
@given(
    st.integers(1, 40),
    st.integers(1, 20),
    st.integers(1, 200),
    st.integers(0, 2**32 - 1),
)
def test_all_backends_give_the_same_bytes(data_shards, parity_shards, length, seed):
    random = np.random.default_rng(seed)
    rows = random.integers(0, 256, (parity_shards, data_shards), dtype=np.uint8)
    buffer = random.integers(0, 256, (data_shards + parity_shards, length + 16), dtype=np.uint8)
    untouched = buffer[:, :16].copy()
    results = []

    for backend in BACKENDS:
        data, parity = buffer[:data_shards, 16:], buffer[data_shards:, 16:]
        ReedSolomon(rows, backend).encode_into(data, parity)
        results.append(parity.copy())

    assert all((result == results[0]).all() for result in results)
    assert (buffer[:, :16] == untouched).all()


@settings(deadline=None, max_examples=60)
@given(st.data(), st.integers(1, 30), st.integers(1, 12), st.sampled_from(BACKENDS))
def test_any_lost_shards_up_to_the_parity_are_rebuilt(data, data_shards, parity_shards, backend):
    random = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    code = ReedSolomon(cauchy_rows(data_shards, parity_shards), backend)
    shards = random.integers(0, 256, (data_shards + parity_shards, 33), dtype=np.uint8)
    code.encode_into(shards[:data_shards], shards[data_shards:])
    original = shards.copy()
    lost = data.draw(st.sets(st.integers(0, len(shards) - 1), max_size=parity_shards), label="lost")
    shards[sorted(lost)] = 0xEE

    code.recover(shards, [i not in lost for i in range(len(shards))])

    assert (shards[:data_shards] == original[:data_shards]).all()


@pytest.mark.parametrize("lost", [(a, b) for b in range(6) for a in range(b)])
def test_any_two_lost_audio_shards_are_rebuilt(lost):
    code = ReedSolomon(AUDIO_ROWS)
    shards = np.random.default_rng(1).integers(0, 256, (6, 80), dtype=np.uint8)
    code.encode_into(shards[:4], shards[4:])
    original = shards[:4].copy()
    shards[list(lost)] = 0

    code.recover(shards, [i not in lost for i in range(6)])

    assert (shards[:4] == original).all()


def test_too_few_shards_are_refused_and_not_guessed():
    code = cauchy_code(4, 2)
    shards = np.zeros((6, 8), dtype=np.uint8)

    with pytest.raises(ProtocolError):
        code.recover(shards, [True, False, False, False, True, True])


@pytest.mark.parametrize(("data_shards", "parity_shards"), [(0, 1), (1, 0), (254, 2), (-1, 3)])
def test_a_block_that_cannot_exist_is_refused(data_shards, parity_shards):
    with pytest.raises(ProtocolError):
        cauchy_rows(data_shards, parity_shards)


@pytest.mark.parametrize(
    ("data_shape", "parity_shape"),
    [((3, 8), (2, 8)), ((4, 8), (1, 8)), ((4, 8), (2, 7)), ((4, 8, 1), (2, 8))],
)
def test_shards_of_another_shape_never_reach_native_code(data_shape, parity_shape):
    data, parity = np.zeros(data_shape, np.uint8), np.zeros(parity_shape, np.uint8)

    with pytest.raises(ValueError, match="do not fit"):
        cauchy_code(4, 2).encode_into(data, parity)


def test_memory_that_is_not_bytes_in_rows_never_reaches_native_code():
    code = cauchy_code(4, 2)
    data, parity = np.zeros((4, 8), np.uint8), np.zeros((2, 8), np.uint8)
    frozen = parity.copy()
    frozen.flags.writeable = False

    for bad in (np.zeros((2, 16), np.uint8)[:, ::2], np.zeros((2, 8), np.uint16), frozen):
        with pytest.raises(ValueError, match="contiguous"):
            code.encode_into(data, bad)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_environment_names_the_backend(backend, monkeypatch):
    monkeypatch.setenv(BACKEND_VARIABLE, backend.value)

    assert ReedSolomon(AUDIO_ROWS).backend is backend


def test_an_unknown_backend_in_the_environment_is_an_error(monkeypatch):
    monkeypatch.setenv(BACKEND_VARIABLE, "abacus")

    with pytest.raises(ConfigError, match="abacus"):
        default_backend()
