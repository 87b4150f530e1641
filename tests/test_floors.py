"""The house keeps its rules: imports go down only, files stay short, nothing unpickles."""

import ast
import sys
from pathlib import Path

import pytest

import isograd

ROOT = Path(isograd.__file__).resolve().parent
FLOORS = ["backend", "kernels", "nn.autograd", "nn", "benchmarks"]  # from the ground up
PUBLIC_FACE = FLOORS.index("nn")  # what the root re-exports is what a user of nn may know
CORE_DEPENDENCIES = {"numpy", "array_api_compat"}
RUNS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
LONGEST_FILE = 400


def package_files():
    """Every source file of the package; tests, environments and builds lie beside it."""
    folders = {floor.split(".")[0] for floor in FLOORS}
    inside = (path for folder in sorted(folders) for path in (ROOT / folder).rglob("*.py"))
    return sorted([*ROOT.glob("*.py"), *inside])


def every_file():
    """The package's files, and the tests that lie beside this one."""
    return [*package_files(), *sorted(Path(__file__).parent.rglob("*.py"))]


def module_name(path):
    """Dotted name below isograd: nn/linear.py -> "nn.linear", nn/__init__.py -> "nn"."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor_of(module):
    """Index of the floor that a dotted name below isograd lives on; the command line is on top."""
    if module == "__main__":
        return len(FLOORS)
    for index, floor in enumerate(FLOORS):
        if module == floor or module.startswith(floor + "."):
            return index
    return PUBLIC_FACE


def relative_targets(node, package):
    """Dotted names below isograd that a relative `from ... import` reaches."""
    outer = package[: len(package) - (node.level - 1)]
    base = [*outer, *(node.module.split(".") if node.module else [])]
    for alias in node.names:
        folder = ROOT.joinpath(*base, alias.name)
        is_module = folder.is_dir() or folder.with_suffix(".py").is_file()
        yield ".".join([*base, alias.name] if is_module else base)


def upward_imports(tree, module, package):
    """Lines of the relative imports that climb to a higher floor."""
    return [
        f"line {node.lineno}: {module} imports {target}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level
        for target in relative_targets(node, package)
        if floor_of(target) > floor_of(module)
    ]


def absolute_imports(body):
    """(line, top-level name) of every absolute import among these nodes."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.lineno, node.module.split(".")[0]


def imports_of(tree, names):
    """Lines that import one of these top-level names, wherever they stand."""
    imports = absolute_imports(ast.walk(tree))
    return [f"line {line}: {name}" for line, name in imports if name in names]


def code_runners(tree):
    """Lines that evaluate text, import a name made up at run time, or read a pickle."""
    found = imports_of(tree, RUNS_CODE)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in {"eval", "exec", "compile", "__import__"}:
            found.append(f"line {node.lineno}: {node.id}")
        if isinstance(node, ast.keyword) and allows_pickle(node):
            found.append(f"line {node.value.lineno}: allow_pickle")
    return found


def allows_pickle(keyword):
    switched_off = isinstance(keyword.value, ast.Constant) and keyword.value.value is False
    return keyword.arg == "allow_pickle" and not switched_off


def third_party_at_the_top(tree):
    """Lines outside of functions that import more than the core may."""
    allowed = CORE_DEPENDENCIES | set(sys.stdlib_module_names)
    definitions = ast.FunctionDef | ast.ClassDef
    statements = (node for node in tree.body if not isinstance(node, definitions))
    nodes = (inner for statement in statements for inner in ast.walk(statement))
    return [
        f"line {line}: {name}"
        for line, name in absolute_imports(nodes)
        if name not in allowed and name != "isograd"
    ]


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def package_of(path):
    return list(path.relative_to(ROOT).parts[:-1])


def named(path):
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


each_package_file = pytest.mark.parametrize("path", package_files(), ids=named)


@each_package_file
def test_imports_go_down_only(path):
    assert not upward_imports(parsed(path), module_name(path), package_of(path))


@each_package_file
def test_imports_inside_the_package_are_relative(path):
    if path == ROOT / "__init__.py":  # pytest executes this one outside of the package
        assert not [n for n in ast.walk(parsed(path)) if isinstance(n, ast.ImportFrom) and n.level]
    else:
        assert not imports_of(parsed(path), {"isograd"})


@each_package_file
def test_only_the_core_dependencies_are_imported_outside_of_functions(path):
    assert not third_party_at_the_top(parsed(path))


@each_package_file
def test_nothing_evaluates_text_or_reads_a_pickle(path):
    assert not code_runners(parsed(path))


@pytest.mark.parametrize("path", sorted((ROOT / "nn").rglob("*.py")), ids=named)
def test_nn_names_no_array_library(path):
    assert not imports_of(parsed(path), {"numpy", "cupy", "cupyx", "torch"})


@pytest.mark.parametrize("path", every_file(), ids=named)
def test_a_file_has_at_most_400_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("folder", sorted({floor.split(".")[0] for floor in FLOORS}))
def test_every_floor_exists(folder):
    assert (ROOT / folder / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("backend.device", "from ..nn import Module"),
        ("backend.device", "from .. import kernels"),
        ("backend.device", "from .. import __version__"),
        ("kernels.fused", "from ..nn.autograd import Tensor"),
        ("nn.autograd.tape", "from .. import datasets"),
        ("nn.autograd.tape", "from ..datasets import digits"),
        ("nn.linear", "def f():\n    from ..benchmarks import demo"),
    ],
)
def test_an_upward_import_is_found(module, line):
    assert upward_imports(ast.parse(line), module, module.split(".")[:-1])


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("nn.linear", "from .autograd import differentiable"),
        ("nn.linear", "from ..backend import array_namespace"),
        ("nn.autograd.tape", "from ... import backend"),
        ("benchmarks.demo", "from .. import nn, use"),
        ("__main__", "from .benchmarks import demo"),
    ],
)
def test_a_downward_import_is_allowed(module, line):
    assert not upward_imports(ast.parse(line), module, module.split(".")[:-1])


@pytest.mark.parametrize(
    "line", ["import pickle", "eval(text)", "np.load(f, allow_pickle=True)", "f = exec"]
)
def test_a_line_that_runs_code_is_found(line):
    assert code_runners(ast.parse(line))


def test_a_third_party_import_is_found_at_the_top_and_allowed_in_a_function():
    assert third_party_at_the_top(ast.parse("try:\n    import cupy\nexcept ImportError: pass"))
    assert not third_party_at_the_top(ast.parse("def f():\n    import cupy"))
