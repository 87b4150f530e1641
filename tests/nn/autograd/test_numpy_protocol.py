"""NumPy's own functions and operators on Tensors: the same numbers, and they record."""

import importlib.util
import operator

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from numpy_calls import CALLS, CONSTANTS

import isograd as ig
from isograd.backend.errors import NotDifferentiableError
from isograd.nn.autograd.numpy_style import tables as numpy_tables


def parts(y):
    """The arrays of a result: most functions return one, some a tuple or a list."""
    return list(y) if isinstance(y, tuple | list) else [y]


def plain(y):
    return ig.to_numpy(y.detach()) if isinstance(y, ig.Tensor) else y


def leaf(values):
    return ig.Tensor(ig.array(values, "float64"), requires_grad=True)


def table(calls):
    return pytest.mark.parametrize("call", calls, ids=str)


@table(CALLS)
def test_a_function_of_numpy_gives_the_same_numbers_recorded(call, device):
    expected = parts(call.function(*call.inputs()))
    found = parts(call.function(*map(leaf, call.inputs())))
    assert len(found) == len(expected)
    for y, number in zip(found, expected, strict=True):
        assert isinstance(y, ig.Tensor)
        assert ig.device_of(y).name == ig.current_device().name
        assert tuple(y.shape) == np.shape(number)
        assert_allclose(plain(y), number, rtol=1e-12, atol=1e-12)


@table(CALLS)
def test_its_derivatives_agree_with_central_differences(call):
    ig.check_gradients(lambda *xs: call.function(*xs), *call.inputs(), order=2, max_entries=2)


@table([call for call in CALLS if call.name not in ("percentile", "cov")])  # float64 in NumPy
def test_float32_stays_what_numpy_makes_of_it(call):
    inputs = [np.asarray(x, np.float32) for x in call.inputs()]
    expected = parts(call.function(*inputs))
    for y, number in zip(parts(call.function(*map(ig.Tensor, inputs))), expected, strict=True):
        assert y.dtype == number.dtype


@table(CONSTANTS)
def test_whole_numbers_and_truth_values_come_out_without_a_recording(call):
    expected = parts(call.function(*call.inputs()))
    for y, number in zip(parts(call.function(*map(leaf, call.inputs()))), expected, strict=True):
        assert not isinstance(y, ig.Tensor) or not y.requires_grad
        assert_array_equal(plain(y), number)


def test_every_function_in_the_tables_has_a_call():
    tried = {call.name for call in [*CALLS, *CONSTANTS]}
    functions = {name.removeprefix("numpy.") for name in numpy_tables.FUNCTIONS}
    same = {"concat": "concatenate", "row_stack": "vstack"}
    assert sorted(functions - tried - set(same) - NOT_OF_NUMPY) == []
    ufuncs = {name for name in numpy_tables.UFUNCS if isinstance(getattr(np, name, 0), np.ufunc)}
    assert sorted({getattr(np, name).__name__ for name in ufuncs} - tried - ON_INTEGERS) == []


# functions that numpy_protocol finds by ufunc names, which numpy has no plain function of
NOT_OF_NUMPY = {
    *("cbrt", "conjugate", "deg2rad", "divmod", "exp2", "fabs", "float_power", "fmax", "fmin"),
    *("fmod", "heaviside", "logaddexp2", "modf", "rad2deg", "rint"),
}
ON_INTEGERS = {
    *("bitwise_and", "bitwise_or", "bitwise_xor", "invert", "left_shift", "right_shift"),
    "nextafter",
}


def test_bits_of_integers():
    x, y = np.array([6, 5]), np.array([3, 1])
    for function in (np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.left_shift, np.right_shift):
        assert_array_equal(plain(function(ig.Tensor(x), y)), function(x, y))
    assert_array_equal(plain(np.invert(ig.Tensor(x))), ~x)


# -- operators ----------------------------------------------------------------------------------

