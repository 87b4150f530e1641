"""The NumPy kernels of attention, with and without compiled loops, against their definitions."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import settings_override, tolerance
from isograd.kernels import attention as kernel
from isograd.kernels.threads import threads
from isograd.nn.attention.blockwise import _attend, blockwise_attention
from isograd.nn.attention.scaled_dot_product import attention

# leading axes, L, S, E, V: one of each; odd ones; more queries than a block; more keys, and fewer
SHAPES = [
    ((), 1, 1, 1, 1),
    ((3,), 5, 5, 7, 3),
    ((2, 2), 40, 40, 16, 16),
    ((1, 3), 70, 37, 5, 33),
    ((2, 1), 9, 50, 8, 17),
]


def inputs(leading, n_queries, n_keys, width, value_width, dtype="float32"):
    """query, key, value and dy."""
    random = np.random.RandomState(n_queries + n_keys)
    lasts = [(n_queries, width), (n_keys, width), (n_keys, value_width), (n_queries, value_width)]
    return [random.randn(*leading, *last).astype(dtype) for last in lasts]


def results(given, mask=None, op=attention, **options):
    """y, dquery, dkey, dvalue and, for a mask that is a Tensor, dmask."""
    *arrays, dy = given
    tensors = [ig.Tensor(x, requires_grad=True) for x in arrays]
    y = op(*tensors, mask, **{"is_causal": False, "scale": 0.4, **options})
    y.backward(dy)
    return [y.data, *(t.grad for t in tensors)]


def assert_near(found, expected):
    """Within the dtype's tolerance of the largest number: the products are sums of many terms."""
    largest = max(1.0, float(np.max(np.abs(expected))))
    near = tolerance(found.dtype)
    assert found.shape == expected.shape
    assert np.max(np.abs(found - expected)) <= (near.rtol + near.atol) * largest


def assert_is_the_definition(given, mask=None, **options):
    found = results(given, mask, **options)
    exact = [x.astype(np.float64) for x in given]
    if mask is not None and mask.dtype != bool:
        mask = mask.astype(np.float64)
    with settings_override(disable_kernels=True):
        expected = results(exact, mask, **options)
    for a, b in zip(found, expected, strict=True):
        assert a.dtype == given[0].dtype
        assert_near(a, b)


@pytest.mark.parametrize("op", [attention, blockwise_attention])
@pytest.mark.parametrize("is_causal", [False, True])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_kernel_is_the_definition(compiled, shape, is_causal, op):
    assert_is_the_definition(inputs(*shape), is_causal=is_causal, op=op)


@pytest.mark.parametrize("mask_shape", [(40, 33), (1, 33), (40, 1), (2, 1, 1, 33), (3, 40, 33)])
@pytest.mark.parametrize("kind", ["float", "bool"])
def test_masks_of_every_shape_are_added(compiled, mask_shape, kind):
    random = np.random.RandomState(3)
    mask = random.randn(*mask_shape).astype(np.float32) if kind == "float" else None
    mask = random.rand(*mask_shape) > 0.3 if mask is None else mask
    given = inputs((2, 3), 40, 33, 8, 8)
    assert_is_the_definition(given, mask, is_causal=kind == "float")


@pytest.mark.parametrize("op", [attention, blockwise_attention])
def test_a_query_that_may_look_nowhere_gets_zeros(compiled, op):
    mask = np.ones((40, 40), dtype=bool)
    mask[3] = mask[35] = False
    given = inputs((2,), 40, 40, 8, 8)
    y, dquery, *_ = results(given, mask, op=op)
    assert not y[:, [3, 35]].any()
    assert not dquery[:, [3, 35]].any()
    assert_is_the_definition(given, mask, op=op)


def test_leading_axes_broadcast(compiled):
    query, key, value, dy = inputs((2, 3), 5, 6, 4, 4)
    assert_is_the_definition([query, key[:, :1], value[0], dy], is_causal=True)


def test_a_mask_that_learns_gets_its_gradient(compiled):
    given, mask = inputs((2, 2), 6, 6, 4, 4), np.random.RandomState(5).randn(6, 6)
    found = []
    for dtype, off in (("float32", False), ("float64", True)):
        arrays = [x.astype(dtype) for x in given]
        bias = ig.Tensor(mask.astype(dtype), requires_grad=True)
        with settings_override(disable_kernels=off):
            results(arrays, bias, is_causal=True)
        found.append(bias.grad)
    assert_near(*found)


def test_logarithms_of_the_sums_have_gradients(compiled):
    *given, _ = inputs((2, 2), 40, 40, 8, 8)
    options = {"is_causal": True, "scale": 0.4, "dropout_p": 0.0, "seed": 0, "block": 16}
    found = []
    for dtype, off in (("float32", False), ("float64", True)):
        tensors = [ig.Tensor(x.astype(dtype), requires_grad=True) for x in given]
        with settings_override(disable_kernels=off):
            y, logs = _attend(*tensors, **options)
            (y.sum() + (logs * logs).sum()).backward()
        found.append([logs.data, *(t.grad for t in tensors)])
    for a, b in zip(*found, strict=True):
        assert_near(a, b)


