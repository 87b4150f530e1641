"""linear with bias and activation: the value alone, by each way to it, and how exact it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...backend import as_dtype
from ..bench.clocks import Call
from .numbers import many
from .run import Run
from .targets import product_flops

ACTIVATIONS = ("gelu", "gelu_tanh", "relu")
PRECISIONS = ("highest", "high", "bfloat16")
ITEM_BYTES = {"bfloat16": 2, "float32": 4}
COMPARED = 64  # rows, with float64
CANDIDATES = {
    "highest": ("simt", "mma_3xtf32", "cublaslt"),
    "high": ("mma_tf32", "cublaslt"),
    "bfloat16": ("mma_half", "cublaslt"),
}


class Case(NamedTuple):
    """activation(x weight^T + bias): x (m, k), weight (n, k). precision: one of PRECISIONS."""

    m: int
    n: int
    k: int
    activation: str
    precision: str
    is_main: bool

    @property
    def name(self) -> str:
        return f"linear {self.activation} {self.m}x{self.n}x{self.k}"

    @property
    def dtype(self) -> str:
        return "bfloat16" if self.precision == "bfloat16" else "float32"

    @property
    def of_float32(self) -> str:
        """What matmul_precision() is set to."""
        return "high" if self.precision == "high" else "highest"


def products(run: Run) -> None:
    """Every case by every way; the main product also with its backward pass."""
    for case in cases(run):
        ways = our_ways(run, case) if run.is_ours else torch_ways(run, case)
        exact = Exact(run, case)
        for how, way in ways:
            _measure(run, exact, how, way)
        if case.is_main and case.activation == "gelu":
            _measure_training(run, case)


def cases(run: Run) -> Iterator[Case]:
    """The main product with every activation, the others with one."""
    for precision in PRECISIONS:
        for activation in ACTIVATIONS:
            yield Case(*run.sizes.main_product, activation, precision, True)
        for sizes in run.sizes.products:
            yield Case(*sizes, "gelu_tanh", precision, False)


Way = Callable[[Any, Any, Any], Call]  # of x, weight, bias: what returns y


def our_ways(run: Run, case: Case) -> Iterator[tuple[str, Way]]:
    """nn.linear, which asks the chooser, and each candidate that the chooser may take."""
    from ...kernels.cuda import gpu, products
    from ...kernels.cuda.matmul_kernels import CHUNK_BYTES
    from ...kernels.cuda.problem import Problem

    nn = run.side.nn

    def linear(x: Any, weight: Any, bias: Any) -> Call:
        return lambda: nn.linear(x, weight, bias, activation=case.activation)

    yield "nn.linear", linear
    problem = Problem(
        *(case.m, case.n, case.k, "nt"),
        dtype=case.dtype,
        precision=case.of_float32,
        activation=case.activation,
        bias=True,
        aligned=case.k * ITEM_BYTES[case.dtype] % CHUNK_BYTES == 0,
        arch=gpu.architecture(0),
    )
    for name in CANDIDATES[case.precision]:
        if products.fits(name, problem):
            yield name, functools.partial(_by_candidate, products.CANDIDATES[name], problem)


def torch_ways(run: Run, case: Case) -> Iterator[tuple[str, Way]]:
    """torch as it is; the main product also compiled, into one kernel after cuBLAS or with it."""
    function = functools.partial(_torch_linear, activation=case.activation)

    def eager(x: Any, weight: Any, bias: Any) -> Call:
        return lambda: function(x, weight, bias)

    def compiled(x: Any, weight: Any, bias: Any) -> Call:
        import torch

        torch.compiler.reset()  # what was compiled for other cases counts towards its limit
        backend = "eager" if run.rehearses else "inductor"
        made = torch.compile(function, backend=backend, dynamic=False)
        return lambda: made(x, weight, bias)

    yield "eager", eager
    if case.is_main:
        yield "compile", compiled


class Exact:
    """The first rows of a case's result in float64: computed once, for all ways to it."""

    def __init__(self, run: Run, case: Case) -> None:
        self.case, self._run = case, run
        self._rows: np.ndarray | None = None

    def error(self, y: Any, x: Any, weight: Any, bias: Any) -> float:
        """|y - exact| / |exact| of these rows."""
        if self._rows is None:
            given = (_in_float64(self._run, one) for one in (x[:COMPARED], weight, bias))
            self._rows = _by_definition(self.case.activation, *given)
        found = _in_float64(self._run, y[:COMPARED])
        return float(np.linalg.norm(found - self._rows) / np.linalg.norm(self._rows))


