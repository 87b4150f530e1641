"""A character model on the text of the book: one epoch reaches the recorded figure.

The text is not shipped: ISOGRAD_DATA names the folder that holds text/book_ch6_input.txt.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

import isograd as ig
from isograd import nn

N_STEPS, N_BATCH, N_HIDDEN = 50, 32, 62
RECORDED = 2.331  # nats a character, in public notebooks of the book's chapter


@pytest.mark.slow
def test_an_lstm_reaches_the_recorded_nats_a_character_in_one_epoch():
    indices, n = characters()
    generator, one_hot = ig.random.Generator(0), np.eye(n, dtype=np.float32)
    lstm = nn.LSTM(n, N_HIDDEN, batch_first=True, generator=generator)
    head = nn.Linear(N_HIDDEN, n, generator=generator)
    optimizer = nn.Adam([*lstm.parameters(), *head.parameters()], lr=0.001)
    losses = []
    for first in range(0, len(indices) - N_STEPS - N_BATCH, N_BATCH):
        starts = np.arange(first, first + N_BATCH)
        windows = indices[starts[:, None] + np.arange(N_STEPS + 1)]
        outputs, _ = lstm(one_hot[windows[:, :-1]])
        logits = nn.flatten(head(outputs), start_axis=0, end_axis=1)
        loss = nn.cross_entropy(logits, windows[:, 1:].reshape(-1))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss))
    assert losses[0] == pytest.approx(np.log(n), abs=0.02)
    assert np.mean(losses[-100:]) <= RECORDED


def characters():
    """(the text as indices of its characters, how many there are)."""
    folder = os.environ.get("ISOGRAD_DATA")
    if not folder:
        pytest.skip("ISOGRAD_DATA is not set: no folder with text/book_ch6_input.txt")
    text = (Path(folder) / "text" / "book_ch6_input.txt").read_text(encoding="utf-8")
    known = sorted(set(text))
    return np.array([known.index(character) for character in text]), len(known)
