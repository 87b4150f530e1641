"""isograd.xp: ready-made namespaces, loaded when they are used."""

import importlib
import importlib.util
import subprocess
import sys

import array_api_strict
import numpy as np
import pytest

import isograd as ig


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_ready_made_namespace_is_the_one_of_its_tensors():
    from isograd.xp import array_api_strict as strict_xp
    from isograd.xp import numpy as numpy_xp

    assert numpy_xp is ig.wrap_namespace(np)
    assert numpy_xp is ig.Tensor(np.ones(2)).__array_namespace__()
    assert strict_xp is ig.wrap_namespace(array_api_strict)
    assert numpy_xp.__name__ == "isograd.xp.numpy"


def test_it_can_be_imported_as_a_module():
    code = "import isograd.xp.numpy as xp; print(xp.sum(xp.ones(3)).item())"
    assert run(code) == "3.0"


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys, isograd.xp.array_api_strict as xp; first = 'array_api_strict' in sys.modules;"
        "xp.float32; print(first, 'array_api_strict' in sys.modules)"
    )
    assert run(code) == "False True"


def test_looking_at_all_modules_loads_nothing():
    """Debuggers and test runners ask every module for __file__ and the like."""
    code = (
        "import sys, isograd; [getattr(module, name, None) for module in list(sys.modules.values())"
        " for name in ('__file__', '__path__', '__warningregistry__')];"
        "print('array_api_strict' in sys.modules)"
    )
    assert run(code) == "False"


@pytest.mark.skipif(importlib.util.find_spec("cupy") is not None, reason="cupy is installed")
def test_a_library_that_is_not_installed_says_how_to_get_it():
    with pytest.raises(ImportError, match=r'cupy is not installed; pip install "isograd\[cuda'):
        from isograd.xp import cupy  # noqa: F401
    assert not hasattr(importlib.import_module("isograd.xp.cupy"), "sum")


def test_an_unknown_library_is_told_from_those_that_are_there():
    with pytest.raises(AttributeError, match=r"isograd.xp has numpy, .*, not 'jax'"):
        ig.xp.jax  # noqa: B018
    assert {"numpy", "array_api_strict"} <= set(dir(ig.xp))


def test_a_namespace_lists_its_names():
    xp = ig.xp.numpy
    assert {"sum", "linalg", "fft", "special", "float32", "pi"} <= set(dir(xp))
    assert {"sum", "linalg", "float32"} <= set(xp.__all__)
    with pytest.raises(AttributeError, match=r"isograd.xp.numpy has no 'nonsense'"):
        xp.nonsense  # noqa: B018
