"""Whole training steps: an MLP, a character LSTM and a GPT; plain, compiled, captured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..bench.clocks import Call
from ..bench.workloads import models
from ..bench.workloads.steps import mlp_flops
from .run import Run

LEARNING_RATE = 1e-7  # the model stays where it is, and with it the work of a step


class Network(NamedTuple):
    """model: makes it. x, targets: a batch. precision: of float32 products."""

    name: str
    precision: str
    model: Callable[[], Any]
    x: np.ndarray
    targets: np.ndarray
    flops: float | None = None


def mlps(run: Run) -> None:
    """784-512-512-10 at a small and a large batch, the large one in TF32 as well."""
    layers = run.sizes.mlp
    for batch in run.sizes.batches:
        for precision in ("highest",) if batch < 1024 else ("highest", "high"):
            network = Network(
                f"MLP {'-'.join(map(str, layers))}, batch {batch}",
                precision,
                lambda: models.mlp(run.side, layers),
                *models.labelled(layers[0], layers[-1], batch),
                flops=mlp_flops(layers, batch),
            )
            _measure(run, network)


def sequences(run: Run) -> None:
    """The LSTM in float32, the GPT with products in TF32."""
    _measure(run, _lstm(run, *run.sizes.lstm))
    _measure(run, _gpt(run, *run.sizes.gpt))


def _lstm(run: Run, batch: int, time: int, features: int) -> Network:
    return Network(
        f"char-LSTM, {batch} x {time}, {features} features",
        "highest",
        lambda: models.char_lstm(run.side, features),
        *models.text(batch, time),
    )


def _gpt(run: Run, batch: int, time: int, features: int, layers: int, heads: int) -> Network:
    return Network(
        f"GPT, {batch} x {time}, {layers} layers of {features} features",
        "high",
        lambda: models.gpt(run.side, layers, features, heads, time),
        *models.text(batch, time),
    )


def _measure(run: Run, network: Network) -> None:
    ways = _our_ways(run, network) if run.is_ours else _torch_ways(run, network)
    with run.precisely(network.precision):
        name = f"first loss of {network.name}, the same by each library"
        run.attempt(name, lambda: _first_loss(run, network))
        for how, make in ways:
            run.measure(network.name, how, make, precision=network.precision, flops=network.flops)


def _our_ways(run: Run, network: Network) -> Iterator[tuple[str, Callable[[], Call]]]:
    from ...nn.autograd.capture import capture

    def adam(parameters: Any) -> Any:
        return run.side.nn.Adam(parameters, lr=LEARNING_RATE)

    yield "eager", lambda: _step(run, network, adam)
    yield "captured", lambda: capture(_step(run, network, adam))


def _torch_ways(run: Run, network: Network) -> Iterator[tuple[str, Callable[[], Call]]]:
    import torch

    def adam(**options: bool) -> Callable[[Any], Any]:
        return lambda parameters: torch.optim.Adam(parameters, lr=LEARNING_RATE, **options)

    def compiled(model: Any) -> Any:
        torch.compiler.reset()  # what was compiled for other networks counts towards its limit
        return torch.compile(model, backend="eager" if run.rehearses else "inductor")

    fused, in_graph = adam(fused=True), adam(fused=True, capturable=True)
    yield "eager", lambda: _step(run, network, adam())
    yield "eager, fused Adam", lambda: _step(run, network, fused)
    yield "compile, fused Adam", lambda: _step(run, network, fused, compiled)
    if not run.rehearses:
        yield "CUDA graph, fused Adam", lambda: _graphed(_step(run, network, in_graph))


def _step(
    run: Run,
    network: Network,
    optimizer_of: Callable[[Any], Any],
    compiled: Callable[[Any], Any] = lambda model: model,
) -> Call:
    """zero_grad, forward, loss, backward, update."""
    side, model = run.side, network.model()
    optimizer = optimizer_of(model.parameters())
    x, targets = side.array(network.x), side.array(network.targets)
    scores, cross_entropy = compiled(model), side.functional.cross_entropy

    def step() -> None:
        optimizer.zero_grad()
        cross_entropy(scores(x), targets).backward()
        optimizer.step()

    return step


def _first_loss(run: Run, network: Network) -> tuple[bool, str]:
    """Whether it is finite, and its digits."""
    side, scores = run.side, network.model()(run.side.array(network.x))
    loss = side.functional.cross_entropy(scores, side.array(network.targets))
    value = float(side.to_numpy(loss))
    return bool(np.isfinite(value)), f"{value:.5f}"


def _graphed(step: Call) -> Call:
    """A step as a CUDA graph of torch, after the warm-up that its documentation asks for."""
    import torch

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()

    def replay(keep: Call = step) -> None:  # the step holds the arrays that the graph reads
        graph.replay()

    return replay
