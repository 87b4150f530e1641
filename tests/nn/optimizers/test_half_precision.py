"""Parameters of float16 and bfloat16: float32 masters, and who may change the parameters."""

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import array_namespace, as_dtype, dtype_name
from isograd.backend.comparison import on_host
from isograd.backend.errors import DtypeError
from isograd.nn.optimizers.layout import ALIGNMENT, ITEM_BYTES
from isograd.nn.optimizers.masters import follow

KINDS = {
    "sgd": lambda p: nn.SGD(p, lr=1e-3),
    "momentum": lambda p: nn.SGD(p, lr=1e-3, momentum=0.9, nesterov=True),
    "adadelta": lambda p: nn.Adadelta(p),
    "adafactor": lambda p: nn.Adafactor(p),
    "adagrad": lambda p: nn.Adagrad(p),
    "adam": lambda p: nn.Adam(p, weight_decay=0.1),
    "adamax": lambda p: nn.Adamax(p),
    "adamw": lambda p: nn.AdamW(p),
    "amsgrad": lambda p: nn.AMSGrad(p),
    "lion": lambda p: nn.Lion(p),
    "muon": lambda p: nn.Muon(p),
    "nadam": lambda p: nn.NAdam(p),
    "radam": lambda p: nn.RAdam(p),
    "rmsprop": lambda p: nn.RMSprop(p, centered=True, momentum=0.5),
    "rprop": lambda p: nn.Rprop(p),
}
SHAPES = [(3, 5), (2, 4), (1, 1)]  # matrices, for Muon


@pytest.fixture(params=[("cpu", "float16"), ("torch", "float16"), ("torch", "bfloat16")], ids=str)
def half(request):
    """The name of a dtype that the current device has."""
    device, dtype = request.param
    pytest.importorskip("numpy" if device == "cpu" else device)
    with ig.using(device):
        yield dtype


def parameters(dtype, seed=0, shapes=SHAPES):
    generator = ig.random.Generator(seed)
    return [
        nn.Parameter(nn.initializers.normal(shape, generator=generator, dtype=dtype))
        for shape in shapes
    ]


def constant(values, dtype):
    return nn.Parameter(ig.array(values, dtype=dtype))


def host(tensors):
    return [on_host(p.data).copy() for p in tensors]


def rounded(x, dtype):
    """float32 numbers rounded to a dtype of the current device, as float32 on the host."""
    return on_host(ig.array(x, dtype=dtype)).astype(np.float32)


def master_of(optimizer, i=0):
    return ig.to_numpy(optimizer.state_dict()["state"][i]["master_param"])


def train(tensors, optimizer, start, stop):
    """Steps with gradients that follow the parameters, which the steps change."""
    for step in range(start, stop):
        for i, p in enumerate(tensors):
            p.grad = p.data * (0.5 + i) + float(step % 3 - 1)
        optimizer.step()
        optimizer.zero_grad()


@pytest.mark.parametrize("kind", KINDS)
def test_every_optimizer_rounds_what_it_computes_in_float32(half, kind):
    """The twin has float32 parameters and is given the same gradients."""
    tensors = parameters(half)
    twins = [constant(on_host(p.data), "float32") for p in tensors]
    optimizer, twin = KINDS[kind](tensors), KINDS[kind](twins)
    for step in range(20):
        for i, (p, q) in enumerate(zip(tensors, twins, strict=True)):
            p.grad = p.data * (0.5 + i) + float(step % 3 - 1)
            q.grad = ig.array(on_host(p.grad), dtype="float32")
        optimizer.step()
        twin.step()
        for p, q in zip(tensors, twins, strict=True):
            assert dtype_name(p.dtype) == half
            np.testing.assert_array_equal(on_host(p.data), rounded(ig.to_numpy(q.data), half))


def test_steps_of_a_ten_thousandth_add_up(half):
    p = constant([1.0, -2.0], half)
    alone = ig.array([1.0, -2.0], dtype=half)
    optimizer = nn.SGD([p], lr=1e-4)
    for _ in range(300):
        p.grad = ig.array([1.0, -2.0], dtype=half)
        optimizer.step()
        alone = alone - 1e-4 * alone
    assert on_host(alone).tolist() == [1.0, -2.0]  # without a master nothing moves
    expected = np.float32([1.0, -2.0]) * np.float32(0.97)
    np.testing.assert_array_equal(on_host(p.data), rounded(expected, half))
    np.testing.assert_allclose(master_of(optimizer), expected, rtol=1e-5)


