"""Each library as a workload sees it: a Side. Loading one imports the library."""

from __future__ import annotations

from importlib import import_module

from .side import Side

LIBRARIES = ("isograd", "numpy", "torch", "jax", "thinc", "sklearn")
PEERS = LIBRARIES[1:]
_MODULES = {
    "isograd": "ours",
    "numpy": "numpy_side",
    "torch": "torch_side",
    "jax": "jax_side",
    "thinc": "thinc_side",
    "sklearn": "numpy_side",  # scikit-learn computes on NumPy's arrays
}


def load_side(library: str, device: str, mode: str, threads: int) -> Side:
    """The Side of a library on a device. Raises ImportError where the library is not installed.

    Raises ValueError or RuntimeError, with the reason, when it cannot use the device.
    """
    import_module(library)
    module = import_module(f".{_MODULES[library]}", __name__)
    return module.make_side(library, device, mode, threads)