OPERATORS = {
    **{"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv},
    **{"//": operator.floordiv, "%": operator.mod, "**": operator.pow, "@": operator.matmul},
    **{"<": operator.lt, ">=": operator.ge, "==": operator.eq, "!=": operator.ne},
}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_an_array_of_numpy_on_the_left_leaves_the_operator_to_the_tensor(symbol):
    array, values = np.array([3.0, 5.0]), np.array([1.5, 2.0])
    x = leaf(values)
    apply = OPERATORS[symbol]
    for left in (array, np.float64(3.0), np.float32(3.0)):
        if symbol == "@" and left is not array:
            continue
        result = apply(left, x)
        assert isinstance(result, ig.Tensor)
        assert_array_equal(plain(result), apply(left, values))


def test_the_gradient_reaches_the_right_operand_of_an_array():
    x = leaf([1.0, 2.0])
    np.sum(np.array([3.0, 5.0]) * x).backward()
    assert_array_equal(x.grad, [3.0, 5.0])


@pytest.mark.parametrize(
    "change", [operator.iadd, lambda array, x: np.add(x, 1.0, out=array)], ids=["+=", "out="]
)
def test_an_array_cannot_hold_a_recorded_result(change):
    array, x = np.zeros(2), leaf([1.0, 2.0])
    with pytest.raises(TypeError, match=r"numpy\.add: out= must not be given"):
        change(array, x)
    assert_array_equal(array, 0.0)


def test_a_foreign_operand_gets_its_turn():
    class Celsius:
        __array_ufunc__ = None

        def __radd__(self, other):
            return "added"

    class Wrapped:
        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return f"{ufunc.__name__} by Wrapped"

        def __array_function__(self, func, types, args, kwargs):
            return f"{func.__name__} by Wrapped"

    x = leaf([1.0])
    assert x + Celsius() == "added"
    assert np.add(x, Wrapped()) == "add by Wrapped"
    assert np.concatenate([x, Wrapped()]) == "concatenate by Wrapped"
    with pytest.raises(TypeError):
        np.add(x, object())


@pytest.mark.skipif(importlib.util.find_spec("cupy") is None, reason="cupy is not installed")
def test_an_array_of_cupy_leaves_operators_to_the_tensor():
    """No GPU is needed: CuPy asks the right operand before it computes."""
    import cupy

    memory = cupy.cuda.UnownedMemory(8, 16, None, device_id=0)
    array = cupy.ndarray((2,), dtype="f8", memptr=cupy.cuda.MemoryPointer(memory, 0))

    class Asked(ig.Tensor):
        __slots__ = ()

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            return ufunc.__name__

    x = Asked(np.ones(2))
    assert (array + x, array**x, array @ x, array < x) == ("add", "power", "matmul", "less")


# -- lists, scalars and Tensors made by NumPy ---------------------------------------------------


def test_lists_beside_a_tensor_are_arrays_of_its_library(device):
    x = leaf([1.0, 2.0])
    assert_allclose(plain(np.add([1.0, 2.0], x)), [2.0, 4.0])
    assert_allclose(plain(np.dot([1.0, 2.0], x)), 5.0)
    assert_allclose(plain(np.hstack([x, [3.0]])), [1.0, 2.0, 3.0])


def test_like_a_tensor_lists_of_recorded_values_are_joined():
    x, y = leaf(1.0), leaf(2.0)
    joined = np.asarray([x, [y, x]][1], like=x)
    np.sum(joined**2).backward()
    assert (float(x.grad), float(y.grad)) == (2.0, 4.0)
    zeros = np.zeros((2, 3), like=x)
    assert isinstance(zeros, ig.Tensor)
    assert zeros.shape == (2, 3)


def test_without_like_a_list_of_recorded_values_is_refused():
    with pytest.raises(NotDifferentiableError, match="__array__"):
        np.array([leaf(1.0), leaf(2.0)])


def test_a_ufunc_of_scipy_records():
    special = pytest.importorskip("scipy.special")
    x = np.array([0.3, 1.2])
    for name in ("expit", "erf", "gammaln", "ndtr", "log_ndtr", "i0", "psi"):
        ig.check_gradients(getattr(special, name), x, order=2)
    ig.check_gradients(lambda x, y: special.xlogy(x, y), x, x + 1.0)


# -- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda x: np.unwrap(x), r"numpy\.unwrap: isograd has no derivative.*nearest name"),
        (lambda x: np.nancumsum(x), r"numpy\.nancumsum: .* numpy\.nansum"),
        (lambda x: np.linalg.lstsq(x, x), r"numpy\.linalg\.lstsq.*numpy\.linalg\."),
        (lambda x: np.spacing(x), r"numpy\.spacing: .*numpy\."),
        (lambda x: np.add.at(x, [0], 1.0), r"numpy\.add\.at"),
        (lambda x: np.add.reduceat(x, [0]), r"numpy\.add\.reduceat"),
        (lambda x: np.sum(x, where=[True, False]), r"numpy\.sum: the argument where= is not"),
        (lambda x: np.sum(x, initial=1.0), r"numpy\.sum: the argument initial= is not"),
        (lambda x: np.add(x, x, dtype="float32"), r"numpy\.add: the argument dtype= is not"),
        (lambda x: np.sum(x, out=np.zeros(())), r"numpy\.sum: out= must not be given"),
        (lambda x: np.reshape(x, (2, 1), order="F"), r"order must be"),
        (lambda x: np.pad(x, 1, "linear_ramp"), r"mode must be one of constant, edge"),
    ],
)
def test_what_has_no_derivative_is_refused_with_the_name(call, message):
    with pytest.raises(TypeError, match=message):
        call(leaf([1.0, 2.0]))


def test_without_a_recording_numpys_own_function_runs():
    x = ig.Tensor(np.array([0.0, 7.0]))
    assert_array_equal(plain(np.unwrap(x)), np.unwrap(x.data))
    with ig.no_grad():
        assert_array_equal(plain(np.unwrap(leaf([0.0, 7.0]))), np.unwrap(x.data))


