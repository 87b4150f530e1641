"""Who takes part follows from the options; who cannot is named with a remedy."""

import os
import sys

import pytest

from isograd.backend.errors import ConfigurationError
from isograd.benchmarks.bench import candidates as module
from isograd.benchmarks.bench.candidates import BEST_MODES, candidates, not_installed
from isograd.benchmarks.bench.sides import LIBRARIES, MEANS


@pytest.fixture
def only_numpy(monkeypatch):
    """An environment without peers, whatever this one has."""
    monkeypatch.setattr(module, "find_spec", lambda name: True if name == "numpy" else None)


@pytest.fixture
def other_python(monkeypatch, only_numpy):
    """A Python elsewhere that has torch and jax."""
    monkeypatch.setattr(module, "_peers_of", lambda python, option: ["torch", "jax"])


def names(*arguments):
    return [candidate.name for candidate in candidates(*arguments)]


@pytest.mark.usefixtures("only_numpy")
def test_what_is_installed_takes_part_unasked():
    assert names(["cpu"], None, []) == ["isograd cpu", "numpy cpu"]
    assert names(["cpu"], [], []) == ["isograd cpu"]


@pytest.mark.usefixtures("other_python")
def test_what_is_not_installed_anywhere_is_known():
    assert not_installed([]) == ["torch", "jax", "thinc", "sklearn"]
    assert not_installed(["/elsewhere"]) == ["thinc", "sklearn"]


@pytest.mark.usefixtures("only_numpy")
def test_a_peer_that_is_not_installed_comes_with_ways_to_get_it():
    with pytest.raises(ConfigurationError) as refused:
        candidates(["cpu"], ["sklearn"], [])
    assert "pip install scikit-learn" in str(refused.value)
    assert "--peer-python sklearn=PATH" in str(refused.value)


def test_a_peer_that_nobody_knows_is_refused_with_those_that_exist():
    with pytest.raises(ConfigurationError, match="no 'tensorflow'; choose of numpy, torch, jax"):
        candidates(["cpu"], ["tensorflow"], [])


@pytest.mark.parametrize("devices", [[], ["auto"]])
def test_devices_are_named_one_by_one(devices):
    with pytest.raises(ConfigurationError, match="such as cpu,cuda"):
        candidates(devices, [], [])


@pytest.mark.usefixtures("other_python")
def test_torch_is_shown_at_default_and_at_best_on_each_device_that_it_shares():
    assert names(["cpu", "cuda", "strict"], ["torch", "numpy"], ["torch=/elsewhere"]) == [
        "isograd cpu",
        "isograd cuda",
        "isograd strict",
        "torch cpu",
        "torch cpu best",
        "torch cuda",
        "torch cuda best",
        "numpy cpu",
    ]


@pytest.mark.usefixtures("other_python")
def test_a_peer_runs_in_the_python_that_was_named_for_it():
    found = {c.library: c.python for c in candidates(["cpu"], None, ["/any", "jax=/jax"])}
    assert found == {
        "isograd": sys.executable,
        "numpy": sys.executable,
        "torch": "/any",
        "jax": "/jax",
    }


@pytest.mark.usefixtures("other_python")
def test_a_python_is_named_from_the_current_folder_or_by_the_path_of_the_system():
    found = candidates(["cpu"], ["torch", "jax"], ["torch=venv/bin/python", "jax=python3"])
    pythons = {candidate.library: candidate.python for candidate in found}
    assert pythons["torch"] == os.path.abspath("venv/bin/python")
    assert pythons["jax"] == "python3"


@pytest.mark.parametrize(
    ("python", "says"),
    [
        ("/no/such/python", "/no/such/python does not start"),
        ("tensorflow=/x", "must be PATH or NAME=PATH with a name of"),
        (f"thinc={sys.executable}", "has no thinc"),
    ],
)
@pytest.mark.filterwarnings("default")
def test_a_python_that_cannot_help_is_named(python, says):
    if python.startswith("thinc") and module.find_spec("thinc") is not None:
        pytest.skip("thinc is installed here")
    with pytest.raises(ConfigurationError, match=says):
        candidates(["cpu"], [], [python])


@pytest.mark.usefixtures("other_python")
def test_what_a_mode_means_is_told_with_the_results():
    made = candidates(["cpu"], ["torch", "numpy"], ["torch=/elsewhere"])
    means = {one.name: one.record(2, {})["means"] for one in made}
    assert "fused Adam" in means["torch cpu best"]
    assert "torch.compile" in means["torch cpu best"]
    assert means["torch cpu"] == "as it comes: eager"
    best = next(one for one in made if one.mode == "best")
    short = best.record(2, {}, compiles=False)["means"]
    assert short.endswith("; torch.compile was left out of this short run")


def test_every_peer_has_a_meaning_for_each_of_its_modes():
    modes = {(name, "default") for name in LIBRARIES} | {(name, "best") for name in BEST_MODES}
    assert set(MEANS) == modes
