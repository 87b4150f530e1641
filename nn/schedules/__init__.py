"""Learning rates as functions of the step, and what sets them in an optimizer.

nn.schedules.cosine(0.1, n_steps=100) is a function: 0.1 at step 0, 0 at step 100.
ScheduledLR(optimizer, schedule) sets it as group["lr"].
"""

from .annealing import cosine, cosine_restarts, one_cycle, one_cycle_momentum
from .chaining import product, sequence, warm_up
from .decay import constant, exponential, inverse_sqrt, linear, multistep, polynomial, step_decay
from .plateau import ReduceLROnPlateau
from .scheduled import ScheduledLR

__all__ = [
    "ReduceLROnPlateau",
    "ScheduledLR",
    "constant",
    "cosine",
    "cosine_restarts",
    "exponential",
    "inverse_sqrt",
    "linear",
    "multistep",
    "one_cycle",
    "one_cycle_momentum",
    "polynomial",
    "product",
    "sequence",
    "step_decay",
    "warm_up",
]
