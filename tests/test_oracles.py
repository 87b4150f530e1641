"""The slow formulas of oracles.py against PyTorch's kept numbers: neither may drift alone."""

from __future__ import annotations

import math

import numpy as np
import oracles
import pytest
from numpy.testing import assert_allclose, assert_array_equal

NUMBERS = oracles.torch_numbers()
POINTWISE_LOSSES = {
    "mse_loss": oracles.squared_error,
    "l1_loss": oracles.absolute_error,
    "huber_loss": oracles.huber,
    "smooth_l1_loss": oracles.smooth_l1,
    "binary_cross_entropy": oracles.binary_cross_entropy,
    "binary_cross_entropy_with_logits": oracles.binary_cross_entropy_with_logits,
}
ALIASES = {"leaky_relu_0.2": "leaky_relu", "elu_0.7": "elu", "gelu_tanh": "gelu"}


@pytest.mark.parametrize("name", NUMBERS["optimizers"]["cases"])
def test_formula_follows_torch_for_100_steps(name):
    section = NUMBERS["optimizers"]
    case = section["cases"][name]
    for key in section["start"]:
        settings = case["groups"][key] if "groups" in case else case["settings"]
        p, state = section["start"][key], {}
        for t in range(1, 101):
            pull = section["A"][key] * (p - section["C"][key])
            dp = pull + math.sin(t) * section["B"][key]
            p = oracles.STEPS[case["optimizer"]](p, dp, state, **settings)
            if str(t) in case["after"]:
                assert_allclose(p, case["after"][str(t)][key], rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", NUMBERS["activations"]["cases"])
def test_activation_formula_agrees_with_torch_on_the_grid(name):
    x, case = NUMBERS["activations"]["x"], NUMBERS["activations"]["cases"][name]
    formula = oracles.ACTIVATIONS[ALIASES.get(name, name.split("_beta")[0].split("_thr")[0])]
    y = oracles.elementwise(formula, x, **case["settings"])
    # torch's gelu forms 1 + erf(x), and 1 + tanh: right to one part in 2^53 of 1, not of Phi(x)
    rtol, atol = (2e-15, 2e-15) if name.startswith("gelu") else (4e-15, 1e-300)
    assert_allclose(y, case["y"], rtol=rtol, atol=atol)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_row_formula_agrees_with_torch(name):
    section = NUMBERS["row_functions"]
    for axis in (-1, 0):
        rows = section["x"] if axis == -1 else section["x"].T
        y = getattr(oracles, name)(rows)
        expected = section["cases"][f"{name}_axis_{axis}"]["y"]
        assert_allclose(y if axis == -1 else y.T, expected, rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("name", NUMBERS["losses"])
def test_loss_formula_agrees_with_torch(name, reduction):
    case = NUMBERS["losses"][name]
    value = oracle_loss(case, reduction)
    assert_allclose(value, case[reduction]["value"], rtol=2e-14, atol=1e-300)


def oracle_loss(case, reduction):
    """The case's loss by the formula of oracles.py."""
    prediction, target, settings = case["prediction"], case["target"], dict(case["settings"])
    if case["loss"] == "cross_entropy":
        return oracles.cross_entropy(prediction, target, reduction=reduction, **settings)
    weight = settings.pop("weight", 1.0)
    numbers = np.broadcast_arrays(prediction, target, *settings.values())
    formula = np.vectorize(POINTWISE_LOSSES[case["loss"]], otypes=[float])
    return oracles.reduced(weight * formula(*numbers), reduction)


def test_linear_loops_agree_with_torch():
    case = NUMBERS["linear"]
    x, weight, bias = case["x"], case["weight"], case["bias"]
    found = oracles.linear_gradients(case["dy"], x, weight)
    assert_allclose(oracles.linear(x, weight, bias), case["y"], rtol=1e-13)
    assert_allclose(oracles.linear(x, weight), case["y_without_bias"], rtol=1e-13)
    for array, name in zip(found, ("dx", "dweight", "dbias"), strict=True):
        assert_allclose(array, case[name], rtol=1e-13, atol=1e-15)


def test_matmul_loops_agree_with_the_matmul_of_numpy():
    random = np.random.RandomState(0)
    x1, x2 = random.randn(3, 5), random.randn(5, 2)
    assert_allclose(oracles.matmul(x1, x2), x1 @ x2, rtol=1e-14)


def test_clipping_formula_agrees_with_torch():
    section = NUMBERS["clip_grad_norm"]
    for case in section["cases"].values():
        settings = {"max_norm": case["max_norm"], "norm_type": float(case["norm_type"])}
        total, after = oracles.clipped_by_norm(section["gradients"], **settings)
        assert_allclose(total, case["total_norm"], rtol=1e-14)
        for name, gradient in after.items():
            assert_allclose(gradient, case["after"][name], rtol=1e-14)


def test_network_gradient_of_torch_agrees_with_central_differences():
    section = NUMBERS["mlp"]
    parameters = {name: np.array(value) for name, value in section["parameters"].items()}

    def loss(weight):
        x = section["x"]
        for layer, w in (("0", parameters["0.weight"]), ("2", weight)):
            z = oracles.linear(x, w, parameters[f"{layer}.bias"])
            x = oracles.elementwise(math.tanh, z)
        logits = oracles.linear(x, parameters["4.weight"], parameters["4.bias"])
        return oracles.cross_entropy(logits, section["labels"])

    case = section["cases"]["tanh"]
    assert_allclose(loss(parameters["2.weight"]), case["loss"], rtol=1e-14)
    numeric = oracles.central_differences(loss, parameters["2.weight"], 1e-5)
    assert_allclose(numeric, case["gradients"]["2.weight"], rtol=1e-7, atol=1e-10)


def test_kept_arrays_are_read_only_and_exact():
    section = NUMBERS["optimizers"]
    with pytest.raises(ValueError, match="read-only"):
        section["start"]["weight"][0, 0] = 0.0
    assert NUMBERS["mlp"]["labels"].dtype == np.int64
    assert_array_equal(NUMBERS["losses"]["bce_extreme"]["prediction"][-1], 1.0 - 2.0**-53)
