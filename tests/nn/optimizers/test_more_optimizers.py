"""What single optimizers promise beside their trajectories: states, gaps, errors, invariants."""

import math

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend.errors import CaptureError, HyperparameterError, ShapeError, StateDictError
from isograd.backend.replay import HostShare, recording
from isograd.nn.optimizers.adafactor import adafactor, root_mean_square
from isograd.nn.optimizers.muon import COEFFICIENTS, orthogonalized
from isograd.nn.optimizers.nadam import momentum, momentum_product
from isograd.nn.optimizers.radam import rectification

KINDS = [
    "AMSGrad", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Lion", "Muon",
    "NAdam", "RAdam", "RMSprop", "Rprop", "SGD",
]  # fmt: skip


def parameter(kind, dtype=np.float64):
    """Six numbers in a shape that this kind takes."""
    values = np.linspace(-1.0, 1.0, 6, dtype=dtype)
    return nn.Parameter(values.reshape(2, 3) if kind in ("Adafactor", "Muon") else values)


@pytest.mark.parametrize("kind", KINDS)
def test_gaps_between_parameters_in_float32_stay_finite(kind):
    tensors = [parameter(kind, np.float32), parameter(kind, np.float32)]
    optimizer = getattr(nn, kind)(tensors, lr=0.125)
    for _ in range(3):
        for p in tensors:
            p.grad = np.ones(p.shape, np.float32)
        optimizer.step()
    (arena,) = optimizer.param_groups[0].arenas
    assert np.isfinite(arena.layout.values).all()
    gap = arena.layout.values[6 : arena.layout.starts[1]]
    assert gap.size > 0
    assert not gap.any()


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_bit_for_bit_from_its_state(kind):
    def steps(p, optimizer, first, last):
        for step in range(first, last):
            p.grad = p.data * 0.5 + math.sin(step)
            optimizer.step()

    p = parameter(kind)
    optimizer = getattr(nn, kind)([p])
    steps(p, optimizer, 0, 4)
    twin = nn.Parameter(p.data)
    resumed = getattr(nn, kind)([twin])
    resumed.load_state_dict(optimizer.state_dict())
    steps(p, optimizer, 4, 9)
    steps(twin, resumed, 4, 9)
    assert np.array_equal(p.data, twin.data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("lr", [-1.0, math.nan, math.inf, "0.1", True])
def test_a_learning_rate_must_be_a_finite_number_of_at_least_zero(kind, lr):
    with pytest.raises(HyperparameterError, match=f"{kind}: lr must be a finite number"):
        getattr(nn, kind)([parameter(kind)], lr=lr)


@pytest.mark.parametrize("kind", [*KINDS, "LBFGS"])
def test_nan_is_refused_for_every_setting_by_name(kind):
    settings = getattr(nn, kind)([parameter(kind)]).param_groups[0].settings
    assert settings
    for name, value in settings.items():
        bad = [math.nan]
        if isinstance(value, tuple):
            bad += [(*value[:i], math.nan, *value[i + 1 :]) for i in range(len(value))]
        for one in bad:
            with pytest.raises(HyperparameterError, match=f"^{kind}: {name}.* must be .*nan"):
                getattr(nn, kind)([parameter(kind)], **{name: one})


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_calls_its_closure_first_and_gives_back_its_loss(kind):
    p, twin = parameter(kind), parameter(kind)
    optimizer, other = getattr(nn, kind)([p]), getattr(nn, kind)([twin])

    def closure():
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    twin.grad = 2.0 * twin.data
    assert other.step() is None
    assert float(optimizer.step(closure)) == pytest.approx(2.8)
    assert np.array_equal(p.data, twin.data)


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (nn.Adagrad, {"lr_decay": -1.0}),
        (nn.Adagrad, {"initial_accumulator_value": math.nan}),
        (nn.Adagrad, {"eps": -1e-10}),
        (nn.Adadelta, {"rho": 1.1}),
        (nn.Adafactor, {"beta2_decay": 0.1}),
        (nn.Adafactor, {"eps": 1e-3}),
        (nn.Adafactor, {"eps": (1e-3, None)}),
        (nn.Adafactor, {"eps": (-1e-3, 1e-3)}),
        (nn.Adafactor, {"d": 0.9}),
        (nn.Muon, {"momentum": 1.0}),
        (nn.Muon, {"ns_coefficients": (1.0, 2.0)}),
        (nn.Muon, {"ns_steps": 1.5}),
        (nn.Muon, {"ns_steps": -1}),
        (nn.Muon, {"adjust_lr_fn": "rms"}),
        (nn.Muon, {"adjust_lr_fn": 0.2}),
        (nn.Adadelta, {"eps": math.inf}),
        (nn.Adamax, {"betas": (0.9, 1.0)}),
        (nn.NAdam, {"momentum_decay": -0.1}),
        (nn.NAdam, {"decoupled_weight_decay": 1}),
        (nn.RAdam, {"weight_decay": -0.1}),
        (nn.RAdam, {"betas": 0.9}),
        (nn.AMSGrad, {"betas": (1.0, 0.9)}),
        (nn.Lion, {"betas": (0.9, math.nan)}),
        (nn.Lion, {"weight_decay": None}),
        (nn.Rprop, {"etas": (0.5, 1.0)}),
        (nn.Rprop, {"etas": (0.0, 1.2)}),
        (nn.Rprop, {"etas": 1.2}),
        (nn.Rprop, {"step_sizes": (1.0, 0.5)}),
        (nn.Rprop, {"step_sizes": (-1.0, 0.5)}),
    ],
)
def test_settings_out_of_range_are_refused_when_made_and_when_set(kind, settings):
    p = parameter(kind.__name__)
    with pytest.raises(HyperparameterError, match=f"{kind.__name__}: {next(iter(settings))}"):
        kind([p], **settings)
    optimizer = kind([p])
    before = optimizer.param_groups[0].settings
    with pytest.raises(HyperparameterError, match=kind.__name__):
        optimizer.param_groups[0].update(settings)
    assert optimizer.param_groups[0].settings == before


