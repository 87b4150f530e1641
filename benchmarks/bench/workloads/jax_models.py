"""The networks of models.py in JAX: functions of parameters by torch's names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .models import CHARACTERS, IMAGE

Parameters = Mapping[str, Any]
Shapes = dict[str, tuple[int, ...]]


def mlp(parameters: Parameters, x: Any) -> Any:
    """Scores of a Sequential of Linear and ReLU."""
    from jax import numpy as jnp

    n_layers = len(parameters) // 2
    for i in range(n_layers):
        x = _linear(parameters, f"{2 * i}", x)
        x = x if i == n_layers - 1 else jnp.maximum(x, 0.0)
    return x


CNN_SHAPES: Shapes = {
    "0.weight": (16, 1, 3, 3),
    "0.bias": (16,),
    "3.weight": (32, 16, 3, 3),
    "3.bias": (32,),
    "7.weight": (128, 32 * (IMAGE // 4) ** 2),
    "7.bias": (128,),
    "9.weight": (10, 128),
    "9.bias": (10,),
}


def cnn(parameters: Parameters, x: Any) -> Any:
    """Scores of the convolutional network."""
    import jax
    from jax import lax
    from jax import numpy as jnp

    for name in ("0", "3"):
        x = lax.conv_general_dilated(x, parameters[f"{name}.weight"], (1, 1), "SAME")
        x = jax.nn.relu(x + parameters[f"{name}.bias"][:, None, None])
        x = lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    x = x.reshape((x.shape[0], -1))
    return _linear(parameters, "9", jax.nn.relu(_linear(parameters, "7", x)))


def char_lstm_shapes(features: int) -> Shapes:
    """The parameters of the LSTM over characters."""
    return {
        "embedding.weight": (CHARACTERS, features),
        "lstm.weight_ih_l0": (4 * features, features),
        "lstm.weight_hh_l0": (4 * features, features),
        "lstm.bias_ih_l0": (4 * features,),
        "lstm.bias_hh_l0": (4 * features,),
        "head.weight": (CHARACTERS, features),
        "head.bias": (CHARACTERS,),
    }


def char_lstm(parameters: Parameters, characters: Any) -> Any:
    """Scores of the next character at each place, (batch time, characters)."""
    import jax
    from jax import lax
    from jax import numpy as jnp

    x = parameters["embedding.weight"][characters]
    bias = parameters["lstm.bias_ih_l0"] + parameters["lstm.bias_hh_l0"]
    inputs = jnp.swapaxes(x @ parameters["lstm.weight_ih_l0"].T + bias, 0, 1)
    weight = parameters["lstm.weight_hh_l0"].T

    def advance(state: Any, z: Any) -> Any:
        hidden, cell = state
        i, f, g, o = jnp.split(z + hidden @ weight, 4, axis=-1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        return (hidden, cell), hidden

    zeros = jnp.zeros((x.shape[0], x.shape[2]), x.dtype)
    _, hidden = lax.scan(advance, (zeros, zeros), inputs)
    return _linear(parameters, "head", jnp.swapaxes(hidden, 0, 1)).reshape((-1, CHARACTERS))


def gpt_shapes(layers: int, features: int, time: int) -> Shapes:
    """The parameters of the transformer."""
    shapes: Shapes = {
        "characters.weight": (CHARACTERS, features),
        "positions.weight": (time, features),
    }
    for i in range(layers):
        shapes |= {f"blocks.{i}.{name}": shape for name, shape in _block_shapes(features).items()}
    return {
        **shapes,
        "norm.weight": (features,),
        "norm.bias": (features,),
        "head.weight": (CHARACTERS, features),
        "head.bias": (CHARACTERS,),
    }


def gpt(parameters: Parameters, characters: Any, layers: int, heads: int) -> Any:
    """Scores of the next character at each place, (batch time, characters)."""
    import jax

    time = characters.shape[1]
    x = parameters["characters.weight"][characters] + parameters["positions.weight"][:time]
    for i in range(layers):
        block = f"blocks.{i}"
        x = x + _attention(
            parameters, f"{block}.self_attn", _norm(parameters, f"{block}.norm1", x), heads
        )
        hidden = _linear(parameters, f"{block}.linear1", _norm(parameters, f"{block}.norm2", x))
        x = x + _linear(parameters, f"{block}.linear2", jax.nn.gelu(hidden, approximate=False))
    return _linear(parameters, "head", _norm(parameters, "norm", x)).reshape((-1, CHARACTERS))


def _block_shapes(features: int) -> Shapes:
    return {
        "self_attn.in_proj_weight": (3 * features, features),
        "self_attn.in_proj_bias": (3 * features,),
        "self_attn.out_proj.weight": (features, features),
        "self_attn.out_proj.bias": (features,),
        "linear1.weight": (4 * features, features),
        "linear1.bias": (4 * features,),
        "linear2.weight": (features, 4 * features),
        "linear2.bias": (features,),
        "norm1.weight": (features,),
        "norm1.bias": (features,),
        "norm2.weight": (features,),
        "norm2.bias": (features,),
    }


def _linear(parameters: Parameters, name: str, x: Any) -> Any:
    return x @ parameters[f"{name}.weight"].T + parameters[f"{name}.bias"]


def _norm(parameters: Parameters, name: str, x: Any) -> Any:
    from jax import numpy as jnp

    centred = x - jnp.mean(x, axis=-1, keepdims=True)
    scaled = centred / jnp.sqrt(jnp.mean(centred**2, axis=-1, keepdims=True) + 1e-5)
    return scaled * parameters[f"{name}.weight"] + parameters[f"{name}.bias"]


def _attention(parameters: Parameters, name: str, x: Any, heads: int) -> Any:
    import jax
    from jax import numpy as jnp

    batch, time, features = x.shape
    projected = x @ parameters[f"{name}.in_proj_weight"].T + parameters[f"{name}.in_proj_bias"]
    split = projected.reshape((batch, time, 3, heads, features // heads))
    q, k, v = jnp.transpose(split, (2, 0, 3, 1, 4))
    scores = q @ jnp.swapaxes(k, -1, -2) * (features // heads) ** -0.5
    may_look = jnp.tril(jnp.ones((time, time), bool))
    mixed = jax.nn.softmax(jnp.where(may_look, scores, -jnp.inf)) @ v
    joined = jnp.swapaxes(mixed, 1, 2).reshape((batch, time, features))
    return _linear(parameters, f"{name}.out_proj", joined)
