"""Activations on CuPy: one launch forward, one backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from ..fused import Fused
from .arrays import contiguous, empty, n_blocks, serves
from .source import FLOATING, Source

KEEP_Y = ("Relu", "LeakyRelu", "Sigmoid", "Elu")  # their slope is known from y
KEEP_X = ("Silu", "Gelu", "GeluTanh", "Softplus", "LogSigmoid")

ACTIVATION = Source(
    "activation.cu",
    headers=("common.cuh", "activation.cuh"),
    variants=tuple({"ACTIVATION": name} for name in (*KEEP_Y, *KEEP_X)),
)

GELUS = {"none": "Gelu", "tanh": "GeluTanh"}

THREADS = 256  # as in activation.cu
PER_THREAD = 4  # elements, so that several loads are under way at a time


def activation_pair(name: str, **defaults: Any) -> Fused:
    """The kernels of a struct in CUDA; they decline other settings than these."""

    def forward(x: Array, **settings: Any) -> Any:
        if {**defaults, **settings} != defaults:
            return NotImplemented
        return _y(name, x)

    def backward_by_y(dy: Array, y: Array) -> tuple[Array]:
        return (_dx(name, dy, y),)

    def backward_by_x(dy: Array, x: Array) -> tuple[Array]:
        return (_dx(name, dy, x),)

    return Fused(forward, backward_by_y if name in KEEP_Y else backward_by_x)


def gelu_forward(x: Array, *, approximate: str = "none") -> Any:
    """x Phi(x), or its approximation by tanh."""
    return _y(GELUS[approximate], x)


def gelu_backward(dy: Array, x: Array, approximate: str) -> tuple[Array]:
    """dy times the slope at x."""
    return (_dx(GELUS[approximate], dy, x),)


def _y(name: str, x: Array) -> Any:
    """The activation of x. Declines arrays not in C order and integers."""
    if not serves(x, FLOATING):
        return NotImplemented
    y = empty(x.shape, x.dtype, x)
    _launch("activation_forward", name, x, y)
    return y


def _dx(name: str, dy: Array, kept: Array) -> Array:
    dx = empty(kept.shape, kept.dtype, kept)
    _launch("activation_backward", name, contiguous(dy), kept, dx)
    return dx


def _launch(kernel: str, name: str, *arrays: Array) -> None:
    x = arrays[0]
    grid = (n_blocks(x.size, THREADS * PER_THREAD),)
    args = (*arrays, np.int64(x.size))
    ACTIVATION.launch(kernel, x.dtype, grid, (THREADS,), args, ACTIVATION=name)


RELU_CUPY = activation_pair("Relu")
LEAKY_RELU_CUPY = activation_pair("LeakyRelu", negative_slope=0.01)
SIGMOID_CUPY = activation_pair("Sigmoid")
SILU_CUPY = activation_pair("Silu")
GELU_CUPY = Fused(gelu_forward, gelu_backward)
ELU_CUPY = activation_pair("Elu", alpha=1.0)
SOFTPLUS_CUPY = activation_pair("Softplus", beta=1.0, threshold=20.0)
LOG_SIGMOID_CUPY = activation_pair("LogSigmoid")