def test_integers_become_floating_where_numpy_makes_them_so():
    x = np.arange(6)
    for function in (np.fabs, np.rint, np.mean, lambda x: np.clip(x, 0.5, 3.5), np.sqrt):
        y = function(ig.Tensor(x))
        assert y.dtype == np.float64
        assert_allclose(plain(y), function(x))
    for function in (lambda x: np.clip(x, 1, 4), np.nan_to_num, np.sum, np.max):
        y = function(ig.Tensor(x))
        assert y.dtype == np.int64
        assert_array_equal(plain(y), function(x))


def test_a_function_that_changes_its_argument_is_refused():
    with pytest.raises(TypeError, match="copyto"):
        np.copyto(np.zeros(2), leaf([1.0, 2.0]))


# -- in derivatives -----------------------------------------------------------------------------


def test_code_for_numpy_is_differentiated_unchanged():
    def softmax(x):
        e = np.exp(x - np.max(x, axis=-1, keepdims=True))
        return e / np.sum(e, axis=-1, keepdims=True)

    x = np.random.default_rng(0).standard_normal((2, 3))
    assert isinstance(softmax(x), np.ndarray)
    ig.check_gradients(softmax, x, order=3, max_entries=3)


def test_functions_of_numpy_work_at_every_level():
    hessian = ig.hessian(lambda x: np.sum(np.sin(x) * np.exp(x)))(np.array([0.5, 1.0]))
    assert_allclose(hessian, np.diag(2.0 * np.cos([0.5, 1.0]) * np.exp([0.5, 1.0])))


def test_the_series_of_sinc_at_zero_has_its_derivatives():
    x = np.asarray(0.0)
    second = ig.grad(ig.grad(np.sinc))(x)
    assert_allclose(second, -(np.pi**2) / 3.0, rtol=1e-12)
    assert_allclose(plain(np.sinc(ig.Tensor(np.array([1e-3, 3e-3])))), np.sinc([1e-3, 3e-3]))


def test_fmax_and_fmin_pass_over_nan():
    x, y = np.array([1.0, np.nan, 3.0]), np.array([2.0, 2.0, np.nan])
    for function in (np.fmax, np.fmin):
        assert_array_equal(plain(function(ig.Tensor(x), y)), function(x, y))
        dx, dy = ig.grad(lambda x, y, f=function: np.sum(f(x, y)), argnums=(0, 1))(x, y)
        assert np.all(dx + dy == 1.0)


@pytest.mark.parametrize("name", ["nansum", "nanprod", "nanmean", "nanvar", "nanmax", "nanmin"])
def test_reductions_that_pass_over_nan(name):
    x = np.array([[1.0, np.nan, 3.0], [2.0, 5.0, np.nan]])
    function = getattr(np, name)
    assert_allclose(plain(function(ig.Tensor(x), axis=1)), function(x, axis=1))
    dx = ig.grad(lambda x: np.sum(function(x, axis=1)))(x)
    assert np.all(dx[np.isnan(x)] == 0.0)
    assert np.all(np.isfinite(dx))


def test_nan_to_num_has_no_slope_where_it_replaces():
    x = np.array([1.0, np.nan, np.inf, -np.inf])
    assert_array_equal(plain(np.nan_to_num(ig.Tensor(x), nan=7.0)), np.nan_to_num(x, nan=7.0))
    assert_array_equal(ig.grad(lambda x: np.sum(np.nan_to_num(x) / 2.0))(x), [0.5, 0.0, 0.0, 0.0])


def test_complex_numbers():
    z = np.array([1.0 + 2.0j, -0.5 + 0.3j])
    t = ig.Tensor(z)
    for function in (np.real, np.imag, np.conj, np.angle, np.abs, np.vdot, np.linalg.norm):
        args = (z, z) if function is np.vdot else (z,)
        assert_allclose(plain(function(*[ig.Tensor(a) for a in args])), function(*args))
    assert np.real_if_close(t).dtype == z.dtype
    assert np.real_if_close(ig.Tensor(z.real + 0j)).dtype == np.float64
    angle = ig.grad(lambda z: np.sum(np.angle(z)))(z)
    assert_allclose(angle, 1j * z / np.abs(z) ** 2)  # steepest ascent: turn left


def test_eigenvectors_from_the_upper_triangle_have_the_signs_of_numpys():
    x = np.random.default_rng(3).standard_normal((2, 4, 4))
    values, vectors = np.linalg.eigh(x, "U")
    assert_allclose(plain(np.linalg.eigh(ig.Tensor(x), "U")[0]), values)
    assert_allclose(plain(np.linalg.eigh(ig.Tensor(x), "U")[1]), vectors)
    ig.check_gradients(lambda x: np.linalg.eigh(x, "U"), x, max_entries=8)


def test_float_means_float64_as_in_numpy():
    x = ig.Tensor(np.ones(2, np.float32))
    assert np.astype(x, float).dtype == np.float64
    assert np.sum(x, dtype=float).dtype == np.float64
    assert np.eye(2, like=x).dtype == np.float64
