"""Automatic differentiation for arrays of any library: Tensor, the tape, ops and their rules."""

from .capture import capture
from .check import check_gradients
from .checkpoint import checkpoint
from .differentiable import Op, differentiable
from .methods import install as _install_methods
from .namespace import WrappedNamespace, wrap_namespace
from .numpy_style.protocol import install as _install_numpy_protocol
from .operators import install as _install_operators
from .ops.einsum import einsum
from .tape import no_grad
from .tensor import Tensor
from .transfer import install as _install_transfer
from .transforms import grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

_install_operators()
_install_transfer()
_install_methods()
_install_numpy_protocol()

__all__ = [
    "Op",
    "Tensor",
    "WrappedNamespace",
    "capture",
    "check_gradients",
    "checkpoint",
    "differentiable",
    "einsum",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "no_grad",
    "value_and_grad",
    "vjp",
    "wrap_namespace",
]