def test_heads_that_lie_between_other_axes_are_taken_and_given_back_there(loops):
    given = inputs((2, 7), 6, 7, 8, 8)
    turned = [np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2) for x in given]
    expected, found = results(given), results(turned)
    for a, b in zip(found, expected, strict=True):
        assert np.array_equal(a, b)
    assert found[0].swapaxes(1, 2).flags.c_contiguous


def test_the_loops_take_part_where_they_are_built(loops):
    query, key, value, _ = inputs((2, 2), 5, 5, 4, 4)
    _, saved = kernel.attention_forward(query, key, value, is_causal=True, scale=1.0)
    assert isinstance(saved, kernel.Kept)
    with settings_override(compiled=False):
        _, saved = kernel.attention_forward(query, key, value, is_causal=True, scale=1.0)
    assert isinstance(saved, np.ndarray)


def test_float64_dropout_and_more_axes_are_left_to_numpy(loops):
    options = {"is_causal": False, "scale": 1.0}
    wide = inputs((2, 1, 2), 5, 5, 4, 4)[:3]
    exact = inputs((2,), 5, 5, 4, 4, "float64")[:3]
    plain = inputs((2,), 5, 5, 4, 4)[:3]
    kept = np.ones((2, 5, 5), np.float32)
    for arguments in (wide, exact, [*plain, None, kept]):
        assert isinstance(kernel.attention_forward(*arguments, **options)[1], np.ndarray)


def test_what_loops_have_kept_serves_a_backward_pass_on_numpy(loops):
    given = inputs((2,), 6, 7, 4, 4)
    *arrays, dy = given
    tensors = [ig.Tensor(x, requires_grad=True) for x in arrays]
    y = attention(*tensors, is_causal=True, scale=0.4)
    with settings_override(compiled=False):
        y.backward(dy)
    for tensor, dx in zip(tensors, results(given, is_causal=True)[1:], strict=True):
        assert_near(tensor.grad, dx)


def test_large_scores_do_not_overflow(compiled):
    given = inputs((2,), 40, 40, 8, 8)
    given[0] *= np.float32(1e3)
    assert all(np.all(np.isfinite(x)) for x in results(given))


def test_nan_stays_with_its_query(compiled):
    given = inputs((2,), 40, 40, 8, 8)
    given[0][0, 33, 2] = np.nan
    y = results(given)[0]
    assert np.all(np.isnan(y[0, 33]))
    y[0, 33] = 0.0
    assert np.all(np.isfinite(y))


def test_bits_do_not_depend_on_the_number_of_threads(loops, monkeypatch):
    monkeypatch.setattr("isograd.kernels.heads.PART", 2000)
    given, found = inputs((3, 5), 40, 40, 8, 8), []
    for n in (1, 2, 3):
        with threads(n):
            found.append(results(given, is_causal=True))
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


def heads(*shapes):
    return [np.zeros(shape, np.float32) for shape in shapes]


def forward_arguments(loops):
    q, k, v = (2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7)
    scratch = loops.attention_scratch(5, 6, 4, 7)[0]
    arrays = heads((2, 3, 5, 7), (30,), (30,), (scratch,), q, k, v, (2, 3, 5, 6))
    return [*arrays, True, 0.5, 0, 6]


def backward_arguments(loops):
    q, k, v = (2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 7)
    scratch = loops.attention_scratch(5, 6, 4, 7)[1]
    given = ((2, 3, 5, 7), (30,), (30,), (30,), q, k, v, (2, 3, 5, 6))
    return [*heads(q, k, v, (scratch,), *given), True, 0.5, 0, 6]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("attention", forward_arguments), ("attention_backward", backward_arguments)],
)
def test_arrays_of_wrong_shapes_are_refused(loops, name, arguments):
    loop, n_arrays = getattr(loops, name), len(arguments(loops)) - 4
    loop(*arguments(loops))
    for i in range(n_arrays):
        given = arguments(loops)
        given[i] = np.zeros((*given[i].shape[:-1], given[i].shape[-1] + 1), np.float32)
        with pytest.raises(ValueError, match="must have"):
            loop(*given)
    given = arguments(loops)
    given[0] = np.zeros(given[0].shape[::-1], np.float32).T  # rows that lie apart
    with pytest.raises(ValueError, match="whose numbers lie together"):
        loop(*given)


def test_heads_outside_the_batch_are_refused(loops):
    for first, last in ((-1, 2), (0, 7)):
        with pytest.raises(ValueError, match="heads must be among"):
            loops.attention(*forward_arguments(loops)[:-2], first, last)


@pytest.mark.parametrize("i", range(4))
def test_an_array_off_its_alignment_is_taken_too(i, compiled):
    given = inputs((2, 2), 8, 8, 4, 4)
    room = bytearray(given[i].nbytes + 1)
    shifted = np.frombuffer(room, np.float32, given[i].size, offset=1).reshape(given[i].shape)
    shifted[...] = given[i]
    assert not shifted.flags.aligned
    assert_is_the_definition([*given[:i], shifted, *given[i + 1 :]])
