import copy
import json
import math
import threading
import time

import numpy as np
import pytest

from isograd.backend import find_device, settings_override, to_numpy, using
from isograd.backend.errors import StateDictError
from isograd.backend.random import BLOCK, Generator, default_generator, seed

LONG = 2 * BLOCK + 5  # two blocks of the host's and an odd rest

DRAWS = {
    "random": lambda g, shape: g.random(shape),
    "random float64": lambda g, shape: g.random(shape, dtype="float64"),
    "uniform": lambda g, shape: g.uniform(shape, -0.3, 0.7),
    "normal": lambda g, shape: g.normal(shape, 1.5, 0.1),
    "normal float64": lambda g, shape: g.normal(shape, dtype="float64"),
    "integers": lambda g, shape: g.integers(-5, 1_000, shape),
    "integers beyond 2**32": lambda g, shape: g.integers(-(2**62), 2**61 + 7, shape),
    "integers uint8": lambda g, shape: g.integers(0, 256, shape, dtype="uint8"),
    "bernoulli": lambda g, shape: g.bernoulli(1 / 3, shape),
    "bernoulli half": lambda g, shape: g.bernoulli(0.5, shape),
    "bernoulli always": lambda g, shape: g.bernoulli(1.0, shape),
}

WORDS_OF_TEN = {
    "random": 5,
    "random float64": 10,
    "uniform": 5,
    "normal": 5,
    "normal float64": 10,
    "integers": 10,
    "integers beyond 2**32": 20,
    "integers uint8": 10,
    "bernoulli": 3,
    "bernoulli half": 3,
    "bernoulli always": 3,
}


def drawn(name, shape=LONG, seed=7):
    with using("cpu"):
        return DRAWS[name](Generator(seed), shape)


def kolmogorov_distance(sample, cdf):
    """sqrt(n) times the largest distance of the sample's distribution from a continuous one."""
    n = len(sample)
    expected = cdf(np.sort(sample))
    steps = np.arange(n + 1) / n
    return math.sqrt(n) * max(np.max(steps[1:] - expected), np.max(expected - steps[:-1]))


# --- the same everywhere


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("shape", [(), (0,), (3, 5), (LONG,)])
def test_every_device_gives_the_bits_of_the_cpu(device, name, shape):
    if name.startswith("bernoulli") and shape == (LONG,):
        shape = (8 * LONG + 1,)  # 262,000: four numbers whose upper 16 bits leave it open
    there = DRAWS[name](Generator(7), shape)
    here = drawn(name, shape)
    assert tuple(there.shape) == shape == here.shape
    assert to_numpy(there).dtype == here.dtype
    assert to_numpy(there).tobytes() == here.tobytes()


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_takes_the_documented_number_of_words_on_every_device(device, name):
    generator = Generator(7)
    DRAWS[name](generator, 10)
    assert generator.state["position"] == WORDS_OF_TEN[name]


def test_a_permutation_is_the_same_on_every_device(device):
    there = Generator(7).permutation(1_000)
    np.testing.assert_array_equal(to_numpy(there), Generator(7).permutation(1_000, device="cpu"))


def test_the_device_argument_outranks_the_current_device():
    pytest.importorskip("array_api_strict")
    made = Generator(7).random(3, device="strict:device1")
    assert find_device("strict:device1").library.name_of(made) == "strict:device1"


def test_the_streams_of_version_0_1_stay_as_they_are():
    generator = Generator(0)
    assert generator.state["key_0"] == 11837180581200721437
    assert generator.state["key_1"] == 3682728264580458231
    assert [x.hex() for x in generator.normal(3).tolist()] == [
        "0x1.3594520000000p-6",
        "-0x1.4b4e420000000p-1",
        "-0x1.fd168e0000000p-3",
    ]
    assert generator.integers(0, 1_000, 4).tolist() == [957, 360, 600, 417]
    assert generator.permutation(8).tolist() == [7, 2, 6, 5, 1, 0, 3, 4]
    assert generator.fold_in("layer").random(()).item().hex() == "0x1.af98600000000p-3"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_random_gives_the_numbers_of_numpys_generator(dtype):
    state = Generator(3).state
    key = np.array([state["key_0"], state["key_1"]], dtype=np.uint64)
    expected = np.random.Generator(np.random.Philox(key=key)).random(LONG, dtype=dtype)
    np.testing.assert_array_equal(Generator(3).random(LONG, dtype=dtype), expected)


