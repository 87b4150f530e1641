"""Networks built from layers with torch's names, by isograd's nn or torch's."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from .numbers import integers, normal, weights

CHARACTERS = 65  # different ones in Tiny Shakespeare
IMAGE = 28


def mlp(side: Side, sizes: tuple[int, ...]) -> Any:
    """Linear layers with ReLU between them."""
    nn, layers = side.nn, []
    for n_in, n_out in zip(sizes, sizes[1:], strict=False):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
    return loaded(side, nn.Sequential(*layers[:-1]))


def cnn(side: Side) -> Any:
    """Two convolutions with pooling, two linear layers, after LeNet: (batch, 1, 28, 28) -> 10."""
    nn = side.nn
    model = nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(32 * (IMAGE // 4) ** 2, 128),
        nn.ReLU(),
        nn.Linear(128, 10),
    )
    return side.images_last(loaded(side, model))


def char_lstm(side: Side, features: int) -> Any:
    """Characters to the scores of the next one: embedding, LSTM, linear."""
    nn = side.nn

    class CharLSTM(nn.Module):  # type: ignore[name-defined]
        """(batch, time) of characters -> (batch time, characters)."""

        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(CHARACTERS, features)
            self.lstm = nn.LSTM(features, features, batch_first=True)
            self.head = nn.Linear(features, CHARACTERS)

        def forward(self, characters: Any) -> Any:
            hidden = self.lstm(self.embedding(characters))[0]
            return self.head(hidden).reshape((-1, CHARACTERS))

    return loaded(side, CharLSTM())


def gpt(side: Side, layers: int, features: int, heads: int, time: int) -> Any:
    """Characters to the scores of the next one: a transformer that looks back only."""
    nn = side.nn

    class GPT(nn.Module):  # type: ignore[name-defined]
        """(batch, time) of characters -> (batch time, characters)."""

        def __init__(self) -> None:
            super().__init__()
            self.characters = nn.Embedding(CHARACTERS, features)
            self.positions = nn.Embedding(time, features)
            block = nn.TransformerEncoderLayer
            settings = {"activation": "gelu", "batch_first": True, "norm_first": True}
            self.blocks = nn.Sequential(
                *(block(features, heads, 4 * features, 0.0, **settings) for _ in range(layers))
            )
            self.norm = nn.LayerNorm(features)
            self.head = nn.Linear(features, CHARACTERS)
            self._where = side.array(np.arange(time))
            self._mask = side.array(np.triu(np.full((time, time), -np.inf, np.float32), 1))

        def forward(self, characters: Any) -> Any:
            x = self.characters(characters) + self.positions(self._where)
            for block in self.blocks:
                x = block(x, src_mask=self._mask, is_causal=True)
            return self.head(self.norm(x)).reshape((-1, CHARACTERS))

    return loaded(side, GPT())


def loaded(side: Side, model: Any) -> Any:
    """The model on the side's device, with the parameters that every library starts from."""
    return side.load(model, weights(side.shapes(model)))


def labelled(features: int, classes: int, batch: int) -> tuple[np.ndarray, np.ndarray]:
    """(batch, features) numbers and a class for each row."""
    return normal("x", batch, features), integers("classes", classes, batch)


def images(batch: int) -> tuple[np.ndarray, np.ndarray]:
    """(batch, 1, 28, 28) pictures and a class for each."""
    return normal("x", batch, 1, IMAGE, IMAGE), integers("classes", 10, batch)


def text(batch: int, time: int) -> tuple[np.ndarray, np.ndarray]:
    """(batch, time) characters and, in one row, the character after each."""
    characters = integers("text", CHARACTERS, batch, time + 1)
    return characters[:, :-1].copy(), characters[:, 1:].reshape(-1).copy()