def test_the_product_of_momenta_is_that_of_its_factors_across_blocks():
    for t in (1, 255, 256, 257, 600):
        slow = math.prod(momentum(i, 0.999, 0.004) for i in range(1, t + 1))
        assert momentum_product(t, 0.999, 0.004) == pytest.approx(slow, rel=1e-13)


def test_radam_with_the_usual_beta_is_not_rectified_before_its_sixth_step():
    assert [rectification(t, 0.999) is None for t in range(1, 8)] == [True] * 5 + [False] * 2


def test_lion_moves_every_number_by_the_learning_rate_whatever_the_gradient():
    p = nn.Parameter(np.zeros(3))
    optimizer = nn.Lion([p], lr=0.25)
    p.grad = np.array([1e-12, -1e12, 0.0])
    optimizer.step()
    assert p.data.tolist() == [-0.25, 0.25, 0.0]


def test_gradients_of_parts_of_a_batch_add_up_until_they_are_forgotten():
    x = np.linspace(-1.0, 1.0, 24).reshape(8, 3)
    whole, parts = nn.Parameter(np.ones((2, 3))), nn.Parameter(np.ones((2, 3)))
    optimizers = nn.Adam([whole], lr=0.5), nn.Adam([parts], lr=0.5)
    for _ in range(2):
        nn.mse(nn.linear(x, whole), x[:, :2]).backward()
        for half in (x[:4], x[4:]):
            (nn.mse(nn.linear(half, parts), half[:, :2]) / 2.0).backward()
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
    np.testing.assert_allclose(parts.data, whole.data, rtol=1e-12)


def test_adafactor_keeps_rows_and_columns_of_matrices_and_all_of_vectors():
    shapes = {(): "variance", (5,): "variance", (3, 4): "row_var", (2, 3, 4): "row_var"}
    tensors = [nn.Parameter(np.ones(shape)) for shape in shapes]
    optimizer = nn.Adafactor(tensors)
    for p in tensors:
        p.grad = np.ones(p.shape)
    optimizer.step()
    state = optimizer.state_dict()["state"]
    found = [{name: np.shape(x) for name, x in state[i].items()} for i in range(4)]
    assert found == [
        {"step": (), "variance": ()},
        {"step": (), "variance": (5,)},
        {"step": (), "row_var": (3, 1), "col_var": (1, 4)},
        {"step": (), "row_var": (2, 3, 1), "col_var": (2, 1, 4)},
    ]


def test_moments_of_other_shapes_must_fit_their_parameter():
    tensors = [nn.Parameter(np.ones(5)), nn.Parameter(np.ones((3, 4)))]
    optimizer = nn.Adafactor(tensors)
    for p in tensors:
        p.grad = np.ones(p.shape)
    optimizer.step()
    state = optimizer.state_dict()
    swapped = {0: state["state"][0], 1: {"step": 1, "row_var": np.ones((1, 4))}}
    with pytest.raises(StateDictError, match=r"row_var of parameter 1 must have .*\(3, 1\), got"):
        optimizer.load_state_dict({**state, "state": swapped})
    with pytest.raises(StateDictError, match="must hold step, variance, got 'row_var'"):
        optimizer.load_state_dict({**state, "state": {0: {"row_var": np.ones((5, 1))}}})
    state["state"][1]["row_var"][...] = 7.0  # what is saved is a copy
    assert optimizer.state_dict()["state"][1]["row_var"].tolist() == [[1.0]] * 3


