"""@differentiable: rules of every form, what they are given, what an op looks like from outside."""

import inspect

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace
from isograd.backend.errors import NotDifferentiableError, ShapeError, StaleArrayError
from isograd.nn.autograd.tensor import write_in_place


def array(values, dtype="float64"):
    return ig.array(values, dtype=dtype)


def leaf(values):
    return ig.Tensor(array(values), requires_grad=True)


def total(x):
    return array_namespace(x).sum(x)


def assert_equal(x, expected):
    np.testing.assert_allclose(ig.to_numpy(x), expected, rtol=1e-13)


def new_silu():
    @ig.differentiable
    def silu(x):
        """x * sigmoid(x)."""
        xp = array_namespace(x)
        return x / (1.0 + xp.exp(-x))

    return silu


def sigmoid(x):
    return 1.0 / (1.0 + array_namespace(x).exp(-x))


# -- from outside -------------------------------------------------------------------------------


def test_an_op_looks_like_its_definition():
    silu = new_silu()
    assert silu.__name__ == "silu"
    assert silu.__doc__ == "x * sigmoid(x)."
    assert str(inspect.signature(silu)) == "(x)"
    assert silu.__module__ == __name__
    assert "silu(x)" in repr(silu)


def test_plain_arrays_in_plain_arrays_out_tensors_in_tensors_out(device):
    silu = new_silu()
    x = array([0.5, -1.0])
    assert type(silu(x)) is type(x)
    y = silu(ig.Tensor(x))
    assert isinstance(y, ig.Tensor)
    assert not y.requires_grad
    assert silu(leaf([0.5, -1.0])).requires_grad


def test_an_op_without_a_rule_is_differentiated_through_its_parts(device):
    silu = new_silu()
    x = np.array([0.5, -1.0])
    s = 1.0 / (1.0 + np.exp(-x))
    assert_equal(ig.grad(lambda x: total(silu(x)))(array(x)), s * (1.0 + x * (1.0 - s)))


# -- forms of rules -----------------------------------------------------------------------------


def test_a_bare_rule_is_that_of_the_first_parameter(device):
    silu, seen = new_silu(), []

    @silu.backward
    def dsilu(dy, x):
        seen.append(x)
        s = sigmoid(x)
        return dy * s * (1.0 + x * (1.0 - s))

    x = np.array([0.5, -1.0])
    s = 1.0 / (1.0 + np.exp(-x))
    assert_equal(ig.grad(lambda x: total(silu(x)))(array(x)), s * (1.0 + x * (1.0 - s)))
    assert len(seen) == 1
    assert callable(dsilu)  # the decorator hands the rule back
    second = ig.grad(lambda x: total(ig.grad(lambda x: total(silu(x)))(x)))(array(x))
    assert_equal(second, s * (1.0 - s) * (2.0 + x * (1.0 - 2.0 * s)))


def test_a_rule_for_each_argument_runs_only_where_it_is_wanted(device):
    calls = []

    @ig.differentiable
    def product(a, b):
        return a * b

    product.backward(
        a=lambda dy, b: calls.append("a") or dy * b,
        b=lambda dy, a: calls.append("b") or dy * a,
    )
    total(product(leaf([1.0, 2.0]), array([3.0, 4.0]))).backward()
    assert calls == ["a"]
    b = leaf([3.0, 4.0])
    total(product(array([1.0, 2.0]), b)).backward()
    assert calls == ["a", "b"]
    assert_equal(b.grad, [1.0, 2.0])


def affine_op(seen):
    @ig.differentiable
    def affine(x, weight, bias=None, *, scale=1.0):
        y = array_namespace(x, weight).matmul(x, weight) * scale
        return y if bias is None else y + bias

    @affine.backward("x", "weight", "bias")
    def _(dy, x, weight, scale, needs):
        seen.append(needs)
        xp = array_namespace(dy)
        dx = xp.matmul(dy, xp.matrix_transpose(weight)) * scale if "x" in needs else None
        dweight = xp.matmul(xp.matrix_transpose(x), dy) * scale if "weight" in needs else None
        dbias = xp.sum(dy, axis=0) if "bias" in needs else None
        return dx, dweight, dbias

    return affine


def test_one_rule_for_several_arguments_is_told_which_are_wanted(device):
    seen = []
    affine = affine_op(seen)
    x, weight, bias = np.ones((3, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0])
    w, b = leaf(weight), leaf(bias)
    total(affine(array(x), w, b, scale=2.0)).backward()
    assert_equal(w.grad, [[6.0, 6.0], [6.0, 6.0]])
    assert_equal(b.grad, [3.0, 3.0])
    total(affine(leaf(x), array(weight))).backward()
    total(affine(array(x), weight=w)).backward()
    assert seen == [{"weight", "bias"}, {"x"}, {"weight"}]
    ig.check_gradients(
        lambda x, w, b: affine(x, w, b, scale=2.0), array(x), array(weight), array(bias), order=2
    )


