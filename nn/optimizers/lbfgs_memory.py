"""What L-BFGS keeps: the last steps with the changes of the gradient along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

from ...backend import Array, array, array_namespace, device_of
from ...backend.errors import StateDictError

if TYPE_CHECKING:
    from .lbfgs import LBFGS

LEAST_CURVATURE = 1e-10  # a pair with y s below would bring the Hessian near to singular
COUNTS = ("func_evals", "n_iter")
NUMBERS = ("t", "H_diag", "prev_loss")
VECTORS = ("d", "prev_flat_grad")
STACKS = ("old_dirs", "old_stps")
SCRATCH = "al"  # torch keeps its working space in the state too


@dataclass
class Memory:
    """What is kept between steps, by torch's names; vectors join all parameters.

    d: the last direction, t: its step, prev_flat_grad and prev_loss: from where it went; old_dirs:
    differences y of gradients, old_stps: s of parameters, ro: 1 / (y s); H_diag: (y s) / (y y) of
    the last pair.
    """

    func_evals: int = 0
    n_iter: int = 0
    d: Any = None
    t: float = 0.0
    old_dirs: list[Array] = field(default_factory=list)
    old_stps: list[Array] = field(default_factory=list)
    ro: list[float] = field(default_factory=list)
    H_diag: float = 1.0
    prev_flat_grad: Any = None
    prev_loss: float = 0.0

    def learn(self, gradient: Array, history_size: int) -> None:
        """Add the last step's pair, if the loss curves upwards along it; forget the oldest."""
        y, s = gradient - self.prev_flat_grad, self.t * self.d
        curvature = dot(y, s)
        if not curvature > LEAST_CURVATURE:
            return
        self.old_dirs.append(y)
        self.old_stps.append(s)
        self.ro.append(1.0 / curvature)
        for kept in (self.old_dirs, self.old_stps, self.ro):
            del kept[:-history_size]
        self.H_diag = curvature / dot(y, y)

    def direction(self, gradient: Array) -> Array:
        """-H gradient, with H the inverse Hessian that the pairs tell of.

        Source: Nocedal and Wright 2006, algorithm 7.4 (two-loop recursion) from H = H_diag I.
        """
        q, shares = -gradient, []
        pairs = list(zip(self.old_dirs, self.old_stps, self.ro, strict=True))
        for y, s, rho in reversed(pairs):
            shares.append(dot(s, q) * rho)
            q = q - shares[-1] * y
        q = self.H_diag * q
        for (y, s, rho), share in zip(pairs, reversed(shares), strict=True):
            q = q + (share - dot(y, q) * rho) * s
        return q

    def state(self) -> dict[str, Any]:
        """The memory by names; copies, with the vectors of a list as the rows of one array."""
        state: dict[str, Any] = {name: getattr(self, name) for name in (*COUNTS, *NUMBERS)}
        state["ro"] = list(self.ro)
        for name in VECTORS:
            kept = getattr(self, name)
            if kept is not None:
                state[name] = array_namespace(kept).asarray(kept, copy=True)
        for name in STACKS:
            rows = getattr(self, name)
            if rows:
                state[name] = array_namespace(rows[0]).stack(rows)
        return state


NAMES = tuple(field.name for field in fields(Memory))


def dot(a: Array, b: Array) -> float:
    """The inner product of two vectors, as a Python number."""
    return float(a @ b)


def largest(x: Array) -> float:
    """max |x|; 0 of an empty vector."""
    xp = array_namespace(x)
    return float(xp.max(xp.abs(x))) if x.shape[0] else 0.0


def memory_of(optimizer: LBFGS, state_dict: Mapping[str, Any]) -> Memory:
    """The memory in a state_dict. Raises StateDictError, CastOverflowError."""
    saved = _checked(optimizer, state_dict)
    found: dict[str, Any] = {name: int(saved.get(name, 0)) for name in COUNTS}
    found |= {name: float(saved[name]) for name in NUMBERS if saved.get(name) is not None}
    for name in VECTORS:
        kept = saved.get(name)
        found[name] = None if kept is None else _vector(optimizer, name, kept)
    for name in STACKS:
        found[name] = [_vector(optimizer, name, row) for row in _rows(saved.get(name))]
    found["ro"] = [float(rho) for rho in _rows(saved.get("ro"))]
    if len({len(found[name]) for name in (*STACKS, "ro")}) > 1:
        raise StateDictError(f"{optimizer}: old_dirs, old_stps and ro must be equally many")
    if found["n_iter"] and (found["d"] is None or found["prev_flat_grad"] is None):
        raise StateDictError(f"{optimizer}: d and prev_flat_grad must be there after n_iter > 0")
    return Memory(**found)


def _checked(optimizer: LBFGS, state_dict: Mapping[str, Any]) -> dict[str, Any]:
    """The state of parameter 0, which is that of all, with known names only."""
    state = state_dict.get("state") if isinstance(state_dict, Mapping) else None
    if not isinstance(state, Mapping) or not set(map(str, state)) <= {"0"}:
        raise StateDictError(
            f"{optimizer}: a state_dict must hold a state, of parameter 0 alone, which is that of "
            "all; is it of another optimizer?"
        )
    saved = {name: value for entry in state.values() for name, value in entry.items()}
    saved.pop(SCRATCH, None)
    unknown = sorted(set(saved) - set(NAMES))
    if unknown:
        raise StateDictError(
            f"{optimizer}: the state must hold {', '.join(NAMES)}, got {unknown[0]!r}; is it of "
            "another optimizer?"
        )
    return saved


def _rows(value: Any) -> Sequence[Any]:
    """The members of a list, or the rows of an array; none of None."""
    if value is None or isinstance(value, list | tuple):
        return value or ()
    return [value[i, ...] for i in range(value.shape[0])]


def _vector(optimizer: LBFGS, name: str, value: Any) -> Array:
    """A vector as long as all parameters together, on their device, of their dtype."""
    params = optimizer.param_groups[0]["params"]
    shape = (sum(p.size for p in params),)
    if tuple(getattr(value, "shape", ())) != shape:
        raise StateDictError(
            f"{optimizer}: {name} must have the shape {shape}, a number for each of all "
            f"parameters, got {tuple(getattr(value, 'shape', ()))}"
        )
    return array(value, dtype=params[0].dtype, device=device_of(params[0]))