def test_a_training_in_half_precision_goes_like_that_in_float32():
    def losses(dtype):
        model = nn.Sequential(
            nn.Linear(6, 12, activation="relu", dtype=dtype, generator=ig.random.Generator(1)),
            nn.Linear(12, 3, dtype=dtype, generator=ig.random.Generator(2)),
        )
        optimizer = nn.AdamW(model.parameters(), lr=1e-2)
        x = nn.initializers.normal((32, 6), dtype=dtype, generator=ig.random.Generator(3))
        targets = np.arange(32) % 3
        for _ in range(60):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), targets)
            loss.backward()
            nn.clip_grad_norm(model.parameters(), 1.0)
            optimizer.step()
            yield float(loss)

    with ig.using("cpu"):
        found, expected = list(losses("float16")), list(losses("float32"))
    assert expected[-1] < 0.5 * expected[0]
    np.testing.assert_allclose(found, expected, rtol=2e-2)  # 11 bits in every layer


def test_adamw_in_bfloat16_is_torchs_on_float32_clones():
    """Over 120 steps; torch's order of operations differs, and so do masters, by 2e-7."""
    torch = pytest.importorskip("torch")
    with ig.using("torch"):
        (p,) = parameters("bfloat16", shapes=[(40, 25)])
        optimizer = nn.AdamW([p], lr=1e-3)
        theirs = torch.tensor(on_host(p.data), dtype=torch.bfloat16)
        clone = theirs.float().requires_grad_()
        oracle = torch.optim.AdamW([clone], lr=1e-3)
        for step in range(120):
            p.grad = p.data * 0.5 + float(step % 3 - 1)
            clone.grad = (theirs * 0.5 + float(step % 3 - 1)).float()
            optimizer.step()
            oracle.step()
            theirs.copy_(clone.detach())
        master = master_of(optimizer)
    np.testing.assert_allclose(master, clone.detach().numpy(), rtol=0, atol=1e-6)
    assert np.mean(on_host(p.data) == theirs.float().numpy()) > 0.995


def test_a_training_in_bfloat16_is_torchs_with_masters_by_hand():
    torch = pytest.importorskip("torch")
    with ig.using("torch"):
        model = nn.Sequential(
            nn.Linear(
                16, 32, activation="relu", dtype="bfloat16", generator=ig.random.Generator(1)
            ),
            nn.Linear(32, 4, dtype="bfloat16", generator=ig.random.Generator(2)),
        )
        optimizer = nn.AdamW(model.parameters(), lr=1e-2)
        theirs = [p.data.clone().requires_grad_() for p in model.parameters()]
        clones = [p.detach().float() for p in theirs]
        oracle = torch.optim.AdamW(clones, lr=1e-2)
        x = nn.initializers.normal((64, 16), dtype="bfloat16", generator=ig.random.Generator(3))
        targets = torch.arange(64) % 4
        losses = []
        for _ in range(120):
            optimizer.zero_grad()
            loss = nn.cross_entropy(model(x), targets)
            loss.backward()
            optimizer.step()
            weight, bias, last, end = theirs
            z = torch.relu(x @ weight.T + bias) @ last.T + end
            expected = torch.nn.functional.cross_entropy(z, targets)
            for clone, dp in zip(clones, torch.autograd.grad(expected, theirs), strict=True):
                clone.grad = dp.float()
            oracle.step()
            with torch.no_grad():
                torch._foreach_copy_(theirs, clones)
            losses.append((float(loss), expected.item()))
    found, expected = np.array(losses).T
    assert expected[-1] < 0.5 * expected[0]
    np.testing.assert_allclose(found, expected, rtol=2.0**-6, atol=4e-3)  # 8 bits in every layer


def test_gradients_stay_in_half_precision_and_moments_are_float32(half):
    tensors = parameters(half)
    optimizer = nn.Adam(tensors)
    xp = array_namespace(*tensors)
    sum((xp.sum(p * p) for p in tensors[1:]), xp.sum(tensors[0] * tensors[0])).backward()
    optimizer.step()
    (arena,) = optimizer.param_groups[0].arenas
    for p, start in zip(tensors, arena.layout.starts, strict=True):
        gradient = arena.layout.gradients[start : start + p.size]
        np.testing.assert_array_equal(on_host(gradient), on_host(p.grad).ravel())
        assert start * ITEM_BYTES[half] % ALIGNMENT == 0
    narrow = [p.grad, arena.layout.values, arena.layout.gradients]
    wide = [arena.layout.masters, *map(arena.moment, nn.Adam.moment_names)]
    assert [dtype_name(x.dtype) for x in narrow + wide] == [half] * 3 + ["float32"] * 3


