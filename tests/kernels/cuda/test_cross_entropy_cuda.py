"""Cross entropy by kernel, against float64."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd import nn
from isograd.backend.dtypes import tolerance
from isograd.backend.errors import LabelError
from isograd.backend.replay import HostShare, recording
from isograd.kernels.cuda.cross_entropy import (
    CROSS_ENTROPY,
    LABELS,
    TOTAL_THREADS,
    WHOLE_COLUMNS,
    WHOLE_ROWS,
)
from isograd.kernels.cuda.cross_entropy import forward as loss_on_cupy
from isograd.kernels.cuda.rows import LONG_THREADS, SHORT_THREADS

THREADS = {"short": SHORT_THREADS, "long": LONG_THREADS}


def batch(*shape, dtype="float32", label="int64"):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3.0, size=shape).astype(dtype)
    return logits, rng.integers(0, shape[-1], shape[:-1]).astype(label)


def in_float64(logits, labels):
    """(terms, log_sums, dterms / dlogits)."""
    x = logits.astype(np.float64)
    log_sums = np.log(np.exp(x - x.max(1, keepdims=True)).sum(1)) + x.max(1)
    p = np.exp(x - log_sums[:, None])
    rows = np.arange(len(x))
    terms = log_sums - x[rows, labels]
    p[rows, labels] -= 1.0
    return terms, log_sums, p


def forward(host, logits, labels, team, dtype, wide):
    n_rows, n = logits.shape
    terms, log_sums = (np.full(n_rows, np.nan, wide) for _ in range(2))
    args = (logits, labels, terms, log_sums, np.int64(n_rows), np.int64(n))
    kernel, label = f"cross_entropy_forward_{team}", LABELS[str(labels.dtype)]
    host(CROSS_ENTROPY, kernel, dtype, (2,), (THREADS[team],), args, LABEL=label)
    return terms, log_sums


def close(actual, expected, dtype="float32", factor=4):
    near = tolerance(dtype, factor)
    np.testing.assert_allclose(actual, expected, rtol=near.rtol, atol=near.atol)


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("team", THREADS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 10), (5, 33), (3, 700)])
def test_losses_equal_float64(host, shape, team, label):
    logits, labels = batch(*shape, label=label)
    terms, log_sums = forward(host, logits, labels, team, "float32", np.float32)
    expected = in_float64(logits, labels)
    close(terms, expected[0])
    close(log_sums, expected[1])


@pytest.mark.parametrize("team", THREADS)
@pytest.mark.parametrize("shape", [(1, 1), (9, 10), (5, 33), (3, 700)])
@pytest.mark.parametrize("per_row", [False, True])
def test_gradients_equal_float64(host, shape, team, per_row):
    logits, labels = batch(*shape)
    _, log_sums, slopes = in_float64(logits, labels)
    dy = np.random.default_rng(1).standard_normal(shape[0] if per_row else 1).astype(np.float32)
    dlogits = np.full_like(logits, np.nan)
    arrays = (logits, labels, log_sums.astype(np.float32), dlogits)
    args = (dy, np.bool_(per_row), np.float32(0.25), *arrays, *map(np.int64, shape))
    kernel = f"cross_entropy_backward_{team}"
    host(CROSS_ENTROPY, kernel, "float32", (2,), (THREADS[team],), args, LABEL="long long")
    close(dlogits, slopes * dy.astype(np.float64)[:, None] * 0.25)


def total(host, terms, labels, n, scale=1.0):
    loss, n_bad = np.full(1, np.nan, terms.dtype), np.full(1, -7, np.int64)
    sizes = (terms.dtype.type(scale), np.int64(len(terms)), np.int64(n))
    args = (terms, labels, loss, n_bad, *sizes)
    kernel = "cross_entropy_total"
    dtype = str(terms.dtype)
    host(CROSS_ENTROPY, kernel, dtype, (1,), (TOTAL_THREADS,), args, LABEL="long long")
    return loss[0], n_bad[0]


@pytest.mark.parametrize("n_rows", [1, 31, 1024, 2500])
def test_the_total_is_the_sum_of_all_rows(host, n_rows):
    terms = np.random.default_rng(0).standard_normal(n_rows)
    loss, n_bad = total(host, terms, np.zeros(n_rows, np.int64), 5, scale=0.5)
    close(loss, 0.5 * terms.sum(), "float64")
    assert n_bad == -7  # nothing is written: a count of an earlier launch may not be read yet


def test_labels_that_are_none_are_counted_and_give_nan(host):
    logits, labels = batch(6, 4)
    labels[[1, 4]] = (-1, 4)
    terms, _ = forward(host, logits, labels, "short", "float32", np.float32)
    assert np.isnan(terms).tolist() == [False, True, False, False, True, False]
    assert total(host, terms, labels, 4)[1] == 2


def whole(host, logits, labels, dtype="float32", wide=np.float32, scale=1.0, threads=64):
    """(loss, log_sums, dlogits, n_bad) by one block."""
    loss, n_bad = np.full(1, 0x7FFF, logits.dtype), np.full(1, -7, np.int64)
    log_sums, dlogits = np.full(len(labels), np.nan, wide), np.full_like(logits, 0x7FFF)
    numbers = (wide(scale), *map(np.int64, logits.shape))
    args = (logits, labels, loss, log_sums, dlogits, n_bad, *numbers)
    label = LABELS[str(labels.dtype)]
    name = "cross_entropy_whole"
    host(CROSS_ENTROPY, name, dtype, (1,), (threads,), args, LABEL=label)
    return loss[0], log_sums, dlogits, n_bad[0]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize(
    ("shape", "threads"),
    [((1, 1), 32), ((5, 33), 64), ((8, 8), 64), ((31, 10), 64), ((300, 3), TOTAL_THREADS)],
)
def test_one_block_computes_loss_and_gradient_as_float64_does(host, shape, threads, label):
    logits, labels = batch(*shape, label=label)
    loss, log_sums, dlogits, n_bad = whole(host, logits, labels, scale=0.25, threads=threads)
    terms, expected_log_sums, slopes = in_float64(logits, labels)
    close(loss, 0.25 * terms.sum())
    close(log_sums, expected_log_sums)
    close(dlogits, 0.25 * slopes)
    assert n_bad == -7


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_one_block_computes_in_a_wide_type(host, dtype):
    logits, labels = batch(9, 20, dtype="float64" if dtype == "float64" else "float32")
    wide, given = np.float64, logits
    if dtype == "bfloat16":
        wide, given = np.float32, bits_of_bfloat16(logits)
        logits = from_bfloat16(given)
    loss, log_sums, dlogits, _ = whole(host, given, labels, dtype, wide)
    terms, expected_log_sums, slopes = in_float64(logits, labels)
    close(log_sums, expected_log_sums, np.dtype(wide).name)
    if dtype == "bfloat16":
        loss, dlogits = from_bfloat16(np.asarray([loss]))[0], from_bfloat16(dlogits)
    close(loss, terms.sum(), dtype)
    close(dlogits, slopes, dtype)


def test_one_block_counts_labels_that_are_none_and_gives_nan_for_them(host):
    logits, labels = batch(200, 4)
    labels[[1, 190, 199]] = (-1, 4, 2**40)
    loss, _, dlogits, n_bad = whole(host, logits, labels)
    assert np.isnan(loss)
    assert np.flatnonzero(np.isnan(dlogits).all(axis=1)).tolist() == [1, 190, 199]
    assert np.isnan(dlogits).sum() == 12
    assert n_bad == 3


def test_a_row_of_bfloat16_is_added_up_in_float32(host):
    logits, labels = batch(3, 200)
    bits = bits_of_bfloat16(logits)
    terms, _ = forward(host, bits, labels, "short", "bfloat16", np.float32)
    close(terms, in_float64(from_bfloat16(bits), labels)[0])


def losses_and_gradients(host_cupy, shape, reduction, dy=None):
    """[(loss, gradient) on the CPU, on CuPy]; dy: the cotangent, none for that of backward()."""
    logits, labels = batch(*shape)
    results = []
    for place in (np.asarray, host_cupy.array):
        tensor = ig.Tensor(place(logits), requires_grad=True)
        loss = nn.cross_entropy(tensor, place(labels), reduction=reduction)
        loss.backward(None if dy is None else place(np.full(loss.shape, dy, np.float32)))
        results.append((loss.data, tensor.grad))
    return results


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(
    ("shape", "team"),
    [((WHOLE_ROWS + 1, 10), "short"), ((3, WHOLE_COLUMNS + 1), "short"), ((3, 1100), "long")],
)
def test_the_loss_of_much_is_three_launches_and_the_cpus_numbers(host_cupy, reduction, shape, team):
    results = losses_and_gradients(host_cupy, shape, reduction, 2.0)
    for here, there in zip(*results, strict=True):
        close(host_cupy.view(there), here)
    kernels = [f"forward_{team}", "total", f"backward_{team}"]
    assert host_cupy.compiler.launched == [f"cross_entropy_{kernel}" for kernel in kernels]
    assert host_cupy.used == []


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("shape", [(7, 10), (WHOLE_ROWS, 3), (3, WHOLE_COLUMNS)])
def test_the_loss_of_little_and_its_gradient_are_one_launch(host_cupy, reduction, shape):
    results = losses_and_gradients(host_cupy, shape, reduction)
    for here, there in zip(*results, strict=True):
        close(host_cupy.view(there), here)
    assert host_cupy.compiler.launched == ["cross_entropy_whole"]


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 2, 3, 100)])
def test_leading_axes_are_rows(host_cupy, reduction, shape):
    results = losses_and_gradients(host_cupy, shape, reduction, 2.0)
    for here, there in zip(*results, strict=True):
        close(host_cupy.view(there), here)
        assert there.shape == here.shape
    assert host_cupy.used == []


@pytest.mark.parametrize("dy", [1.0, -3.0])
def test_another_cotangent_than_that_of_backward_is_multiplied(host_cupy, dy):
    results = losses_and_gradients(host_cupy, (7, 10), "mean", dy)
    for here, there in zip(*results, strict=True):
        close(host_cupy.view(there), here)
    kernels = ["cross_entropy_whole", "cross_entropy_backward_short"]
    assert host_cupy.compiler.launched == kernels


def test_a_second_backward_gives_the_gradient_anew_whatever_became_of_the_first(host_cupy):
    logits, labels = map(host_cupy.array, batch(7, 10))
    tensor = ig.Tensor(logits, requires_grad=True)
    loss = nn.cross_entropy(tensor, labels)
    loss.backward(retain_graph=True)
    first = host_cupy.view(tensor.grad).copy()
    tensor.grad *= 0.0  # it is the caller's
    tensor.grad = None
    loss.backward()
    close(host_cupy.view(tensor.grad), first)


def test_a_loss_without_a_gradient_is_one_launch(host_cupy):
    logits, labels = batch(7, 10)
    loss = nn.cross_entropy(host_cupy.array(logits), host_cupy.array(labels))
    close(host_cupy.view(loss), nn.cross_entropy(logits, labels))
    assert host_cupy.compiler.launched == ["cross_entropy_whole"]


def bad_batch(host_cupy):
    logits, labels = batch(5, 3)
    labels[2] = 3
    return host_cupy.array(logits), host_cupy.array(labels)


@pytest.mark.parametrize("reduction", ["mean", "none"])
def test_a_label_out_of_range_gives_nan_and_its_error_with_the_next_call(host_cupy, reduction):
    loss = nn.cross_entropy(*bad_batch(host_cupy), reduction=reduction)
    assert np.isnan(host_cupy.view(loss)).sum() == 1
    good = [host_cupy.array(x) for x in batch(5, 3)]
    host_cupy.cupy.cuda.get_current_stream().synchronize()
    with pytest.raises(LabelError, match=r"got 1 of an earlier call .* gradients were NaN"):
        nn.cross_entropy(*good)
    assert np.isfinite(host_cupy.view(nn.cross_entropy(*good)))  # it is raised once
    assert "__int__" not in host_cupy.used  # nothing was read back


def test_in_debug_mode_a_label_out_of_range_is_the_error_of_its_own_call(host_cupy):
    with ig.backend.settings_override(debug=True), pytest.raises(LabelError, match="got 1"):
        nn.cross_entropy(*bad_batch(host_cupy))


def test_in_a_captured_step_a_label_out_of_range_gives_nan(host_cupy):
    with recording(HostShare(0)):
        loss = nn.cross_entropy(*bad_batch(host_cupy))
    assert np.isnan(host_cupy.view(loss))


@pytest.mark.host_only
def test_labels_on_another_gpu_are_declined(host_cupy):
    logits, labels = map(host_cupy.array, batch(4, 3))
    cuda = host_cupy.cupy.cuda
    memory = cuda.UnownedMemory(labels.data.ptr, labels.nbytes, labels, 1)
    elsewhere = host_cupy.cupy.ndarray((4,), labels.dtype, cuda.MemoryPointer(memory, 0))
    assert loss_on_cupy(logits, elsewhere) is NotImplemented
    assert host_cupy.compiler.launched == []