def test_a_rule_is_given_what_it_names(device):
    given = {}

    @ig.differentiable
    def op(x, power, shift=0.5, *, scale=2.0):
        return scale * x**power + shift

    @op.backward
    def _(dy, x_shape, y_shape, x, power, shift, scale, y):
        given.update(locals())
        return dy * (scale * power * x ** (power - 1))

    x = leaf([[1.0, 2.0]])
    total(op(x, 3.0)).backward()
    assert_equal(x.grad, [[6.0, 24.0]])
    assert (given["power"], given["shift"], given["scale"]) == (3.0, 0.5, 2.0)
    assert tuple(given["x_shape"]) == tuple(given["y_shape"]) == (1, 2)
    assert given["x"] is x.data
    assert_equal(given["y"], [[2.5, 16.5]])
    total(op(x, power=3.0, shift=1.0, scale=5.0)).backward()
    assert (given["power"], given["shift"], given["scale"]) == (3.0, 1.0, 5.0)


def test_an_op_of_any_number_of_arrays(device):
    needed = []

    @ig.differentiable
    def added(*arrays, factor=1.0):
        result = arrays[0] * factor
        for x in arrays[1:]:
            result = result + x * factor
        return result

    @added.backward
    def _(dy, arrays, factor, needs):
        needed.append(needs)
        return [dy * factor for _ in arrays]

    x, z = leaf([1.0, 2.0]), leaf(3.0)
    total(added(x, ig.Tensor(array([5.0, 5.0])), z, x, factor=2.0)).backward()
    assert_equal(x.grad, [4.0, 4.0])
    assert_equal(z.grad, 4.0)  # broadcasting is undone here too
    assert needed == [{0, 2, 3}]


def test_an_op_may_have_several_outputs(device):
    @ig.differentiable
    def polar(x, y):
        xp = array_namespace(x, y)
        return xp.sqrt(x * x + y * y), xp.atan2(y, x)

    @polar.backward("x", "y")
    def _(dy, x, y):
        dr, dangle = dy
        r = array_namespace(x).sqrt(x * x + y * y)
        return dr * x / r - dangle * y / (r * r), dr * y / r + dangle * x / (r * r)

    x, y = array([3.0, 1.0]), array([4.0, 1.0])
    ig.check_gradients(polar, x, y, order=2)
    ig.check_gradients(lambda x, y: polar(x, y)[1], x, y, order=2)  # the other one's dy is zero
    a, b = leaf([3.0]), leaf([4.0])
    r, angle = polar(a, b)
    total(r).backward(retain_graph=True)
    assert_equal(a.grad, [0.6])
    total(angle).backward()
    assert_equal(a.grad, [0.6 - 4.0 / 25.0])


def test_a_rule_may_broadcast_and_promote(device):
    """The engine sums and casts back, so a rule need not."""

    @ig.differentiable
    def doubled(x):
        return x * 2.0

    @doubled.backward
    def _(dy):
        xp = array_namespace(dy)
        return xp.astype(xp.broadcast_to(dy, (3, *dy.shape)), xp.float64)

    x = ig.Tensor(array([1.0, 2.0], "float32"), requires_grad=True)
    total(doubled(x)).backward()
    assert x.grad.dtype == x.dtype
    assert_equal(x.grad, [3.0, 3.0])


# -- op.backward called directly ----------------------------------------------------------------


def test_backward_called_with_arrays_is_the_gradient(device):
    silu = new_silu()
    x, dy = array([0.5, -1.0]), array([1.0, 10.0])
    composed = silu.backward(dy, x)

    @silu.backward
    def _(dy, x):
        s = sigmoid(x)
        return dy * s * (1.0 + x * (1.0 - s))

    ruled = silu.backward(dy, x)
    assert type(ruled) is type(x)
    np.testing.assert_allclose(ig.to_numpy(ruled), ig.to_numpy(composed), rtol=1e-14)


def test_backward_called_directly_gives_a_tuple_for_several_inputs(device):
    affine = affine_op([])
    x, weight, bias = array(np.ones((3, 2))), array([[1.0, 2.0], [3.0, 4.0]]), array([5.0, 6.0])
    dx, dweight, dbias = affine.backward(array(np.ones((3, 2))), x, weight, bias, scale=2.0)
    assert_equal(dx, np.ones((3, 2)) @ np.array([[1.0, 3.0], [2.0, 4.0]]) * 2.0)
    assert_equal(dweight, [[6.0, 6.0], [6.0, 6.0]])
    assert_equal(dbias, [3.0, 3.0])
    assert len(affine.backward(array(np.ones((3, 2))), x, weight)) == 2


