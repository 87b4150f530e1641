"""The host runner finds mistakes that are planted, and none where there are none."""

from pathlib import Path

import numpy as np
import pytest

from isograd.backend.errors import KernelError

pytestmark = pytest.mark.host_only

FILE = Path(__file__).with_name("planted_bugs.cu")
THREADS = 64
ORDER = "depend on the order of threads"
BARRIER = "divergent barrier"

N, ROWS, STRIDE = np.int64(50), np.int64(4), np.int32(2**30)
BUGS = {  # name: (elements of y, what follows x and y, the message)
    "reversed": (64, (), ORDER),
    "reversed_rows": (256, (ROWS,), ORDER),
    "copied": (50, (N,), "wrote 4 bytes from 0 bytes behind its end"),
    "summed": (1, (np.int64(256),), ORDER),
    "transposed": (200, (ROWS, N), "bytes behind its end"),
    "largest": (64, (), ORDER),
    "first_four": (4, (), "a misaligned address, not a multiple of 16, at .*.cu:"),
    "waiting": (64, (), f"{BARRIER}: thread 0 waits in __syncthreads.*thread 32 has returned"),
    "waiting_apart": (64, (), f"{BARRIER}: thread 0 waits at .*, thread 32 at "),
    "swapped": (64, (), f"{BARRIER}: thread 0 waits in __shfl_xor_sync .*for lanes 0xffffffff"),
    "next_in_row": (64, (), "an index outside of its array"),
    "kept": (64, (), "a write 0 bytes behind the dynamic shared memory"),
    "copied_later": (64, (), ORDER),
    "far_away": (64, (STRIDE,), "a signed product overflows"),
    "returning": (50, (N,), f"{BARRIER}: .* has returned"),
}
WITHOUT_X = ("waiting", "waiting_apart", "returning")


def run(host, kernel, name):
    size, numbers, _ = BUGS[name]
    x = np.random.default_rng(0).standard_normal(256).astype(np.float32)
    y = np.full(size, np.nan, np.float32)
    arrays = (y,) if name in WITHOUT_X else (x, y)
    made = host.compiler.kernel(kernel, FILE.read_text(), (), FILE.name, 4 * THREADS)
    made((1,), (THREADS,), (*arrays, *numbers), shared_mem=4 * THREADS)
    return x, y


@pytest.mark.parametrize("name", BUGS)
def test_a_planted_bug_is_found(host, name):
    with pytest.raises(KernelError, match=f"^{name}_wrong: .*{BUGS[name][2]}"):
        run(host, f"{name}_wrong", name)


@pytest.mark.parametrize("name", BUGS)
def test_nothing_is_found_where_there_is_no_bug(host, name):
    _, y = run(host, f"{name}_right", name)
    assert not np.isnan(y).any()


def test_a_wrong_stride_inside_of_an_array_is_found_by_the_order_of_writes(host):
    x, y = np.arange(200, dtype=np.float32), np.full(200, np.nan, np.float32)
    kernel = host.compiler.kernel("transposed_wrong", FILE.read_text(), (), FILE.name)
    with pytest.raises(KernelError, match=ORDER):
        kernel((1,), (THREADS,), (x, y, N, ROWS))
