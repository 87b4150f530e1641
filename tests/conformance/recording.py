"""A namespace whose new floating arrays all record, for the conformance suite: see test_xfails.py.

They are results of an op, not leaves: the suite writes to its arrays, which leaves refuse.
"""

import functools
import types

import isograd as ig
from isograd.backend import is_complex, is_floating
from isograd.nn.autograd import tables

CREATING = (*tables.NOT_DIFFERENTIABLE, *tables.DIFFERENTIABLE_FACTORIES)
LIKE = ("empty_like", "full_like", "ones_like", "zeros_like")


def recording(library):
    """The differentiable namespace over a library, with creation functions that record."""
    xp = ig.wrap_namespace(library)
    namespace = types.ModuleType(f"{xp.__name__}.recording")
    vars(namespace).update({name: getattr(xp, name) for name in xp.__all__})
    namespace.__array_api_version__ = xp.__array_api_version__
    for name in (*CREATING, *LIKE):
        setattr(namespace, name, recorded(getattr(xp, name)))
    return namespace


def recorded(create):
    """The creation function, whose floating results come out recorded."""

    @functools.wraps(create)
    def function(*args, **kwargs):
        x = create(*args, **kwargs)
        if x.requires_grad or not (is_floating(x) or is_complex(x)):
            return x
        return +ig.Tensor(x.data, requires_grad=True)

    return function