def test_a_long_draw_is_the_short_draws_in_a_row():
    generator, n = Generator(7), BLOCK // 2 + 2
    pieces = [generator.normal(n) for _ in range(3)]
    np.testing.assert_array_equal(np.concatenate(pieces), Generator(7).normal(3 * n))


# --- the distributions


def test_random_is_uniform_on_the_unit_interval():
    x = drawn("random", 50_000)
    assert x.dtype == np.float32
    assert 0 <= x.min()
    assert x.max() < 1
    assert kolmogorov_distance(x.astype(np.float64), lambda x: x) < 1.95  # p = 0.001


def test_normal_is_standard_normal():
    x = drawn("normal float64", 50_000)
    cdf = np.vectorize(lambda z: 0.5 * math.erfc(-z / math.sqrt(2)))
    assert kolmogorov_distance(x, cdf) < 1.95
    moments = [np.mean(x**k) for k in (1, 2, 3, 4)]
    assert np.all(np.abs(np.subtract(moments, [0, 1, 0, 3])) < 4 * np.sqrt([1, 2, 15, 96]) / 223)


@pytest.mark.parametrize(("mean", "std"), [(-3.0, 0.25), (2.0, 1.0), (0.0, 4.0)])
def test_normal_has_the_mean_and_the_standard_deviation_asked_for(mean, std):
    x = Generator(1).normal(50_000, mean, std)
    assert abs(x.mean() - mean) < 4 * std / 223
    assert abs(x.std() / std - 1) < 4 / 316


def test_a_standard_deviation_of_zero_gives_the_mean():
    assert Generator(1).normal(3, mean=2.0, std=0.0).tolist() == [2.0, 2.0, 2.0]


def test_uniform_covers_its_interval_evenly():
    x = Generator(2).uniform(50_000, -2.0, 3.0).astype(np.float64)
    assert kolmogorov_distance(x, lambda x: (x + 2) / 5) < 1.95


def test_integers_are_equally_likely_and_within_their_limits():
    x = Generator(4).integers(-3, 7, 50_000)
    values, counts = np.unique(x, return_counts=True)
    assert values.tolist() == list(range(-3, 7))
    assert np.sum((counts - 5_000) ** 2) / 5_000 < 27.9  # chi-square with 9 degrees, p = 0.001


def test_integers_over_a_wide_span_are_evenly_spread():
    x = Generator(4).integers(-(2**62), 2**61, 50_000)
    position = (x.astype(np.float64) + 2**62) / (2**62 + 2**61)
    assert kolmogorov_distance(position, lambda x: x) < 1.95
    assert len(np.unique(x & 0xFF)) == 256


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_bernoulli_is_true_as_often_as_asked_for(p):
    mask = Generator(5).bernoulli(p, (500, 400))
    assert mask.dtype == np.bool_
    assert abs(mask.mean() - p) < 4 * math.sqrt(p * (1 - p) / mask.size)


def test_bernoulli_with_p_0_and_1_is_never_and_always_true():
    assert not Generator(5).bernoulli(0.0, 1_000).any()
    assert Generator(5).bernoulli(1.0, 1_000).all()


def test_bernoulli_resolves_probabilities_below_16_bits():
    expected = 2_000_000 * 3e-6
    n_true = int(Generator(5).bernoulli(3e-6, 2_000_000).sum())
    assert abs(n_true - expected) < 4 * math.sqrt(expected)
    assert n_true > 0


def test_a_permutation_holds_every_index_once():
    order = Generator(6).permutation(60_000)
    assert order.dtype == np.int64
    np.testing.assert_array_equal(np.sort(order), np.arange(60_000))


