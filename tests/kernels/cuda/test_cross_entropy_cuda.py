"""Cross entropy by kernel, against float64."""

import numpy as np
import pytest
from bfloat16 import bits_of_bfloat16, from_bfloat16

import isograd as ig
from isograd import nn
from isograd.backend.dtypes import tolerance
from isograd.backend.errors import LabelError
from isograd.backend.replay import HostShare, recording
from isograd.kernels.cuda.cross_entropy import CROSS_ENTROPY, LABELS, TOTAL_THREADS
from isograd.kernels.cuda.cross_entropy import forward as loss_on_cupy
from isograd.kernels.cuda.rows import LONG_THREADS, SHORT_THREADS

THREADS = {"short": SHORT_THREADS, "long": LONG_THREADS}


def batch(n_rows, n, dtype="float32", label="int64"):
    rng = np.random.default_rng(0)
    logits = rng.normal(scale=3.0, size=(n_rows, n)).astype(dtype)
    return logits, rng.integers(0, n, n_rows).astype(label)


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
    assert n_bad == 0


def test_labels_that_are_none_are_counted_and_give_nan(host):
    logits, labels = batch(6, 4)
    labels[[1, 4]] = (-1, 4)
    terms, _ = forward(host, logits, labels, "short", "float32", np.float32)
    assert np.isnan(terms).tolist() == [False, True, False, False, True, False]
    assert total(host, terms, labels, 4)[1] == 2


def test_a_row_of_bfloat16_is_added_up_in_float32(host):
    logits, labels = batch(3, 200)
    bits = bits_of_bfloat16(logits)
    terms, _ = forward(host, bits, labels, "short", "bfloat16", np.float32)
    close(terms, in_float64(from_bfloat16(bits), labels)[0])


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize(("shape", "team"), [((7, 10), "short"), ((3, 1100), "long")])
def test_the_loss_on_cupy_is_three_launches_and_the_cpus_numbers(
    host_cupy, reduction, shape, team
):
    logits, labels = batch(*shape)
    results = []
    for x, targets in ((logits, labels), (host_cupy.array(logits), host_cupy.array(labels))):
        tensor = ig.Tensor(x, requires_grad=True)
        loss = nn.cross_entropy(tensor, targets, reduction=reduction)
        dy = np.ones(loss.shape, np.float32)
        loss.backward(dy if x is logits else host_cupy.array(dy))
        results.append((loss.data, tensor.grad))
    for here, there in zip(*results, strict=True):
        close(host_cupy.view(there), here)
    kernels = [f"forward_{team}", "total", f"backward_{team}"]
    assert host_cupy.compiler.launched == [f"cross_entropy_{kernel}" for kernel in kernels]


def test_a_label_out_of_range_is_the_error_of_the_cpu(host_cupy):
    logits, labels = batch(5, 3)
    labels[2] = 3
    with pytest.raises(LabelError, match="got 3"):
        nn.cross_entropy(host_cupy.array(logits), host_cupy.array(labels))


def test_in_a_captured_step_no_label_is_read_back_and_a_bad_one_gives_nan(host_cupy):
    logits, labels = batch(5, 3)
    labels[2] = 3
    with recording(HostShare(0)):
        loss = nn.cross_entropy(host_cupy.array(logits), host_cupy.array(labels))
    assert np.isnan(host_cupy.view(loss))


@pytest.mark.host_only
def test_labels_on_another_gpu_are_declined(host_cupy):
    logits, labels = map(host_cupy.array, batch(4, 3))
    cuda = host_cupy.cupy.cuda
    memory = cuda.UnownedMemory(labels.data.ptr, labels.nbytes, labels, 1)
    elsewhere = host_cupy.cupy.ndarray((4,), labels.dtype, cuda.MemoryPointer(memory, 0))
    assert loss_on_cupy(logits, elsewhere) is NotImplemented
    assert host_cupy.compiler.launched == []
