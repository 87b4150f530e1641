"""bfloat16 on CuPy, which has it from the package ml_dtypes: arrays, models, captured steps."""

import importlib.util
import sys

import numpy as np
import pytest
from host_graphs import HostGraphs
from needs import skip_because
from on_gpu import CountingGraphs

import isograd as ig
from isograd import nn
from isograd.backend import as_dtype, dtype_name
from isograd.backend.comparison import on_host
from isograd.backend.errors import DtypeError
from isograd.benchmarks.tune import Buffers
from isograd.kernels.cuda.graph import using_graph_maker
from isograd.kernels.cuda.problem import Problem


@pytest.fixture
def cuda(host_cupy, where):
    """host_cupy as the current device, whose graphs are replayed."""
    skip_because("" if importlib.util.find_spec("ml_dtypes") else "ml_dtypes is not installed")
    made = CountingGraphs() if where == "gpu" else HostGraphs(host_cupy)
    with using_graph_maker(made), ig.using("cuda") as device:
        host_cupy.xp_of_arrays = device.xp
        host_cupy.graphs = made
        yield host_cupy


def test_the_name_finds_the_dtype_in_every_namespace_of_cupy(cuda):
    for xp in (cuda.cupy, cuda.xp_of_arrays, ig.wrap_namespace(cuda.xp_of_arrays)):
        assert as_dtype(xp, "bfloat16").name == "bfloat16"
        assert as_dtype(xp, "float16") == np.float16


def test_without_the_package_the_error_says_what_to_install(cuda, monkeypatch):
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(DtypeError, match="pip install ml_dtypes"):
        as_dtype(cuda.xp_of_arrays, "bfloat16")


def test_arrays_come_and_go_with_their_values(cuda):
    x = ig.array([1.0, 2.0**-130, float("inf")], dtype="bfloat16")
    assert isinstance(x, cuda.cupy.ndarray)
    assert dtype_name(x.dtype) == "bfloat16"
    host = ig.to_numpy(x)
    assert host.dtype.name == "bfloat16"  # of ml_dtypes, which CuPy needs anyway
    again = ig.array(host)
    assert dtype_name(again.dtype) == "bfloat16"
    np.testing.assert_array_equal(on_host(again), np.float32([1.0, 2.0**-130, np.inf]))
    with pytest.raises(DtypeError, match="no dtype bfloat16; use float32 there"):
        ig.to_device(x, "cpu")


def test_tune_has_operands_of_bfloat16(cuda):
    buffers = Buffers("bfloat16", ((4, 3, 2),))
    problem = Problem(4, 3, 2, "nt", "bfloat16", "highest", "none", arch=90)
    assert [dtype_name(x.dtype) for x in buffers.operands(problem)] == ["bfloat16"] * 3


def test_an_optimizer_without_a_kernel_rounds_its_master_too(cuda):
    p = nn.Parameter(ig.array([1.0, -2.0], dtype="bfloat16"))
    optimizer = nn.Lion([p], lr=1e-4)
    for _ in range(100):
        p.grad = ig.array([1.0, -1.0], dtype="bfloat16")
        optimizer.step()
    master = on_host(optimizer.state_dict()["state"][0]["master_param"])
    np.testing.assert_allclose(master, [0.99, -1.99], rtol=1e-5)
    np.testing.assert_array_equal(on_host(p.data), on_host(ig.array(master, dtype="bfloat16")))


def trained(wrap, dtype, optimizer_class, n_steps=8, **settings):
    """(losses, weights, masters) of a training whose bias somebody else sets after step 5."""
    generator = ig.random.Generator(0)
    model = nn.Sequential(
        nn.Linear(5, 16, activation="relu", generator=generator, dtype=dtype),
        nn.Linear(16, 3, generator=generator, dtype=dtype),
    )
    optimizer = optimizer_class(model.parameters(), **settings)

    @wrap
    def step(x, labels):
        optimizer.zero_grad()
        loss = nn.cross_entropy(model(x), labels)
        loss.backward()
        nn.clip_grad_norm(model.parameters(), 1.0, error_if_nonfinite=False)
        optimizer.step()
        return loss

    data, losses = ig.random.Generator(1), []
    for i in range(n_steps):
        x = nn.initializers.normal((6, 5), generator=data, dtype=dtype)
        losses.append(float(step(x, data.integers(0, 3, (6,), dtype="int64"))))
        if i == 5:
            model.load_state_dict({"1.bias": np.float32([0.5, -0.25, 0.125])}, strict=False)
    state = optimizer.state_dict()["state"].values()
    arrays = [*model.parameters(), *(entry["master_param"] for entry in state)]
    return losses, [on_host(x).copy() for x in arrays]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    ("kind", "settings"),
    [(nn.AdamW, {"lr": 1e-3}), (nn.SGD, {"lr": 1e-2, "momentum": 0.9}), (nn.RMSprop, {})],
    ids=["AdamW", "SGD", "RMSprop"],
)
def test_replays_give_the_bits_of_plain_calls(cuda, kind, settings, dtype):
    found = trained(lambda step: ig.capture(step, warm_up=2), dtype, kind, **settings)
    n_replays = cuda.graphs.n_replays
    expected = trained(lambda step: step, dtype, kind, **settings)
    assert n_replays == 6
    assert found[0] == expected[0]
    for got, want in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(got, want)
    bias = found[1][3]  # two small steps after it was set
    np.testing.assert_allclose(bias, [0.5, -0.25, 0.125], atol=0.1)