def test_half_and_full_precision_share_a_group(half):
    tensors = [*parameters(half), *parameters("float32")]
    optimizer = nn.Adam(tensors, lr=0.1)
    before = host(tensors)
    for p in tensors:
        p.grad = p.data * 1.0
    optimizer.step()
    assert [arena.layout.masters is None for arena in optimizer.param_groups[0].arenas] == [0, 1]
    for old, new, p in zip(before, host(tensors), tensors, strict=True):
        expected = old.astype("float32") - np.float32(0.1) * np.sign(old)
        np.testing.assert_allclose(new, expected, rtol=ig.backend.tolerance(p.dtype).rtol)


# Parameters that others change.


@pytest.mark.parametrize("change", ["data", "load_state_dict", "optimizer"])
def test_the_master_starts_anew_from_a_parameter_that_was_changed(half, change):
    model = nn.Linear(2, 1, bias=False, dtype=half)
    optimizer = nn.SGD(model.parameters(), lr=1e-4)
    gradient = ig.array([[1.0, 1.0]], dtype=half)
    for _ in range(3):
        model.weight.grad = gradient
        optimizer.step()
    if change == "data":
        model.weight.data[...] = 0.5
    elif change == "load_state_dict":
        model.load_state_dict({"weight": ig.array([[0.5, 0.5]], dtype=half)})
    else:
        model.weight.grad = model.weight.data * 1.0 - 0.5
        both = [model.weight, constant([1.0], half)]
        nn.SGD(both, lr=1.0).step()  # laid out anew, with a master of its own
    np.testing.assert_allclose(on_host(model.weight.data), 0.5, rtol=2.0**-6)
    start = on_host(model.weight.data).astype("float32")
    model.weight.grad = gradient
    optimizer.step()
    np.testing.assert_array_equal(master_of(optimizer), start - np.float32(1e-4))


def test_a_part_of_a_parameter_may_be_changed(half):
    p = constant([1.0, 1.0], half)
    optimizer = nn.SGD([p], lr=1e-4)
    for value in (3.0, 2.0):
        p.grad = ig.array([1.0, 1.0], dtype=half)
        optimizer.step()
        p.data[1] = value
    p.grad = ig.array([1.0, 1.0], dtype=half)
    optimizer.step()
    np.testing.assert_allclose(master_of(optimizer), [1.0 - 3e-4, 2.0 - 1e-4], rtol=1e-6)


def test_following_keeps_what_rounds_to_the_parameter_and_takes_nan(half):
    master = ig.array([1.0001, 1.0001, 1.0001], dtype="float32")
    x = ig.array([1.0, 1.5, float("nan")], dtype=half)
    follow(master, x)
    np.testing.assert_array_equal(ig.to_numpy(master), np.float32([1.0001, 1.5, np.nan]))


def test_two_optimizers_of_the_same_parameters_share_the_master(half):
    p = constant([1.0], half)
    first, second = nn.SGD([p], lr=1e-4), nn.SGD([p], lr=2e-4)
    for optimizer in (first, second, first):
        p.grad = ig.array([1.0], dtype=half)
        optimizer.step()
    np.testing.assert_allclose(master_of(second), [1.0 - 4e-4], rtol=1e-6)


def test_parameters_without_a_gradient_keep_value_and_master(half):
    tensors = parameters(half)
    optimizer = nn.AdamW(tensors, lr=1e-3)
    train(tensors, optimizer, 0, 3)
    before, masters = host(tensors), [master_of(optimizer, i) for i in range(3)]
    tensors[1].grad = tensors[1].data * 1.0
    optimizer.step()
    for i in (0, 2):
        np.testing.assert_array_equal(host(tensors)[i], before[i])
        np.testing.assert_array_equal(master_of(optimizer, i), masters[i])
    assert (master_of(optimizer, 1) != masters[1]).all()


# States.


@pytest.mark.parametrize("model_first", [True, False])
@pytest.mark.parametrize("kind", ["sgd", "adamw", "adafactor"])
def test_a_training_goes_on_bit_for_bit_in_whatever_order_it_is_loaded(half, kind, model_first):
    def made(seed):
        (p,) = parameters(half, seed, [(3, 5)])
        model = nn.Linear(5, 3, bias=False, dtype=half)
        model.weight = p
        return model, KINDS[kind]([p])

    (model, optimizer), (other, twin) = made(0), made(1)
    train([model.weight], optimizer, 0, 5)
    states = [(other, model.state_dict()), (twin, optimizer.state_dict())]
    for target, state in states if model_first else states[::-1]:
        target.load_state_dict(state)
    train([model.weight], optimizer, 5, 12)
    train([other.weight], twin, 5, 12)
    np.testing.assert_array_equal(on_host(other.weight.data), on_host(model.weight.data))
    np.testing.assert_array_equal(master_of(twin), master_of(optimizer))


