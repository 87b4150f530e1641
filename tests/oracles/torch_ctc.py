"""Write torch_ctc.npz: ctc_loss of log_softmax in torch 2.13, float64.

    python tests/oracles/torch_ctc.py

Each case: logits and targets, y under "mean", "sum" and "none", and the gradient "d/<reduction>"
of the logits against a cotangent 0.5, 1.5, 2.5, ... in C order. The lengths are settings.
"""

from __future__ import annotations

from typing import Any

import npz
import torch
from numpy.random import RandomState
from torch.nn import functional

# name: (time, batch or None, classes), input_lengths, targets of each item, options
CASES: dict[str, tuple[tuple[int, Any, int], list[int], list[list[int]], dict[str, Any]]] = {
    "one": ((4, 1, 3), [4], [[1, 2]], {}),
    "repeated": ((7, 2, 4), [7, 6], [[1, 1, 3, 3], [2, 2, 2]], {}),
    "ragged": ((8, 4, 5), [8, 5, 1, 6], [[3, 1, 4, 1], [2], [4], [1, 2]], {}),
    "just fits": ((5, 2, 3), [5, 3], [[1, 1, 2, 1], [1, 2, 1]], {}),
    "blank last": ((6, 2, 4), [6, 4], [[0, 1, 2], [2, 2]], {"blank": 3}),
    "blank inside": ((6, 2, 5), [5, 6], [[0, 4, 4], [3, 1]], {"blank": 2}),
    "no label": ((4, 3, 3), [4, 2, 0], [[], [1], []], {}),
    "nothing": ((3, 2, 2), [3, 2], [[], []], {}),
    "too short": ((5, 4, 4), [5, 2, 3, 0], [[1, 2, 3], [1, 2, 3], [2, 2], [1]], {}),
    "long": ((40, 3, 6), [40, 33, 21], [[1, 2, 3, 4, 5] * 3, [5] * 9, [1, 2] * 7], {}),
    "without a batch": ((6, None, 4), [6], [[3, 1, 1]], {}),
}


def main() -> None:
    """Compute all cases and write them."""
    torch.set_num_threads(1)
    torch.set_default_dtype(torch.float64)
    random = RandomState(31)
    cases = {}
    for name, (shape, input_lengths, targets, options) in CASES.items():
        logits = torch.tensor(2.0 * random.randn(*(n for n in shape if n is not None)))
        infinite = name == "too short"
        for zero_infinity in (False, True) if infinite else (False,):
            given = {**options, "zero_infinity": True} if zero_infinity else options
            for together in (False, True):
                key = "-".join([name, *given, "together" if together else "padded"])
                if shape[1] is None and not together:
                    continue
                settings = {"input_lengths": input_lengths, "options": given}
                settings["target_lengths"] = [len(target) for target in targets]
                arranged = one_after_the_other(targets) if together else padded(random, targets)
                cases[key] = (settings, numbers(logits, arranged, settings))
    npz.save("ctc", cases)


def padded(random: RandomState, targets: list[list[int]]) -> torch.Tensor:
    """(batch, longest + 1); what stands behind the ends are labels too."""
    longest = max(map(len, targets)) + 1
    filled = random.randint(0, 2, (len(targets), longest))
    for row, target in zip(filled, targets, strict=True):
        row[: len(target)] = target
    return torch.tensor(filled)


def one_after_the_other(targets: list[list[int]]) -> torch.Tensor:
    return torch.tensor([label for target in targets for label in target], dtype=torch.int64)


def numbers(
    logits: torch.Tensor, targets: torch.Tensor, settings: dict[str, Any]
) -> dict[str, torch.Tensor]:
    """Inputs, values and gradients under every reduction."""
    found = {"logits": logits, "targets": targets}
    lengths = [torch.tensor(settings[f"{kind}_lengths"]) for kind in ("input", "target")]
    for reduction in ("mean", "sum", "none"):
        leaf = logits.clone().requires_grad_()
        log_probs = torch.log_softmax(leaf, -1)
        y = functional.ctc_loss(
            log_probs, targets, *lengths, reduction=reduction, **settings["options"]
        )
        found[f"y/{reduction}"] = y
        y.backward(0.5 + torch.arange(y.numel()).to(y.dtype).reshape(y.shape))
        found[f"d/{reduction}"] = leaf.grad
    return found


if __name__ == "__main__":
    main()
