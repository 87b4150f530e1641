"""The paths of connectionist temporal classification, summed by dynamic programming.

A path names a class, or the blank, at every step. It stands for the labels that remain when
repetitions become one and blanks are left out. Paths that stand for a target go along the places
"blank, label, blank, label, ..., blank": a step stays, goes on by one place, or by two where it
passes over a blank between two different labels. Probabilities are logarithms throughout.
Source: Graves, Fernandez, Gomez, Schmidhuber 2006, section 4.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from array_api_compat import device

from ..backend import Array, array_namespace, unwrap
from .autograd import differentiable
from .autograd.ops.indexing import add_at
from .autograd.ops.zero_safe import scaled
from .autograd.tensor import innermost

NEVER = -math.inf  # log of the probability 0


@differentiable
def path_losses(
    log_probs: Array, labels: Array, ends: Array, n_labels: Array, *, blank: int
) -> Array:
    """-log of the probability of all paths that stand for the labels: (batch,).

    log_probs: (time, batch, classes); labels: int64 (batch, longest), blank behind the last one;
    ends: int64 (batch,), the steps of each item; n_labels: int64 (batch,).
    """
    last = _arrivals(_lattice(log_probs, labels, ends, blank))[-1]
    xp, raw = array_namespace(last), array_namespace(unwrap(n_labels))
    final = 2 * unwrap(n_labels)[:, None] + 2  # the last blank; before it stands the last label
    found = xp.take_along_axis(last, raw.concat([final - 1, final], axis=1), axis=1)
    return -xp.logaddexp(found[:, 0], found[:, 1])


@path_losses.backward
def _(
    dy: Array, log_probs: Array, labels: Array, ends: Array, n_labels: Array, blank: int, y: Array
) -> Array:
    """-dy times the share of the paths that are at a class at a step: equation 14 of the source.

    At a place it is exp(arrivals + departures + y). Arrivals are computed anew, which costs half as
    much time again, and less memory than to keep them.
    """
    xp = array_namespace(dy, log_probs)
    if not log_probs.shape[0]:
        return xp.zeros_like(log_probs)
    lattice = _lattice(log_probs, labels, ends, blank)
    arrivals = xp.stack([state[:, 2:] for state in _arrivals(lattice)[1:]])
    departures = xp.stack(_departures(lattice, unwrap(n_labels)))
    y = xp.where(y == math.inf, xp.full_like(y, math.nan), y)  # a share of no path at all
    shares = xp.exp(arrivals + departures + y[:, None])
    within = array_namespace(lattice.places).stack(lattice.within)
    shares = xp.where(within, shares, xp.zeros_like(shares))
    terms = xp.reshape(scaled(-dy[:, None], shares), (-1,))
    flat = add_at(terms, lattice.places, (math.prod(log_probs.shape),), 0)
    return xp.reshape(flat, log_probs.shape)


class _Lattice(NamedTuple):
    """What the steps along the places need; n_places = 2 longest + 1."""

    emissions: tuple[Array, ...]  # for each step: log_probs of the places, (batch, n_places)
    within: tuple[Array, ...]  # for each step: whether an item has not ended, (batch, 1)
    gates: Array  # 0 where a step of two may end, else NEVER, (batch, n_places)
    border: Array  # NEVER at two places that there are not, (batch, 2)
    places: Array  # where the emissions stand in the flat log_probs


def _lattice(log_probs: Array, labels: Array, ends: Array, blank: int) -> _Lattice:
    """The places of all items at all steps."""
    labels, ends, raw = unwrap(labels), unwrap(ends), innermost(log_probs)
    rx, xp = array_namespace(labels), array_namespace(log_probs)
    n_steps, n_batch, n_classes = log_probs.shape
    made = {"dtype": raw.dtype, "device": device(raw)}
    pairs = rx.stack([rx.full_like(labels, blank), labels], axis=-1)
    blanks = rx.full((n_batch, 1), blank, dtype=labels.dtype, device=device(labels))
    own = rx.concat([rx.reshape(pairs, (n_batch, 2 * labels.shape[1])), blanks], axis=1)
    border = rx.full((n_batch, 2), NEVER, **made)
    before = rx.concat([blanks, blanks, own], axis=1)[:, :-2]  # ways begin as if behind a blank
    gates = rx.where(own != before, rx.zeros((), **made), rx.full((), NEVER, **made))
    steps = rx.arange(n_steps, dtype=labels.dtype, device=device(labels))[:, None]
    rows = steps * n_batch + rx.arange(n_batch, dtype=labels.dtype, device=device(labels))
    places = rx.reshape(rows[:, :, None] * n_classes + own, (-1,))
    emissions = xp.take(xp.reshape(log_probs, (-1,)), places)
    emissions = xp.reshape(emissions, (n_steps, n_batch, own.shape[1]))
    within = (steps < ends)[:, :, None]
    emissions = xp.where(within, emissions, xp.zeros_like(emissions))  # no NaN from padding
    return _Lattice(xp.unstack(emissions), rx.unstack(within), gates, border, places)


def _arrivals(lattice: _Lattice) -> list[Array]:
    """log of the probability of all ways to each place, before the first step and after each.

    (batch, 2 + n_places): ways begin at the second column, which is no place. What comes after the
    end of an item changes nothing.
    """
    rx = array_namespace(lattice.border)
    never = rx.full_like(lattice.gates, NEVER)
    start = rx.concat([lattice.border[:, :1], rx.zeros_like(never[:, :1]), never], axis=1)
    states: list[Array] = [start]
    for emission, within in zip(lattice.emissions, lattice.within, strict=True):
        xp, state = array_namespace(emission), states[-1]
        ways = xp.logaddexp(state[:, 2:], state[:, 1:-1])
        ways = xp.logaddexp(ways, state[:, :-2] + lattice.gates)
        state_after = xp.concat([lattice.border, emission + ways], axis=1)
        states.append(xp.where(within, state_after, state))
    return states


def _departures(lattice: _Lattice, n_labels: Array) -> list[Array]:
    """log of the probability of all ways from each place to the end, without its own emission.

    (batch, n_places) for each step: 0 at the last label and the blank behind it at the end.
    """
    rx = array_namespace(lattice.gates)
    n_places = lattice.gates.shape[1]
    order = rx.arange(n_places, dtype=n_labels.dtype, device=device(n_labels))
    behind = order - 2 * n_labels[:, None]
    never = rx.full_like(lattice.gates, NEVER)
    end = rx.where((behind == 0) | (behind == -1), rx.zeros_like(never), never)
    gates = rx.concat([lattice.gates, lattice.border], axis=1)[:, 2:]
    states: list[Array] = [end]
    for emission, within in zip(lattice.emissions[:0:-1], lattice.within[:0:-1], strict=True):
        xp = array_namespace(emission)
        there = xp.concat([emission + states[-1], lattice.border], axis=1)
        ways = xp.logaddexp(there[:, :-2], there[:, 1:-1])
        ways = xp.logaddexp(ways, there[:, 2:] + gates)
        states.append(xp.where(within, ways, end))
    return states[::-1]
