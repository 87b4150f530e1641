"""Functions of SciPy, array-api-extra, einops and scikit-learn differentiate on our Tensors.

They are tried in a process of their own: SciPy reads the switch SCIPY_ARRAY_API once, on import.
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import isograd
from isograd.benchmarks.ecosystem import registry, table
from isograd.benchmarks.ecosystem.outcome import DIFFERENTIABLE

COMMITTED = Path(isograd.__file__).parent / "benchmarks" / "results" / "ecosystem.json"


def tried(folder, *words):
    """The results for the functions that have one of the words in their path."""
    path = folder / "ecosystem.json"
    command = [sys.executable, "-m", "isograd.benchmarks.ecosystem", *words, "--order", "1"]
    environment = {name: v for name, v in os.environ.items() if name != registry.SWITCH}
    run = subprocess.run(
        [*command, "--results", str(path)], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, f"{run.stdout}\n{run.stderr}"
    return json.loads(path.read_text(encoding="utf-8"))["results"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What becomes of all functions but scikit-learn's, whose import alone takes seconds."""
    for package in ("scipy", "array_api_extra", "einops"):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    return tried(tmp_path_factory.mktemp("results"), "scipy", "array_api_extra", "einops")


def n_differentiable(results, package):
    """By array library, how many functions of a package are differentiable."""
    found = [texts for name, texts in results["functions"].items() if name.split(".")[0] == package]
    return {
        library: sum(table.state_of(texts[library]) == DIFFERENTIABLE for texts in found)
        for library in registry.LIBRARIES
    }


def lost(results):
    """Functions that the committed results call differentiable, and these do not."""
    committed = json.loads(COMMITTED.read_text(encoding="utf-8"))["results"]
    same = [p for p, v in results["packages"].items() if committed["packages"].get(p) == v]
    return [
        (name, library, text)
        for name, texts in results["functions"].items()
        for library, text in texts.items()
        if name.split(".")[0] in same
        and table.state_of(text) != DIFFERENTIABLE
        and committed["functions"].get(name, texts)[library] == DIFFERENTIABLE
    ]


@pytest.mark.parametrize(("package", "least"), [("scipy", 150), ("array_api_extra", 25)])
def test_functions_of_a_package_are_differentiable_over_every_array_library(
    results, package, least
):
    assert min(n_differentiable(results, package).values()) >= least


def test_einops_is_differentiable_by_its_array_api_module(results):
    assert n_differentiable(results, "einops")["numpy"] >= 5


def test_no_function_is_lost(results):
    if not COMMITTED.is_file():
        pytest.skip("an installed copy has no results")
    assert not lost(results)


@pytest.mark.slow
def test_scikit_learn_is_differentiable(tmp_path):
    pytest.importorskip("sklearn")
    results = tried(tmp_path, "sklearn")
    assert min(n_differentiable(results, "sklearn").values()) >= 30
    if COMMITTED.is_file():
        assert not lost(results)


def test_no_function_is_tried_twice_in_the_same_way():
    titles = [case.title for case in registry.CASES]
    assert sorted(set(titles)) == sorted(titles)


def test_scipy_must_not_have_been_imported_without_its_switch():
    pytest.importorskip("scipy")
    code = (
        "import scipy; from isograd.benchmarks.ecosystem.__main__ import main; "
        "raise SystemExit(main(['logsumexp']))"
    )
    environment = {name: v for name, v in os.environ.items() if name != registry.SWITCH}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 2
    assert "SCIPY_ARRAY_API=1 must be set before scipy is imported" in run.stderr


def test_a_package_that_is_missing_is_left_out(monkeypatch):
    monkeypatch.setattr(registry, "installed", dict)
    assert registry.outcomes(registry.CASES, 1, print) == {}
