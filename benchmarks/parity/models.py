"""What `isograd parity` runs: the built-in models by name, or a function of the user's."""

from __future__ import annotations

import difflib
import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ... import nn
from ...backend import Array, array_namespace, is_array, is_floating
from ...backend.errors import IsogradError
from ...backend.random import Generator
from ...nn.autograd import Tensor

LEARNING_RATE = 0.01  # of the optimizer that a user's function leaves out: SGD


class ModelError(IsogradError, ValueError):
    """A model that is not known, or a function that does not return what parity can run."""


class Trial(NamedTuple):
    """A model, the arrays that every step gets, loss(model, *batch) -> (), and the optimizer."""

    model: nn.Module
    batch: tuple[Any, ...]
    loss: Callable[..., Any]
    optimizer: nn.Optimizer


# dtype name -> Trial on the current device, by the default generator; the same on every device.
Maker = Callable[[str], Trial]


def maker(name: str) -> Maker:
    """What makes the Trial of a built-in model, or of the user's "module:function".

    Raises ModelError for a name that is neither, with the nearest one that is.
    """
    if ":" in name:
        return _users(name)
    if name in MODELS:
        return MODELS[name]
    near = difflib.get_close_matches(name, MODELS, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ModelError(
        f"a model must be one of {', '.join(MODELS)}, or your own module:function, "
        f"got {name!r}{hint}"
    )


def mlp(dtype: str) -> Trial:
    """Two linear layers with dropout between; SGD with momentum."""
    model = nn.Sequential(
        nn.Linear(16, 32, activation="relu", dtype=dtype),
        nn.Dropout(0.1),
        nn.Linear(32, 4, dtype=dtype),
    )
    optimizer = nn.SGD(model.parameters(), lr=0.1, momentum=0.9)
    return Trial(model, (_numbers((8, 16), dtype), _labels((8,), 4)), _class_loss, optimizer)


def cnn(dtype: str) -> Trial:
    """Convolution, batch normalization, pooling, linear; Adam."""
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False, dtype=dtype),
        nn.BatchNorm2d(4, dtype=dtype),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(4, 8, 3, dtype=dtype),
        nn.GELU(),
        nn.Flatten(),
        nn.Linear(32, 4, dtype=dtype),
    )
    optimizer = nn.Adam(model.parameters(), lr=1e-3)
    return Trial(model, (_numbers((4, 1, 8, 8), dtype), _labels((4,), 4)), _class_loss, optimizer)


class _Reader(nn.Module):
    """Tokens (batch, time) -> scores of the token that follows each: recurrent."""

    def __init__(self, layer: type, dtype: str) -> None:
        self.tokens = nn.Embedding(16, 8, dtype=dtype)
        self.recurrent = layer(8, 16, batch_first=True, dtype=dtype)
        self.head = nn.Linear(16, 16, dtype=dtype)

    def forward(self, tokens: Array) -> Array:
        return self.head(self.recurrent(self.tokens(tokens))[0])


def lstm(dtype: str) -> Trial:
    """Embedding, LSTM, linear, over characters; RMSprop."""
    model = _Reader(nn.LSTM, dtype)
    optimizer = nn.RMSprop(model.parameters(), lr=1e-3)
    return Trial(model, _sentences(), _class_loss, optimizer)


def gru(dtype: str) -> Trial:
    """Embedding, GRU, linear, over characters; SGD."""
    model = _Reader(nn.GRU, dtype)
    return Trial(model, _sentences(), _class_loss, nn.SGD(model.parameters(), lr=0.1))


class _Transformer(nn.Module):
    """Tokens (batch, time) -> scores of the token that follows each: causal attention."""

    def __init__(self, dtype: str) -> None:
        self.tokens = nn.Embedding(16, 16, dtype=dtype)
        self.positions = nn.Embedding(8, 16, dtype=dtype)
        self.blocks = [
            nn.TransformerEncoderLayer(
                16, 2, 32, activation="gelu", batch_first=True, norm_first=True, dtype=dtype
            )
            for _ in range(2)
        ]
        self.norm = nn.LayerNorm(16, dtype=dtype)
        self.head = nn.Linear(16, 16, bias=False, dtype=dtype)

    def forward(self, tokens: Array) -> Array:
        places = array_namespace(tokens).arange(tokens.shape[1], device=tokens.device)
        x = self.tokens(tokens) + self.positions(places)
        for block in self.blocks:
            x = block(x, is_causal=True)
        return self.head(self.norm(x))


