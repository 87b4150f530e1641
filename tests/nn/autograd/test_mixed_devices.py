"""Arrays of two devices in one op: a DeviceError that names both, wherever they meet."""

import importlib.util

import array_api_strict
import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import DeviceError

PAIRS = [
    ("cpu", "strict"),
    ("strict", "cpu"),
    ("strict", "strict:device1"),
    ("strict:device1", "strict"),
    ("cpu", "torch"),
    ("torch", "cpu"),
]
NAMES = {
    "cpu": "cpu",
    "strict": "strict:cpu",
    "strict:device1": "strict:device1",
    "torch": "torch:cpu",
}


@pytest.fixture(params=PAIRS, ids=lambda pair: "+".join(pair))
def two_devices(request):
    if "torch" in request.param and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    return request.param


def on(device, values=((1.0, 2.0), (3.0, 4.0)), **options):
    return ig.Tensor(ig.array(values, dtype="float64", device=device), **options)


def f(xp, x, other):
    return {
        "add": lambda: x + other,
        "multiply": lambda: x * other,
        "compare": lambda: x < other,
        "matmul": lambda: x @ other,
        "maximum": lambda: xp.maximum(x, other),
        "clip": lambda: xp.clip(x, other, None),
        "clip by name": lambda: xp.clip(x, max=other),
        "where": lambda: xp.where(x > 0.0, x, other),
        "concat": lambda: xp.concat([x, other]),
        "stack": lambda: xp.stack([x, other]),
        "tensordot": lambda: xp.tensordot(x, other),
        "vecdot": lambda: xp.vecdot(x, other),
        "atan2": lambda: xp.atan2(x, other),
        "setitem": lambda: x.__setitem__((0, ...), other[0, ...]),
        "add in place": lambda: x.__iadd__(other),
    }


NAMED = list(f(None, None, None))


@pytest.mark.parametrize("name", NAMED)
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded", "constant"])
@pytest.mark.parametrize("plain", [True, False], ids=["array", "tensor"])
def test_two_devices_in_one_op_are_both_named(two_devices, name, recorded, plain):
    first, second = two_devices
    x = on(first, requires_grad=recorded)
    if "place" in name or name == "setitem":
        x = x * 1.0  # a leaf refuses for a reason of its own
    xp = array_namespace(x)
    f(xp, x, on(first))[name]()  # once with one device: what an op remembers must not let it pass
    other = on(second)
    with pytest.raises(DeviceError) as error:
        f(xp, x, other.data if plain else other)[name]()
    assert NAMES[first] in str(error.value)
    assert NAMES[second] in str(error.value)
    assert "to_device" in str(error.value)


def test_plain_arrays_of_two_devices_are_refused(two_devices):
    """Inference too: NumPy would convert some libraries' arrays in silence."""
    first, second = (ig.array([1.0, 2.0], dtype="float64", device=name) for name in two_devices)
    xp = ig.wrap_namespace(array_namespace(first))
    for call in (
        lambda other: xp.add(first, other),
        lambda other: xp.matmul(first, other),
        lambda other: xp.where(first > 0.0, first, other),
        lambda other: xp.clip(first, first, other),
    ):
        call(first)
        with pytest.raises(DeviceError, match="one device"):
            call(second)


def test_a_definition_with_operators_refuses_two_devices():
    """`x @ weight` on plain arrays never meets the engine's ops: the op looks at its arguments."""

    @ig.differentiable
    def affine(x, weight, bias):
        return x @ weight + bias

    x, weight, bias = np.ones((2, 3)), np.ones((3, 2)), np.ones(2)
    affine(x, weight, bias)
    foreign = array_api_strict.ones(2, dtype=array_api_strict.float64)
    for arguments in ((x, weight, foreign), (ig.Tensor(x, requires_grad=True), weight, foreign)):
        with pytest.raises(DeviceError, match="cpu and strict:cpu"):
            affine(*arguments)


def test_a_wrong_shape_beside_a_scalar_is_not_called_a_mixture():
    """NumPy's scalars are another type than its arrays, but not another device."""
    with pytest.raises(ValueError, match=r"matmul|dimension") as error:
        ig.Tensor(np.ones(2), requires_grad=True) @ np.float64(2.0)
    assert not isinstance(error.value, DeviceError)


def test_a_numpy_scalar_is_an_array_of_numpy(two_devices):
    """Whether or not NumPy's own arrays have met it before: what an op remembers is per library."""
    name = next(name for name in two_devices if name != "cpu")
    x, scalar = on(name, requires_grad=True), np.float32(2.0)
    for _ in range(2):
        for call in (lambda: x * scalar, lambda: array_namespace(x).matmul(x, scalar)):
            with pytest.raises(DeviceError):
                call()
        xp = ig.wrap_namespace(np)
        assert xp.multiply(np.ones(2), scalar).dtype == np.float64
        assert (ig.Tensor(np.ones(2)) * scalar).shape == (2,)


def test_transforms_refuse_two_devices():
    x = np.ones(2)
    other = array_api_strict.ones(2, dtype=array_api_strict.float64)
    with pytest.raises(DeviceError, match="cpu and strict:cpu"):
        ig.grad(lambda x, y: array_namespace(x).sum(x * y))(x, other)


def test_a_layer_and_its_input_on_two_devices_are_both_named(two_devices):
    first, second = two_devices
    with ig.using(first):
        layer = ig.nn.Linear(2, 2)
    for x in (ig.array([[1.0, 2.0]], device=second), on(second, requires_grad=True)):
        with pytest.raises(DeviceError, match="one device") as error:
            layer(x)
        assert NAMES[first] in str(error.value)
        assert NAMES[second] in str(error.value)


def test_a_tensor_moved_in_time_is_fine(two_devices):
    first, second = two_devices
    x, other = on(first, requires_grad=True), on(second, requires_grad=True)
    moved = ig.to_device(other, first)
    (array_namespace(x).sum(x * moved * moved)).backward()
    assert ig.device_of(other.grad) == NAMES[second]
    assert ig.device_of(x.grad) == NAMES[first]
    np.testing.assert_array_equal(ig.to_numpy(other.grad), [[2.0, 8.0], [18.0, 32.0]])