class Product:
    """One way to a case: make() gives the call, error() compares its result with float64."""

    def __init__(self, run: Run, exact: Exact, way: Way) -> None:
        self._run, self._exact, self._way = run, exact, way

    def make(self) -> Call:
        self._arrays = _operands(self._run, self._exact.case)
        self._call = self._way(*self._arrays)
        return self._call

    def error(self) -> float:
        """|y - exact| / |exact| of the first rows."""
        return self._exact.error(self._call(), *self._arrays)


def _measure(run: Run, exact: Exact, how: str, way: Way) -> None:
    """Time the value of one way, and compare it."""
    product, case = Product(run, exact, way), exact.case
    flops, error = product_flops(case.m, case.n, case.k), product.error
    with run.precisely(case.of_float32):
        run.measure(
            case.name, how, product.make, precision=case.precision, flops=flops, error=error
        )


def _measure_training(run: Run, case: Case) -> None:
    """Time value and gradients of x, weight and bias."""
    linear = run.side.nn.linear if run.is_ours else _torch_linear

    def make() -> Call:
        arrays = [_variable(run, x) for x in _operands(run, case)]
        dy = in_dtype(run, run.side.array(many("dy", case.m, case.n)), case.dtype)

        def call() -> None:
            run.side.forget_gradients(*arrays)
            linear(*arrays, activation=case.activation).backward(dy)

        return call

    flops = 3.0 * product_flops(case.m, case.n, case.k)
    with run.precisely(case.of_float32):
        run.measure(case.name, "forward, backward", make, precision=case.precision, flops=flops)


def _variable(run: Run, x: Any) -> Any:
    """An array of the library as a leaf that gets a gradient."""
    if not run.is_ours:
        return x.requires_grad_()
    from ... import Tensor

    return Tensor(x, requires_grad=True)


def _by_candidate(candidate: Any, problem: Any, x: Any, weight: Any, bias: Any) -> Call:
    from ...kernels.cuda.arrays import empty

    y = empty((problem.m, problem.n), x.dtype, x)

    def call() -> Any:
        candidate(problem, x, weight, y, bias=bias)
        return y

    return call


def _torch_linear(x: Any, weight: Any, bias: Any, *, activation: str) -> Any:
    from torch.nn import functional

    z = functional.linear(x, weight, bias)
    if activation == "relu":
        return functional.relu(z)
    return functional.gelu(z, approximate="tanh" if activation == "gelu_tanh" else "none")


def _operands(run: Run, case: Case) -> list[Any]:
    """x, weight and bias in the dtype of the case."""
    numbers = (
        _numbers("x", case.m, case.k),
        _numbers("weight", case.n, case.k, scale=case.k**-0.5),
        _numbers("bias", case.n),
    )
    return [in_dtype(run, run.side.array(one), case.dtype) for one in numbers]


@functools.lru_cache(maxsize=3)
def _numbers(name: str, *shape: int, scale: float = 1.0) -> np.ndarray:
    """many(), once for all ways to a case: it takes longer than what is timed."""
    return many(name, *shape, scale=scale)


def in_dtype(run: Run, x: Any, dtype: str) -> Any:
    """x in another dtype."""
    if not run.is_ours:
        return x.to(getattr(run.side.xp, dtype))
    return x.astype(as_dtype(run.side.xp, dtype))


def _in_float64(run: Run, x: Any) -> np.ndarray:
    return run.side.to_numpy(in_dtype(run, x, "float32")).astype(np.float64)


def _by_definition(
    activation: str, x: np.ndarray, weight: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    """activation(x weight^T + bias) by NumPy."""
    from ... import nn

    z: Any = x @ weight.T + bias
    if activation == "relu":
        return np.maximum(z, 0.0)
    return nn.gelu(z, approximate="tanh" if activation == "gelu_tanh" else "none")