def test_every_order_of_three_is_as_likely():
    generator = Generator(6)
    orders = [tuple(generator.permutation(3).tolist()) for _ in range(3_000)]
    counts = [orders.count(order) for order in set(orders)]
    assert len(counts) == 6
    assert sum((c - 500) ** 2 for c in counts) / 500 < 20.5  # chi-square with 5 degrees, p = 0.001


# --- streams


def test_near_seeds_give_unrelated_numbers():
    x, y = Generator(1).normal(20_000), Generator(2).normal(20_000)
    assert abs(np.mean(x * y)) < 4 / 141


def test_a_seed_may_be_of_any_size():
    assert Generator(2**200 + 1).random(3).tolist() != Generator(1).random(3).tolist()


def test_without_a_seed_the_configured_one_is_taken():
    with settings_override(seed=12):
        assert Generator().state == Generator(12).state


def test_fold_in_does_not_depend_on_the_draws_before():
    fresh, used = Generator(3), Generator(3)
    used.normal(1_001)
    np.testing.assert_array_equal(fresh.fold_in("a.0").random(5), used.fold_in("a.0").random(5))


def test_fold_in_changes_nothing_in_its_generator():
    generator = Generator(3)
    before = generator.state
    generator.fold_in("a")
    assert generator.state == before


def test_fold_in_gives_other_streams_to_other_names_numbers_and_generators():
    root = Generator(3)
    made = [root, root.fold_in("1"), root.fold_in(1), root.fold_in(-1), root.fold_in("")]
    made += [Generator(4).fold_in("1"), root.fold_in("1").fold_in("1")]
    assert len({generator.random(4).tobytes() for generator in made}) == len(made)


def test_streams_of_fold_in_are_uncorrelated():
    root = Generator(3)
    x, y = (root.fold_in(i).normal(20_000) for i in (0, 1))
    assert abs(np.mean(x * y)) < 4 / 141


def test_the_state_goes_through_json_and_restores_the_stream():
    generator = Generator(3)
    generator.random(7)
    state = json.loads(json.dumps(generator.state))
    expected = generator.normal(9)
    other = Generator(99)
    other.state = state
    np.testing.assert_array_equal(other.normal(9), expected)


@pytest.mark.parametrize(
    "state",
    [
        {"key_0": 1, "key_1": 2},
        {"key_0": 1, "key_1": 2, "position": -1},
        {"key_0": 2**64, "key_1": 2, "position": 0},
        {"key_0": 1, "key_1": 2.0, "position": 0},
        [1, 2, 3],
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(state):
    generator = Generator(3)
    before = generator.state
    with pytest.raises(StateDictError, match="key_0"):
        generator.state = state
    assert generator.state == before


def test_a_copy_goes_on_by_itself():
    generator = Generator(3)
    generator.random(3)
    twin = copy.deepcopy(generator)
    np.testing.assert_array_equal(twin.random(5), generator.random(5))


class SlowWords:
    """A source that lets other threads in between the beginning and the end of a take()."""

    xp = np

    def __init__(self, source):
        self._source = source

    def take(self, start, n):
        words = self._source.take(start, n // 2)
        time.sleep(0.001)
        return np.concatenate([words, self._source.take(self._source._position, n - n // 2)])


def test_threads_that_share_a_generator_get_separate_runs_of_its_stream():
    generator = Generator(3)
    generator._host = SlowWords(generator._host)
    runs = []

    def draw():
        for _ in range(5):
            runs.append(generator.random(8, device="cpu"))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = Generator(3).random((20, 8))
    assert sorted(run.tolist() for run in runs) == sorted(expected.tolist())


def test_seed_restarts_the_default_generator_for_whoever_holds_it():
    held = default_generator()
    before = held.state
    try:
        seed(21)
        assert default_generator() is held
        np.testing.assert_array_equal(held.random(4), Generator(21).random(4))
    finally:
        held.state = before


def test_repr_names_key_and_position():
    generator = Generator(0)
    generator.random(4)
    key = (generator.state["key_1"] << 64) + generator.state["key_0"]
    assert repr(generator) == f"Generator(key=0x{key:032x}, position=2)"