@pytest.mark.parametrize("kind", ["adam", "adafactor"])
def test_a_state_without_masters_begins_them_at_the_parameters(half, kind):
    tensors = parameters(half)
    optimizer = KINDS[kind](tensors)
    train(tensors, optimizer, 0, 3)
    state = optimizer.state_dict()
    for entry in state["state"].values():
        del entry["master_param"]
    optimizer.load_state_dict(state)
    for i, p in enumerate(tensors):
        np.testing.assert_array_equal(master_of(optimizer, i), on_host(p.data))
    assert optimizer.state_dict()["state"][0]["step"] == 3


def test_moments_of_torchs_half_precision_are_taken_over():
    torch = pytest.importorskip("torch")
    with ig.using("torch"):
        (p,) = parameters("bfloat16", shapes=[(2, 3)])
        theirs = torch.nn.Parameter(p.data.clone())
        oracle = torch.optim.Adam([theirs])
        theirs.grad = torch.ones_like(theirs)
        oracle.step()
        optimizer = nn.Adam([p])
        optimizer.load_state_dict(oracle.state_dict())
        moment = optimizer.state_dict()["state"][0]["exp_avg"]
    assert moment.dtype == torch.float32
    assert torch.equal(moment, oracle.state_dict()["state"][0]["exp_avg"].float())


def test_a_state_of_half_precision_serves_parameters_of_float32(half):
    tensors = parameters(half)
    optimizer = nn.Adam(tensors)
    train(tensors, optimizer, 0, 2)
    wide = nn.Adam(parameters("float32"))
    wide.load_state_dict(optimizer.state_dict())
    assert "master_param" not in wide.state_dict()["state"][0]
    assert wide.state_dict()["state"][0]["step"] == 2


# Beside optimizers.


def test_the_norm_of_gradients_whose_squares_overflow_is_right(half):
    p = constant([0.0] * 1000, half)
    nn.SGD([p])
    p.grad = ig.array([300.0] * 1000, dtype=half)
    norm = nn.clip_grad_norm([p], 1.0)
    assert norm == pytest.approx(300.0 * 1000**0.5, rel=1e-6)
    expected = 1000**-0.5
    np.testing.assert_allclose(on_host(p.grad), expected, rtol=2.0**-7)


def test_an_average_moves_by_shares_that_half_precision_loses(half):
    model = nn.Linear(2, 1, bias=False, dtype=half)
    model.load_state_dict({"weight": ig.array([[1.0, 2.0]], dtype=half)})
    average = nn.ExponentialMovingAverage(model, 0.999)
    average.update(model)
    model.load_state_dict({"weight": ig.array([[1.25, 2.5]], dtype=half)})
    for i in range(200):
        if i == 100:
            resumed = nn.ExponentialMovingAverage(nn.Linear(2, 1, bias=False, dtype=half), 0.999)
            resumed.load_state_dict(average.state_dict())
            average = resumed
        average.update(model)
    expected = np.float32([[1.0, 2.0]]) * np.float32(1.25 - 0.25 * 0.999**200)
    found = average.module.weight
    assert dtype_name(found.dtype) == half
    np.testing.assert_array_equal(on_host(found.data), rounded(expected, half))
    masters = average.state_dict()["master_params"]["weight"]
    np.testing.assert_allclose(ig.to_numpy(masters), expected, rtol=1e-5)


def test_lbfgs_refuses_half_precision_with_the_remedy(half):
    with pytest.raises(DtypeError, match=f"must be float32 or float64, got {half}; keep param"):
        nn.LBFGS([constant([1.0], half)])


@pytest.mark.parametrize("layer", [nn.Linear, nn.Conv1d])
def test_layers_in_half_precision_start_at_the_rounded_weights_of_float32(half, layer):
    sizes = (4, 3) if layer is nn.Linear else (4, 3, 2)
    found = layer(*sizes, generator=ig.random.Generator(1), dtype=half)
    expected = layer(*sizes, generator=ig.random.Generator(1))
    for p, q in zip(found.parameters(), expected.parameters(), strict=True):
        assert dtype_name(p.dtype) == half
        np.testing.assert_array_equal(on_host(p.data), rounded(ig.to_numpy(q.data), half))


def test_numpy_says_who_has_bfloat16():
    with ig.using("cpu"), pytest.raises(DtypeError, match=r'no dtype bfloat16; .*use\("torch"\)'):
        nn.Linear(2, 3, dtype="bfloat16")


def test_the_namespace_of_a_tensor_has_the_dtypes_of_its_library(half):
    p = constant([1.0], half)
    assert as_dtype(array_namespace(p), half) == p.dtype
