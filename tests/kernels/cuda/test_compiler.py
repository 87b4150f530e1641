"""What CuPy is given to compile."""

import importlib
import importlib.util

from needs import skip_because

from isograd.kernels.cuda.compiler import STATIC_SHARED, CupyCompiler
from isograd.kernels.cuda.softmax import SOFTMAX


class Module:
    """In the place of cupy.RawModule: keeps what it was given."""

    def __init__(self, **given):
        self.given = given

    def compile(self):
        pass

    def get_function(self, name):
        self.name = name
        return self


def compiled(monkeypatch, shared):
    skip_because("" if importlib.util.find_spec("cupy") else "cupy is not installed")
    monkeypatch.setattr(importlib.import_module("cupy"), "RawModule", Module)
    return CupyCompiler().kernel("sum", "text\n", ["SCALAR=long long", "N=3"], "a.cu", shared)


def test_macros_stand_in_the_text_and_options_are_always_the_same(monkeypatch):
    kernel = compiled(monkeypatch, 0)
    assert kernel.given == {"code": "#define SCALAR long long\n#define N 3\ntext\n"}
    assert kernel.name == "sum"


def test_without_a_block_nothing_is_launched():
    SOFTMAX.launch("softmax_forward_short", "float32", (0,), (128,), ())


def test_only_more_shared_memory_than_every_block_gets_is_asked_for(monkeypatch):
    assert not hasattr(compiled(monkeypatch, STATIC_SHARED), "max_dynamic_shared_size_bytes")
    assert compiled(monkeypatch, STATIC_SHARED + 1).max_dynamic_shared_size_bytes == 49153
