"""isograd: one gradient, every array library.

Pick a device with use(...), make arrays with array(...), build a model from isograd.nn; the same
code trains on NumPy and on CuPy. Any code written to the Array API standard becomes differentiable
by grad, vjp, jvp and their kin.
"""

from isograd import nn, xp
from isograd.backend import (
    Device,
    array,
    current_device,
    device_of,
    devices,
    errors,
    random,
    synchronize,
    to_device,
    to_numpy,
    use,
    using,
)
from isograd.kernels.precision import matmul_precision
from isograd.nn.autograd import (
    Tensor,
    capture,
    check_gradients,
    checkpoint,
    differentiable,
    einsum,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    value_and_grad,
    vjp,
    wrap_namespace,
)

__version__ = "0.1.0"  # the same as in pyproject.toml; a test compares them

__all__ = [
    "Device",
    "Tensor",
    "array",
    "capture",
    "check_gradients",
    "checkpoint",
    "current_device",
    "device_of",
    "devices",
    "differentiable",
    "einsum",
    "errors",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "matmul_precision",
    "nn",
    "no_grad",
    "random",
    "synchronize",
    "to_device",
    "to_numpy",
    "use",
    "using",
    "value_and_grad",
    "vjp",
    "wrap_namespace",
    "xp",
]
