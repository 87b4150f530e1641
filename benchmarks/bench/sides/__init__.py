"""Each library as a workload sees it: a Side. Loading one imports the library."""

from __future__ import annotations

from importlib import import_module

from .side import Side

LIBRARIES = ("isograd", "numpy", "torch", "jax", "thinc", "sklearn")
PEERS = LIBRARIES[1:]
MEANS = {  # what a library in a mode is: for a reader of the results
    ("isograd", "default"): "as it comes",
    ("numpy", "default"): "the arithmetic by hand, gradients too, without any bookkeeping",
    ("torch", "default"): "as it comes: eager",
    ("torch", "best"): "fused Adam and images with channels last; of eager, one thread and, where "
    "a C++ compiler is there, torch.compile of function or model, the one that is fastest in a "
    "trial of each workload",
    ("jax", "default"): "jax.jit over the whole call or training step, state donated: its best",
    ("thinc", "default"): "its own fastest backend for the CPU",
    ("sklearn", "default"): "MLPClassifier.partial_fit, one batch a call",
}
NOT_COMPILED = "; torch.compile was left out of this short run"
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
