"""The package is complete: every folder is listed, its data travels, a bare import stays small."""

import re
import subprocess
import sys
import tomllib
from fnmatch import fnmatch
from importlib import metadata
from pathlib import Path

import pytest

import isograd
from isograd.__main__ import main

ROOT = Path(isograd.__file__).resolve().parent
PYPROJECT = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text("utf-8"))
SETUPTOOLS = PYPROJECT["tool"]["setuptools"]
FOLDERS = ["backend", "benchmarks", "kernels", "nn"]
STAYS_HOME = ["benchmarks/results/*", "kernels/compiled/*.[ch]"]  # what no wheel carries
BUILT = [".so", ".pyd"]  # beside their sources in an editable installation


def files_of_the_folders():
    """Every file of the package's folders as a path below the root; caches are passed over."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path.relative_to(ROOT)


def requirement_names(lines):
    return sorted(re.match(r"[A-Za-z0-9_.-]+", line).group() for line in lines)


def test_every_folder_with_code_is_a_listed_package():
    folders = {path.parent for path in files_of_the_folders() if path.suffix == ".py"}
    found = {"isograd", *(".".join(["isograd", *folder.parts]) for folder in folders)}
    assert found == set(SETUPTOOLS["packages"])


def test_every_listed_package_has_an_init_file():
    for name in SETUPTOOLS["packages"]:
        folder = ROOT.joinpath(*name.split(".")[1:])
        assert (folder / "__init__.py").is_file(), f"{name} has no __init__.py"


def test_every_other_file_is_package_data():
    patterns = [
        "/".join([*package.split(".")[1:], pattern])
        for package, listed in SETUPTOOLS["package-data"].items()
        for pattern in listed
    ]
    left_behind = [
        path.as_posix()
        for path in files_of_the_folders()
        if path.suffix not in [".py", *BUILT]
        and not any(fnmatch(path.as_posix(), pattern) for pattern in [*patterns, *STAYS_HOME])
    ]
    assert not left_behind


def test_every_c_file_is_compiled_and_every_header_is_watched():
    [loops] = SETUPTOOLS["ext-modules"]
    folder = Path(__file__).parents[1] / "kernels" / "compiled"
    if not folder.is_dir():
        pytest.skip("the sources stay at home: this is an installed copy")
    listed = sorted(Path(name).name for name in [*loops["sources"], *loops["depends"]])
    assert listed == sorted(path.name for path in folder.glob("*.[ch]"))


def test_the_type_marker_is_installed():
    assert (ROOT / "py.typed").is_file()


def test_the_version_is_said_once():
    assert isograd.__version__ == PYPROJECT["project"]["version"]


def test_the_core_needs_only_numpy_and_array_api_compat():
    assert requirement_names(PYPROJECT["project"]["dependencies"]) == ["array-api-compat", "numpy"]


@pytest.mark.parametrize("name", ["test", "demo"])
def test_the_extra_and_the_group_of_one_name_ask_for_the_same_packages(name):
    extra = PYPROJECT["project"]["optional-dependencies"][name]
    assert requirement_names(extra) == requirement_names(PYPROJECT["dependency-groups"][name])


def test_the_command_is_installed_with_the_package():
    try:
        scripts = metadata.distribution("isograd").entry_points.select(group="console_scripts")
    except metadata.PackageNotFoundError:
        pytest.skip("isograd is linked, not installed")
    assert [script.value for script in scripts] == ["isograd.__main__:main"]


def test_importing_isograd_loads_only_numpy_and_array_api_compat():
    code = "import sys; there = set(sys.modules); import isograd; print(*set(sys.modules) - there)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in run.stdout.split()}
    assert loaded - set(sys.stdlib_module_names) <= {"isograd", "numpy", "array_api_compat"}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["trian"], "invalid choice: 'trian'"),
        ([], "required: command"),
        (["demo", "--epochs", "0"], "must be an integer of at least 1, got '0'"),
        (["demo", "--epochs", "many"], "must be an integer of at least 1, got 'many'"),
        (["demo", "--seed", "-1"], "must be an integer of at least 0, got '-1'"),
    ],
)
def test_the_command_line_names_what_is_wrong(arguments, says, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err


def test_the_version_option_prints_the_version(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--version"])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f"isograd {isograd.__version__}\n"
