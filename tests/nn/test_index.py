"""The public index of nn: every name is there, and what is heavy is loaded when it is used."""

import subprocess
import sys
from types import ModuleType

import pytest

from isograd import nn

MODULES = {"initializers", "schedules"}


@pytest.mark.parametrize("name", nn.__all__)
def test_a_public_name_is_what_it_says_and_no_module_of_that_name(name):
    assert isinstance(getattr(nn, name), ModuleType) == (name in MODULES)
    assert name in dir(nn)


def test_an_unknown_name_is_refused():
    with pytest.raises(AttributeError, match=r"module 'isograd.nn' has no attribute 'Conv4d'"):
        _ = nn.Conv4d


@pytest.mark.parametrize(
    "code",
    [
        "import isograd.nn.attention, isograd.nn.losses, isograd.nn.margins",
        "import isograd.nn.linear, isograd.nn.focal, isograd.nn.softmax",
    ],
)
def test_a_function_is_not_hidden_by_its_module_whatever_is_imported_first(code):
    check = "from isograd import nn; nn.Conv2d, nn.SGD; assert callable(nn.linear)\n"
    check += "assert callable(nn.focal) and callable(nn.softmax) and callable(nn.dropout)\n"
    subprocess.run([sys.executable, "-c", f"{code}\n{check}"], check=True)


def test_attention_and_convolution_are_loaded_when_they_are_first_used():
    code = """
import sys, isograd
from isograd import nn
assert not any("attention" in name or "convolution" in name for name in sys.modules)
nn.Conv2d
assert "isograd.nn.convolution" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