def test_backward_called_directly_is_differentiable(device):
    silu = new_silu()
    dx = ig.grad(lambda x: total(silu.backward(x * 0.0 + 1.0, x)))(array([0.5]))
    s = 1.0 / (1.0 + np.exp(-0.5))
    assert_equal(dx, [s * (1.0 - s) * (2.0 + 0.5 * (1.0 - 2.0 * s))])


# -- checks -------------------------------------------------------------------------------------


def test_requires_is_asked_once_at_the_public_door(device):
    calls = []

    @ig.differentiable
    def rooted(x, least=0.0):
        return array_namespace(x).sqrt(x)

    @rooted.requires
    def _(x, least=0.0):
        calls.append(least)
        if x.ndim != 1:
            raise ShapeError(f"rooted: x must have one axis, got shape {tuple(x.shape)}")

    rooted(array([4.0]))
    assert calls == [0.0]
    ig.grad(ig.grad(lambda x: total(rooted(x[None, ...], least=1.0))))(array(4.0))
    assert calls == [0.0, 1.0]
    with pytest.raises(ShapeError, match=r"rooted: x must have one axis, got shape \(1, 1\)"):
        rooted(leaf([[1.0]]))


def test_every_output_of_an_op_guards_its_parameters():
    @ig.differentiable
    def both(x):
        return x * x, x + 1.0

    @both.backward
    def _(dy, x):
        return 2.0 * x * dy[0] + dy[1]

    x = leaf([1.0, 2.0])
    square, _ = both(x)
    write_in_place(x, array([0.0, 0.0]))
    with pytest.raises(StaleArrayError, match="both"):
        total(square).backward()


# -- mistakes -----------------------------------------------------------------------------------


def test_an_argument_without_a_rule_must_not_be_recorded(device):
    @ig.differentiable
    def half(x, weight):
        return x * weight

    half.backward(x=lambda dy, weight: dy * weight)
    half(leaf([1.0]), ig.Tensor(array([1.0])))
    with pytest.raises(NotDifferentiableError, match=r"half.*weight.*detach"):
        half(ig.Tensor(array([1.0])), leaf([1.0]))


def test_a_group_rule_refuses_what_it_does_not_name(device):
    @ig.differentiable
    def weighted(x, weight, mask):
        return x * weight * mask

    @weighted.backward("x", "weight")
    def _(dy, x, weight, mask):
        return dy * weight * mask, dy * x * mask

    with pytest.raises(NotDifferentiableError, match=r"weighted.*mask"):
        weighted(ig.Tensor(array([1.0])), leaf([1.0]), leaf([1.0]))


def test_a_rule_must_fit_its_op():
    silu = new_silu()
    with pytest.raises(TypeError, match="first parameter must be dy"):
        silu.backward(lambda x, dy: dy)
    with pytest.raises(TypeError, match="'weight' is none of its parameters"):
        silu.backward(weight=lambda dy: dy)
    with pytest.raises(TypeError, match=r"may name.*'z'"):
        silu.backward(lambda dy, z: dy)
    with pytest.raises(TypeError, match="cotangent dy and the inputs"):
        silu.backward()


def test_a_keyword_only_argument_must_not_be_recorded(device):
    """No rule can differentiate it, so its gradient would be lost in silence."""

    @ig.differentiable
    def scaled(x, *, scale):
        return x * scale

    scaled.backward(lambda dy, scale: dy * scale)
    x = leaf([1.0, 2.0])
    y = scaled(x, scale=ig.Tensor(array([3.0, 4.0])))  # a constant is as good as its array
    total(y).backward()
    assert_equal(x.grad, [3.0, 4.0])
    with pytest.raises(NotDifferentiableError, match=r"scaled: scale must not be recorded.*detach"):
        scaled(x, scale=leaf([3.0, 4.0]))


def test_a_composition_records_its_keyword_only_arguments_too(device):
    @ig.differentiable
    def scaled(x, *, scale):
        return x * scale

    x, scale = leaf([1.0, 2.0]), leaf([3.0, 4.0])
    total(scaled(x, scale=scale)).backward()
    assert_equal(scale.grad, [1.0, 2.0])
    assert_equal(x.grad, [3.0, 4.0])


def test_arguments_are_checked_as_python_does():
    affine = affine_op([])
    x = array([[1.0, 2.0]])
    with pytest.raises(TypeError):
        affine(x)
    with pytest.raises(TypeError):
        affine(ig.Tensor(x, requires_grad=True))
    with pytest.raises(TypeError):
        affine(x, weight=x, wait=x)
    with pytest.raises(TypeError, match="twice"):
        affine(x, x, x=x)
    with pytest.raises(TypeError, match=r"missing.*weight"):
        affine(x, bias=x)
