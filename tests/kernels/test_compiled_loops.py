"""Compiled loops take what they are made for and refuse the rest, whoever calls them."""

import subprocess
import sys

import numpy as np
import pytest

from isograd import kernels, nn
from isograd.backend.settings import settings_override
from isograd.kernels.adam import adam_numpy
from isograd.kernels.compiled import loops_for, state_of_loops

NUMBERS = (0.9, 0.1, 0.99, 0.01, 1e-8, 1e-3, 0.0, False)


def arrays(n, dtype="float32"):
    return [np.ones(n, dtype) for _ in range(4)]


def test_arrays_of_other_dtypes_and_layouts_are_left_to_numpy(loops):
    assert loops_for(*arrays(3)) is loops
    assert loops_for(np.ones(3)) is None
    assert loops_for(np.ones(6, np.float32)[::2]) is None
    assert loops_for(np.ones(3, np.float32), None) is loops


def test_an_array_off_its_alignment_is_left_to_numpy(loops):
    x = np.zeros(13, np.uint8)[1:].view(np.float32)  # as out of a file, after a header
    assert loops_for(x) is None
    np.testing.assert_array_equal(nn.gelu(x), np.zeros(3))


def test_the_setting_switches_them_off(loops):
    with settings_override(compiled=False):
        assert loops_for(*arrays(3)) is None
        assert state_of_loops() == "switched off by ISOGRAD_COMPILED=0"


def test_a_kernel_asks_for_them(loops, monkeypatch):
    called = []

    class Spy:
        def adam(self, *arguments):
            called.append(len(arguments[0]))

    monkeypatch.setattr(kernels.compiled, "_found", [Spy()])
    adam_numpy(*arrays(5), t=1, lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0)
    assert called == [5]


def test_an_installation_without_them_runs_on_numpy(monkeypatch):
    monkeypatch.setattr(kernels.compiled, "_found", [None])
    assert loops_for(*arrays(3)) is None
    assert state_of_loops().startswith("none: ")
    p, dp, m, v = arrays(5)
    adam_numpy(p, dp, m, v, t=1, lr=0.1, betas=(0.9, 0.99), eps=0.0, weight_decay=0.0)
    assert np.all(p < 1.0)


@pytest.mark.parametrize(
    ("replaced", "error", "says"),
    [
        ({0: np.ones(5)}, TypeError, "argument 0 must be float32, got format 'd'"),
        ({2: np.ones(4, np.float32)}, ValueError, "argument 2 must have 5 numbers, got 4"),
        ({1: np.ones(10, np.float32)[::2]}, ValueError, "not C-contiguous"),
        ({1: [1.0] * 5}, TypeError, "bytes-like"),
        ({4: "0.9"}, TypeError, "real number"),
    ],
)
def test_a_wrong_argument_is_refused_and_nothing_is_written(loops, replaced, error, says):
    given = [*arrays(5), *NUMBERS]
    for i, value in replaced.items():
        given[i] = value
    with pytest.raises(error, match=says):
        loops.adam(*given)
    assert all(np.all(np.asarray(x) == 1.0) for x in given[:4])


@pytest.mark.parametrize("shape", [(2**62, 4), (-2, -3), (0, 2**62), (-5, 0)])
def test_a_matrix_whose_size_overflows_is_refused(loops, shape):
    """2^62 times 4 is 0 in 64 bits, as if an empty array were large enough."""
    n = 6 if shape == (-2, -3) else 0
    with pytest.raises(ValueError, match="there is no matrix"):
        loops.pack(np.empty(0, np.float32), np.empty(n, np.float32), *shape, False)


@pytest.mark.parametrize(
    "sizes", [(0, 8, 2**61, 0, 8), (0, 0, 2**62, 0, 0), (1, 1, 1, 1, -(2**63))]
)
@pytest.mark.parametrize(("name", "n_arrays"), [("lstm_forward", 8), ("lstm_backward", 9)])
def test_sequences_whose_size_overflows_are_refused(loops, name, n_arrays, sizes):
    empty = [np.empty(0, np.float32) for _ in range(n_arrays)]
    with pytest.raises(ValueError, match="rows must lie in the batch"):
        getattr(loops, name)(*empty, *sizes, False)


def test_the_first_of_several_wrong_numbers_is_named(loops):
    with pytest.raises(TypeError, match="real number"):
        loops.adam(*arrays(5), "0.9", *NUMBERS[1:-1], _NoTruth())


class _NoTruth:
    def __bool__(self):
        raise ValueError


def test_an_array_that_may_not_be_written_to_is_refused(loops):
    p, dp, m, v = arrays(5)
    p.flags.writeable = False
    dp.flags.writeable = False
    with pytest.raises((ValueError, BufferError), match=r"read-only|writ"):
        loops.adam(p, dp, m, v, *NUMBERS)
    p.flags.writeable = True
    loops.adam(p, dp, m, v, *NUMBERS)  # dp is only read


def test_another_number_of_arguments_is_refused(loops):
    with pytest.raises(TypeError, match="takes 12 arguments, got 4: build the loops anew"):
        loops.adam(*arrays(5))


def test_arrays_are_free_again_after_a_call_and_after_an_error(loops):
    p, dp, m, v = arrays(5)
    references = sys.getrefcount(p)
    loops.adam(p, dp, m, v, *NUMBERS)
    with pytest.raises(ValueError, match="argument 3"):
        loops.adam(p, dp, m, v[:2], *NUMBERS)
    assert sys.getrefcount(p) == references


def test_nothing_is_loaded_at_import():
    code = "import sys, isograd, isograd.nn; print([n for n in sys.modules if '_loops' in n])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
