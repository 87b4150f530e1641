"""One side of a parity run: a model on a device, whose steps are listened to op by op."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from ... import Device, nn, random, to_device, using
from ...backend import Array, is_array
from ...nn.autograd import tree
from ...nn.autograd.listening import Call, listening
from .models import Maker, check_loss

OUTSIDE = "(loss)"  # the layer of what is computed outside of the model
WHOLE = "(model)"  # of what the model itself computes, in no layer of it


class Heard(NamedTuple):
    """A call of an op, and the path of the layer that made it."""

    call: Call
    layer: str


class Side:
    """The model on one device, made and trained from the seed."""

    def __init__(self, name: str, make: Maker, device: Device, dtype: str, seed: int) -> None:
        self.name, self.device, self.seed = name, device, seed
        random.seed(seed)
        with using(device):
            self.model, batch, self.loss_function, self.optimizer = make(dtype)
        # Examples come from files, as NumPy arrays; what the model makes itself is its own affair.
        self.batch = tree.mapped(lambda x: to_device(x, device) if is_array(x) else x, batch)
        self.model.train()
        self._loss: Any = None

    def forward(self, step: int) -> list[Heard]:
        """The ops that the loss of this step takes, in order."""
        random.seed(_mixed(self.seed, step))  # both sides draw from one stream, from its start
        with using(self.device), listening() as calls, _owners(self.model, calls) as owners:
            self._loss = self.loss_function(self.model, *self.batch)
        check_loss(self.name, self._loss)
        return [Heard(call, owners.get(id(call), OUTSIDE)) for call in calls]

    def backward(self) -> float:
        """Gradients of the last loss, which is returned; the calls of forward() get their .dys."""
        with using(self.device):
            self._loss.backward()
        return float(self._loss.detach())

    def update(self) -> None:
        """One step of the optimizer, by the gradients that stand there."""
        with using(self.device):
            self.optimizer.step()
            self.optimizer.zero_grad()

    def take_over(self, other: Side) -> None:
        """The state and the gradients of another side, the same numbers on this device."""
        self.model.load_state_dict(other.arrays())
        self.optimizer.load_state_dict(other.optimizer.state_dict())
        for mine, theirs in zip(self.model.parameters(), other.model.parameters(), strict=True):
            if theirs.grad is not None:
                mine.grad = to_device(theirs.grad, self.device)

    def start(self) -> dict[str, Array]:
        """All that the side was given: parameters and buffers by path, and the batch."""
        batch = {f"batch[{i}]": x for i, x in enumerate(tree.leaves(self.batch)) if is_array(x)}
        return {**self.arrays(), **batch}

    def updated(self) -> dict[str, Array]:
        """What the optimizer writes: parameters and moments by path."""
        paths = {id(p): path for path, p in self.model.named_parameters()}
        listed = [p for group in self.optimizer.param_groups for p in group["params"]]
        found: dict[str, Array] = {paths[id(p)]: p for p in listed if id(p) in paths}
        for i, entry in self.optimizer.state_dict()["state"].items():
            path = paths.get(id(listed[i]), str(i))
            found |= {f"{path}, {name}": x for name, x in entry.items() if is_array(x)}
        return found

    def gradients(self) -> dict[str, Array]:
        """The gradients by path, of the parameters that have one."""
        return {path: p.grad for path, p in self.model.named_parameters() if p.grad is not None}

    def arrays(self) -> dict[str, Array]:
        """Copies of all parameters and buffers by path."""
        return self.model.state_dict()

    def layer_of(self, path: str) -> str:
        """The path of the layer that has the array at this path."""
        paths = [p for p, _ in self.model.named_modules() if p and path.startswith(f"{p}.")]
        return max(paths, key=len, default=WHOLE)

    def layers(self) -> list[str]:
        """The paths of all layers in order, and the names of what is in none."""
        return [*(path or WHOLE for path, _ in self.model.named_modules()), OUTSIDE]


@contextmanager
def _owners(model: nn.Module, calls: list[Call]) -> Iterator[dict[int, str]]:
    """Within the block: the path of the layer that made each call, by the id of the call."""
    owners: dict[int, str] = {}
    modules = model.named_modules()
    for path, module in modules:
        vars(module)["forward"] = _owning(module, path or WHOLE, calls, owners)
    try:
        yield owners
    finally:
        for _, module in modules:
            vars(module).pop("forward", None)


def _owning(
    module: nn.Module, path: str, calls: list[Call], owners: dict[int, str]
) -> Callable[..., Any]:
    """The module's forward, which also notes the calls that no layer inside it has made."""
    forward = module.forward

    def owning(*inputs: Any, **options: Any) -> Any:
        start = len(calls)
        y = forward(*inputs, **options)
        for call in calls[start:]:
            owners.setdefault(id(call), path)
        return y

    return owning


def _mixed(seed: int, step: int) -> int:
    """A seed for this step: near ones give unrelated streams."""
    return (seed << 32) + step