def gpt(dtype: str) -> Trial:
    """Two causal transformer blocks with dropout, over characters; SGD.

    Not Adam: the gradient of the keys' bias is zero but for rounding errors, and of those Adam
    would take full steps in whatever direction.
    """
    model = _Transformer(dtype)
    return Trial(model, _sentences(), _class_loss, nn.SGD(model.parameters(), lr=0.1))


MODELS: dict[str, Maker] = {made.__name__: made for made in (mlp, cnn, lstm, gru, gpt)}


def _class_loss(model: nn.Module, x: Array, labels: Array) -> Any:
    return nn.cross_entropy(model(x), labels)


def _numbers(shape: tuple[int, ...], dtype: str) -> Array:
    return Generator(1).normal(shape, dtype=dtype)


def _labels(shape: tuple[int, ...], n_classes: int) -> Array:
    return Generator(2).integers(0, n_classes, shape)


def _sentences() -> tuple[Array, Array]:
    """Tokens (4, 8), and those that follow them."""
    tokens = Generator(3).integers(0, 16, (4, 9))
    return tokens[:, :-1], tokens[:, 1:]


# -- the user's own


def _users(name: str) -> Maker:
    """What makes the Trial of the function that "module:function" names."""
    module_name, _, function_name = name.partition(":")
    folder = str(Path.cwd())
    if folder not in sys.path:  # as with python -m; the installed command has its own folder there
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise ModelError(f"{name}: the module must be one that can be imported: {error}") from error
    except ValueError as error:
        raise ModelError(f"{name}: must be module:function, e.g. models:build") from error
    function = getattr(module, function_name, None)
    if not callable(function):
        known = [key for key, value in vars(module).items() if callable(value) and key[0] != "_"]
        near = difflib.get_close_matches(function_name, known, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ModelError(f"{name}: {module_name} has no function {function_name!r}{hint}")

    def make(dtype: str) -> Trial:
        if dtype == "float32":  # what layers are made of unless told otherwise
            return _checked(name, function())
        return _checked(name, _of_dtype(name, function, dtype))

    return make


def _of_dtype(name: str, function: Callable[..., Any], dtype: str) -> Any:
    """function(dtype=dtype). Raises ModelError where it does not take one."""
    if "dtype" not in inspect.signature(function).parameters:
        raise ModelError(f"{name}: must take dtype= to be run in {dtype}: def build(dtype=None)")
    return function(dtype=dtype)


def _checked(name: str, found: Any) -> Trial:
    """What the user's function returned as a Trial. Raises ModelError that says what is wrong."""
    must = f"{name}: must return (model, batch, loss) or (model, batch, loss, optimizer)"
    if not isinstance(found, Sequence) or len(found) not in (3, 4):
        raise ModelError(f"{must}, got {_described(found)}")
    model, batch, loss = found[:3]
    if not isinstance(model, nn.Module) or not model.parameters():
        raise ModelError(f"{must}; model must be a Module with parameters, got {_described(model)}")
    batch = tuple(batch) if isinstance(batch, tuple | list) else (batch,)
    if not any(is_array(x) for x in batch):
        raise ModelError(f"{must}; batch must hold arrays, e.g. (x, y), got {_described(batch)}")
    if not callable(loss):
        raise ModelError(f"{must}; loss must be called as loss(model, *batch), got {loss!r}")
    if len(found) == 3:
        return Trial(model, batch, loss, nn.SGD(model.parameters(), lr=LEARNING_RATE))
    if not isinstance(found[3], nn.Optimizer):
        raise ModelError(f"{must}; optimizer must be an nn.Optimizer, got {_described(found[3])}")
    return Trial(model, batch, loss, found[3])


def check_loss(name: str, loss: Any) -> None:
    """Raises ModelError unless the loss is a recorded scalar."""
    if not (isinstance(loss, Tensor) and loss.requires_grad and tuple(loss.shape) == ()):
        raise ModelError(
            f"{name}: loss(model, *batch) must return a scalar that was computed from the "
            f"parameters, got {_described(loss)}"
        )


def _described(x: Any) -> str:
    """The kind of an object, with what tells it apart."""
    if is_array(x):
        kind = "floating" if is_floating(x) else str(x.dtype)
        return f"a {kind} array of shape {tuple(x.shape)}"
    if isinstance(x, tuple | list):
        return f"a {type(x).__name__} of {len(x)}: {', '.join(type(part).__name__ for part in x)}"
    return f"{type(x).__name__} {x!r}"[:80]
