"""A training step: forward, loss, backward, Adam; in each library as its users write it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Prepared
from .numbers import mlp_shapes, weights

# So small that a model stays where it is: after thousands of steps on one batch its gradients would
# be zero or denormal, and the time of a step another one.
LEARNING_RATE = 1e-7


def step(side: Side, model: Any, x: np.ndarray, targets: np.ndarray) -> Prepared:
    """In isograd or torch: the model's scores against targets; results are loss and gradients."""
    optimizer = side.adam(model, LEARNING_RATE)
    inputs, labels = side.array(x), side.array(targets)
    if x.ndim == 4:
        inputs = side.images_last(inputs)
    compute, cross_entropy = side.compiled(model), side.functional.cross_entropy

    def call() -> None:
        loss = cross_entropy(compute(inputs), labels)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    def results() -> Mapping[str, Any]:
        optimizer.zero_grad()
        loss = cross_entropy(compute(inputs), labels)
        loss.backward()
        found = {f"d{name}": p.grad for name, p in model.named_parameters()}
        return {"loss": loss, **{name: side.to_numpy(x) for name, x in found.items()}}

    return Prepared(call, results)


def jax_step(
    side: Any,
    scores: Callable[..., Any],
    shapes: Mapping[str, tuple[int, ...]],
    x: np.ndarray,
    targets: np.ndarray,
) -> Prepared:
    """In JAX: scores(parameters by name, x) against targets, Adam written out, one jit for all."""
    import jax
    from jax import numpy as jnp

    def loss_of(parameters: Any, inputs: Any, labels: Any) -> Any:
        logarithms = jax.nn.log_softmax(scores(parameters, inputs))
        return -jnp.mean(jnp.take_along_axis(logarithms, labels[:, None], axis=1))

    both = jax.value_and_grad(loss_of)

    def update(state: Any, inputs: Any, labels: Any) -> Any:
        parameters, m, v, t = state
        _, gradients = both(parameters, inputs, labels)
        return adam_of_trees(parameters, gradients, m, v, t + 1)

    run = side.finished(update, donated=(0,))
    start = {name: side.array(w) for name, w in weights(shapes).items()}
    m, v = (jax.tree.map(jnp.zeros_like, start) for _ in range(2))
    inputs, labels = side.array(x), side.array(targets.astype(np.int32))
    state = [(start, m, v, side.array(np.int32(0)))]

    def call() -> None:
        state[0] = run(state[0], inputs, labels)

    def results() -> Mapping[str, Any]:
        loss, gradients = jax.jit(both)(start, inputs, labels)
        return {"loss": loss, **{f"d{name}": dx for name, dx in gradients.items()}}

    return Prepared(call, results)


def adam_of_trees(parameters: Any, gradients: Any, m: Any, v: Any, t: Any) -> Any:
    """(parameters, m, v, t) after one step of Adam with the usual settings; dicts of jax arrays."""
    import jax
    from jax import numpy as jnp

    m = jax.tree.map(lambda m, dp: 0.9 * m + 0.1 * dp, m, gradients)
    v = jax.tree.map(lambda v, dp: 0.999 * v + 0.001 * dp * dp, v, gradients)
    rate, root = LEARNING_RATE / (1 - 0.9**t), jnp.sqrt(1 - 0.999**t)

    def moved(p: Any, m: Any, v: Any) -> Any:
        return p - rate * m / (jnp.sqrt(v) / root + 1e-8)

    return jax.tree.map(moved, parameters, m, v), m, v, t


def thinc_mlp(side: Side, sizes: tuple[int, ...], x: np.ndarray, targets: np.ndarray) -> Prepared:
    """In thinc: Relu layers and a linear one; the loss's gradient is given to backprop by hand."""
    from thinc.api import Adam, Linear, Relu, chain

    layers = [Relu(n_out, n_in) for n_in, n_out in zip(sizes, sizes[1:-1], strict=False)]
    model = chain(*layers, Linear(sizes[-1], sizes[-2]))
    model.initialize(X=x)
    start = weights(mlp_shapes(sizes))
    for i, layer in enumerate(model.layers):
        layer.set_param("W", start[f"{2 * i}.weight"])
        layer.set_param("b", start[f"{2 * i}.bias"])
    optimizer = Adam(LEARNING_RATE, L2=0.0, grad_clip=0.0)
    rows = np.arange(len(x))

    def backward() -> Any:
        logits, backprop = model.begin_update(x)
        shifted = logits - np.max(logits, axis=1, keepdims=True)
        exponentials = np.exp(shifted)
        sums = np.sum(exponentials, axis=1, keepdims=True)
        loss = np.mean(np.log(sums[:, 0]) - shifted[rows, targets])
        dlogits = exponentials / sums
        dlogits[rows, targets] -= 1.0
        backprop(dlogits / np.float32(len(x)))
        return loss

    def call() -> None:
        backward()
        model.finish_update(optimizer)

    def results() -> Mapping[str, Any]:
        found: dict[str, Any] = {"loss": backward()}
        for i, layer in enumerate(model.layers):
            found[f"d{2 * i}.weight"] = np.array(layer.get_grad("W"))
            found[f"d{2 * i}.bias"] = np.array(layer.get_grad("b"))
            layer.set_grad("W", 0.0 * layer.get_grad("W"))
            layer.set_grad("b", 0.0 * layer.get_grad("b"))
        return found

    return Prepared(call, results)


def sklearn_mlp(side: Side, sizes: tuple[int, ...], x: np.ndarray, targets: np.ndarray) -> Prepared:
    """In scikit-learn: MLPClassifier.partial_fit of one batch, with all that it does around it."""
    classes = np.arange(sizes[-1])

    def classifier(**settings: Any) -> Any:
        from sklearn.neural_network import MLPClassifier

        model = MLPClassifier(sizes[1:-1], alpha=0.0, batch_size=len(x), shuffle=False, **settings)
        model.partial_fit(x, targets, classes=classes)
        start = weights(mlp_shapes(sizes))
        for i in range(len(sizes) - 1):  # in place: its optimizer holds these arrays
            model.coefs_[i][...] = start[f"{2 * i}.weight"].T
            model.intercepts_[i][...] = start[f"{2 * i}.bias"]
        return model

    model = classifier(learning_rate_init=LEARNING_RATE)

    def results() -> Mapping[str, Any]:
        # One step of plain descent at rate 1 leaves the gradient as the difference.
        plain = classifier(
            solver="sgd", learning_rate_init=1.0, momentum=0.0, nesterovs_momentum=False
        )
        before = [np.array(w) for w in (*plain.coefs_, *plain.intercepts_)]
        plain.partial_fit(x, targets, classes=classes)
        after = [*plain.coefs_, *plain.intercepts_]
        moved = [w0 - w1 for w0, w1 in zip(before, after, strict=True)]
        found: dict[str, Any] = {"loss": plain.loss_}
        for i in range(len(sizes) - 1):
            found[f"d{2 * i}.weight"] = moved[i].T
            found[f"d{2 * i}.bias"] = moved[len(sizes) - 1 + i]
        return found

    return Prepared(lambda: model.partial_fit(x, targets, classes=classes), results)
