"""The page for users of autograd is right: its examples run as printed, its numbers are counted."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from autograd_suite.suite_outcomes import N_RUN, expected_failures

import isograd as ig

PAGE = Path(__file__).with_name("COMING_FROM_AUTOGRAD.md").read_text(encoding="utf-8")


def blocks():
    return re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("block", blocks(), ids=lambda block: re.sub(r"\W+", " ", block)[:50])
def test_an_example_runs_as_printed(block):
    names = {"np": np, "ig": ig}
    example = doctest.DocTestParser().get_doctest(block, names, "page", "page", 0)
    said = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS, verbose=False)
    runner.run(example, out=said.append)
    assert not runner.failures, "".join(said)


def test_every_name_on_the_right_of_the_table_exists():
    rows = re.findall(r"^\| `.*? \| (.*) \|$", PAGE, re.MULTILINE)
    names = {name for row in rows for name in re.findall(r"\big\.([\w.]+)", row)}
    assert {"grad", "vjp", "jvp", "hvp", "differentiable", "nn.Adam"} <= names
    for name in names:
        value = ig
        for part in name.split("."):
            value = getattr(value, part)


def test_the_page_states_how_many_tests_pass():
    n_passing = N_RUN - len(expected_failures())
    assert f"Of the {N_RUN} tests" in PAGE
    assert f"{n_passing} pass" in PAGE.replace("\n", " ")
