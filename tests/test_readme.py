"""The README is right: its examples run, its commands are real, its tables are complete."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import isograd
from isograd.backend.settings import _VARIABLES

ROOT = Path(isograd.__file__).resolve().parent
README = Path(__file__).parents[1].joinpath("README.md").read_text(encoding="utf-8")
TEST_COMMAND = "python3 -m pip install -qt .uv uv && .uv/bin/uv run pytest"
DEMO_COMMAND = "python3 -m pip install -qt .uv uv && .uv/bin/uv run isograd demo"


def blocks(language):
    """The code between fences of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def titled(block):
    """The first line that names something of its own, for the name of a test."""
    own = (line for line in block.splitlines() if not re.match("import|from|$", line))
    return re.sub(r"\W+", " ", next(own)).strip()


def run(tmp_path, *words):
    """The finished process of this Python with these words, in an empty folder."""
    command = [sys.executable, "-W", "error", *words]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)


@pytest.mark.parametrize("block", blocks("python"), ids=titled)
def test_an_example_runs_as_printed(block, tmp_path):
    (tmp_path / "example.py").write_text(block, encoding="utf-8")
    finished = run(tmp_path, "example.py")
    assert finished.returncode == 0, finished.stderr


def test_the_first_example_trains_a_network_that_reads_digits(tmp_path):
    (tmp_path / "example.py").write_text(blocks("python")[0], encoding="utf-8")
    said = run(tmp_path, "example.py").stdout
    assert float(re.match(r"([0-9.]+)% of 359 digits right", said).group(1)) >= 95.0


def test_the_example_of_a_test_passes_in_pytest(tmp_path):
    (block,) = [block for block in blocks("python") if "isograd.testing" in block]
    (configured,) = re.findall(r"^# conftest.py has the line: (.*)", block)
    (tmp_path / "conftest.py").write_text(configured, encoding="utf-8")
    (tmp_path / "test_example.py").write_text(block, encoding="utf-8")
    finished = run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert re.search(r"\b(6|8|10) passed", finished.stdout), finished.stdout  # 2 tests, 3 devices


def test_the_two_commands_stand_there_word_for_word():
    assert f"```\n{DEMO_COMMAND}\n{TEST_COMMAND}\n```" in README


def test_the_checks_run_the_command_for_the_tests():
    script = Path(__file__).parents[1] / ".ci" / "run"
    if not script.is_file():
        pytest.skip("an installed copy has no .ci/run")
    assert TEST_COMMAND in script.read_text(encoding="utf-8")


def test_what_the_readme_links_to_is_there():
    if not (ROOT / "README.md").is_file():
        pytest.skip("an installed copy has no pictures")
    links = re.findall(r"\]\((?!https?:)([^)]+)\)", README)
    assert links
    assert all((ROOT / link).is_file() for link in links)


def test_what_is_said_to_be_missing_is_missing():
    (line,) = re.findall(r"Not in `nn` yet: (.*)", README)
    assert not [name for name in re.findall(r"`(\w+)`", line) if hasattr(isograd.nn, name)]


def test_every_setting_is_listed_and_no_other():
    assert set(re.findall(r"^\| `(ISOGRAD_\w+)`", README, re.MULTILINE)) == set(_VARIABLES)


def test_every_floor_is_listed():
    listed = re.findall(r"^\| [0-4] \| `([\w/]+)/`", README, re.MULTILINE)
    assert listed == ["benchmarks", "nn", "nn/autograd", "kernels", "backend"]
    assert all((ROOT / folder).is_dir() for folder in listed)


def test_the_readme_can_be_read_in_one_sitting():
    assert len(README.splitlines()) <= 310
