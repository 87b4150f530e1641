"""The README's table about other people's code and its page say what the results say."""

import json
from pathlib import Path

import pytest

import isograd
from isograd.backend.errors import ConfigurationError
from isograd.benchmarks.ecosystem import table
from isograd.benchmarks.ecosystem.__main__ import main

RESULTS = Path(isograd.__file__).parent / "benchmarks" / "results"
README = Path(__file__).parents[2] / "README.md"

TOY = {
    "scipy.fft.fft": {"numpy": "differentiable", "strict": "differentiable"},
    "scipy.fft.dct": {
        "numpy": "value only: __array__: this Tensor is recorded, ...",
        "strict": "refused: TypeError: no",
    },
    "scipy.spatial.transform.Rotation.__mul__": {
        "numpy": "differentiable",
        "strict": "refused: TypeError: no",
    },
    'einops.pack(how="a.b")': {"numpy": "constant", "strict": "wrong: a value off by 2"},
}
PACKAGES = {"scipy": "1.2", "einops": "3.4"}


@pytest.fixture
def committed():
    if not (RESULTS / "ecosystem.json").is_file():
        pytest.skip("an installed copy has no results")
    return json.loads((RESULTS / "ecosystem.json").read_text(encoding="utf-8"))["results"]


def said(results):
    """What became of every function over every array library."""
    return [text for texts in results["functions"].values() for text in texts.values()]


def test_the_readme_says_what_the_results_say(committed):
    summary = table.summary(committed["functions"], committed["packages"])
    text = README.read_text(encoding="utf-8")
    assert table.written(text, summary) == text, (
        "the table is written by `python -m isograd.benchmarks.ecosystem "
        "--results benchmarks/results/ecosystem.json --write README.md`"
    )


def test_the_page_says_what_the_results_say(committed):
    page = (RESULTS / "ecosystem.md").read_text(encoding="utf-8")
    assert table.page(committed["functions"], committed["packages"]) == page


def test_nothing_that_was_tried_is_wrong(committed):
    assert "wrong" not in {table.state_of(text) for text in said(committed)}


def test_every_case_fits_the_packages_that_were_tried(committed):
    assert not [text for text in said(committed) if "as numpy's own arrays" in text]


def test_the_results_tell_nothing_of_the_machine_that_they_are_from(committed):
    assert not [text for text in said(committed) if "/" in text]


def test_a_function_counts_in_the_row_of_its_package():
    lines = table.summary(TOY, PACKAGES).splitlines()
    assert lines[2] == "| SciPy 1.2 | 3 | 2 / 1 | 0 / 0 | 1 / 0 | 0 / 2 | 0 / 0 |"
    assert lines[3] == "| einops 3.4 | 1 | 0 / 0 | 1 / 0 | 0 / 0 | 0 / 0 | 0 / 1 |"


def test_every_function_stands_on_the_page_once():
    page = table.page(TOY, PACKAGES)
    assert "| `scipy.fft` | fft |" in page
    assert "| `scipy.spatial.transform` | Rotation.\\_\\_mul\\_\\_° |" in page
    assert '`einops`: pack(how="a.b") |' in page
    assert (
        "| right values; makes a NumPy array of its argument, which a recorded Tensor refuses "
        "| `scipy.fft`: dct |"
    ) in page


def test_the_table_is_written_between_its_markers():
    text = f"before\n{table.BEGIN}\nold\n{table.END}\nafter\n"
    assert table.written(text, "new") == f"before\n{table.BEGIN}\nnew\n{table.END}\nafter\n"


@pytest.mark.parametrize("text", ["", table.BEGIN, f"{table.END} {table.BEGIN}"])
def test_a_file_without_markers_is_refused(text):
    with pytest.raises(ConfigurationError, match="must hold the lines <!-- ecosystem:begin -->"):
        table.written(text, "new")


def test_a_table_of_some_functions_is_not_written(capsys):
    with pytest.raises(SystemExit):
        main(["scipy", "--write", "README.md"])
    assert "--write needs all functions" in capsys.readouterr().err