def test_a_state_without_a_moment_lets_it_begin_at_zero_again():
    p = parameter("Muon")
    optimizer = nn.Muon([p])
    fresh = optimizer.state_dict()
    p.grad = np.ones((2, 3))
    optimizer.step()
    optimizer.load_state_dict(fresh)
    p.grad = np.full((2, 3), 3.0)
    optimizer.step()
    moment = optimizer.state_dict()["state"][0]["momentum_buffer"]
    np.testing.assert_allclose(moment, np.full((2, 3), 0.05 * 3.0), rtol=1e-12)


def test_adafactor_is_exact_where_squares_have_rank_one_and_moves_by_parts_of_the_size():
    dp = np.outer([1.0, 2.0, 3.0], [1.0, -4.0])
    p = np.full((3, 2), 0.5)
    new, row, column = adafactor(
        p, dp, np.zeros((3, 1)), np.zeros((1, 2)),
        t=1, lr=0.01, beta2_decay=-0.8, eps=(None, 1e-3), d=1.0, weight_decay=0.0,
    )  # fmt: skip
    np.testing.assert_allclose(row * column / row.mean(), dp * dp, rtol=1e-14)
    np.testing.assert_allclose(new, p - 0.01 * 0.5 * np.sign(dp), rtol=1e-14)


def test_an_update_of_adafactor_is_not_longer_than_d():
    p = np.full(4, 2.0)
    new, _ = adafactor(
        p, np.full(4, 100.0), np.ones(4),
        t=10_000, lr=1.0, beta2_decay=-0.8, eps=(None, 1e-3), d=1.5, weight_decay=0.0,
    )  # fmt: skip
    assert float(root_mean_square(new - p)) == pytest.approx(1.5 * 2.0 * 0.01)


@pytest.mark.parametrize("kind", ["Adafactor", "Muon"])
def test_empty_matrices_and_gradients_of_zero_leave_everything_finite(kind):
    tensors = [nn.Parameter(np.ones((2, 0))), nn.Parameter(np.ones((2, 3)))]
    optimizer = getattr(nn, kind)(tensors, weight_decay=0.0)
    for p in tensors:
        p.grad = np.zeros(p.shape)
    optimizer.step()
    assert np.array_equal(tensors[1].data, np.ones((2, 3)))


@pytest.mark.parametrize("shape", [(6, 3), (3, 6), (4, 4), (1, 5)])
def test_muon_brings_singular_values_near_one_and_keeps_the_singular_vectors(device, shape):
    x = np.random.RandomState(4).randn(*shape)
    u, _, vt = np.linalg.svd(x, full_matrices=False)
    y = ig.to_numpy(orthogonalized(ig.array(x, dtype="float64"), COEFFICIENTS, 10, 1e-7))
    inner = u.T @ y @ vt.T
    np.testing.assert_allclose(inner - np.diag(np.diag(inner)), 0.0, atol=1e-12)
    assert np.all((np.diag(inner) > 0.6) & (np.diag(inner) < 1.3))


def test_classic_coefficients_make_muon_exactly_orthogonal():
    x = np.random.RandomState(4).randn(5, 3)
    y = orthogonalized(x, (1.875, -1.25, 0.375), 30, 1e-7)
    np.testing.assert_allclose(y.T @ y, np.eye(3), atol=1e-12)


def test_muon_refuses_what_is_no_matrix_and_says_where_to_put_it():
    model = nn.Linear(3, 2)
    with pytest.raises(ShapeError, match=r"Muon: params\[1\] must be a matrix .*got shape \(2,\);"):
        nn.Muon(model.parameters())
    optimizer = nn.Muon([model.weight])
    with pytest.raises(ShapeError, match="the others to AdamW"):
        optimizer.add_param_group({"params": [model.bias]})


@pytest.mark.parametrize("kind", ["Adam", "Adafactor"])
def test_the_numbers_of_an_update_are_told_apart_from_its_arrays(kind):
    """A captured step asks for them before each replay."""
    p = parameter(kind)
    optimizer = getattr(nn, kind)([p])
    p.grad = np.ones(p.shape)
    (group,) = optimizer.param_groups
    (arena,) = group.arenas
    (run,) = arena.runs(joined=True)
    before = p.data.copy()
    group["lr"] = 0.5
    for t in (1, 2):
        assert optimizer.numbers(group, arena, run) == {**group.settings, "t": t, "lr": 0.5}
    assert np.array_equal(p.data, before)


def test_a_step_whose_numbers_would_be_frozen_is_not_captured():
    p = parameter("Adam")
    optimizer = nn.Adam([p])
    p.grad = np.ones(p.shape)
    before = p.data.copy()
    with (
        recording(HostShare(0)),
        pytest.raises(CaptureError, match=r"Adam: step\(\) cannot be captured"),
    ):
        optimizer.step()
    assert np.array_equal(p.data, before)
    assert optimizer.state_dict()["state"] == {}
