"""isograd.testing: what assert_close lets pass and how it tells the rest; the plugin for pytest."""

import re
import subprocess
import sys
from textwrap import dedent
from types import SimpleNamespace

import numpy as np
import pytest

import isograd as ig
from isograd import testing
from isograd.backend.comparison import spacing
from isograd.backend.errors import DeviceUnavailableError, NotCloseError
from isograd.testing import assert_close, check_gradients

EPS = float(np.finfo("float32").eps)


def array(values, dtype="float32"):
    return ig.array(values, dtype=dtype)


# -- assert_close


def test_rounding_is_let_pass_and_more_is_not(device):
    expected = array([1.0, 0.0])
    assert_close(array([1.0 + 100 * EPS, 60 * EPS]), expected)
    with pytest.raises(NotCloseError, match="1 of 2 elements are beyond"):
        assert_close(array([1.0, 70 * EPS]), expected)


def test_the_worst_and_the_first_element_are_named(device):
    actual = array([[1.0, 2.5, 3.0], [4.0, 5.0, 12.0]])
    with pytest.raises(NotCloseError) as error:
        assert_close(actual, array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert str(error.value).splitlines() == [
        "assert_close: 2 of 6 elements are beyond the tolerance for float32 "
        "(rtol 7.63e-06, atol 7.63e-06)",
        "  worst (1, 2): actual 12.0, expected 6.0, apart by 6, 1.26e+07 ulp",
        "  first (0, 1): actual 2.5, expected 2.0, apart by 0.5, 2.1e+06 ulp",
    ]


def test_a_higher_precision_has_a_smaller_tolerance_and_factor_widens_it():
    one, more = array(1.0, "float64"), array(1.0 + EPS, "float64")
    with pytest.raises(NotCloseError, match="for float64"):
        assert_close(more, one)
    assert_close(more, one, factor=EPS / 2**-52)
    assert_close(more, one, rtol=2 * EPS)
    assert_close(more, one, atol=2 * EPS)
    with pytest.raises(NotCloseError):
        assert_close(array(1.0 + 10 * EPS), array(1.0), rtol=0.0, atol=0.0)


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_integers_must_be_equal(dtype, device):
    assert_close(array([0, 1], dtype), array([0, 1], dtype))
    with pytest.raises(NotCloseError, match=rf"first \(1,\).*for {dtype}|for {dtype}"):
        assert_close(array([0, 1], dtype), array([0, 0], dtype))


def test_the_distance_of_the_outermost_integers_does_not_wrap_around():
    low, high = np.iinfo("int64").min, np.iinfo("int64").max
    with pytest.raises(NotCloseError, match=r"apart by 1\.84e\+19"):
        assert_close(np.array([low]), np.array([high]))


def test_nan_and_infinity_agree_with_themselves_alone(device):
    odd = array([float("nan"), float("inf"), -float("inf")])
    assert_close(odd, odd)
    with pytest.raises(NotCloseError, match="1 of 3"):
        assert_close(odd, odd, equal_nan=False)
    for i, other in enumerate([0.0, -float("inf"), float("nan")]):
        values = [float("nan"), float("inf"), -float("inf")]
        values[i] = other
        with pytest.raises(NotCloseError, match=rf"worst \({i},\)"):
            assert_close(array(values), odd)
        with pytest.raises(NotCloseError, match=rf"worst \({i},\)"):
            assert_close(odd, array(values), rtol=1e6)


def test_shape_dtype_and_device_must_be_equal():
    x = np.ones((2, 1), dtype="float32")
    with pytest.raises(NotCloseError, match=r"shapes must be equal, got \(2, 1\), expected \(1, 2"):
        assert_close(x, x.T)
    with pytest.raises(NotCloseError, match="dtypes must be equal, got float32, expected float64"):
        assert_close(x, x.astype("float64"))
    there = ig.to_device(x, "strict:device1")
    with pytest.raises(NotCloseError, match="devices must be equal, got cpu, expected strict:dev"):
        assert_close(x, there)
    assert_close(x, there, check_device=False)
    assert_close(x + np.float32(EPS), x.astype("float64"), check_dtype=False)


def test_nests_are_compared_leaf_by_leaf_and_the_path_is_told(device):
    state = {"weight": array([1.0]), "layers": [array([2.0]), None]}
    assert_close(state, {"layers": (array([2.0]), None), "weight": array([1.0])})
    with pytest.raises(NotCloseError, match=r"assert_close: \['layers'\]\[0\]: 1 of 1 elements"):
        assert_close(state, {"weight": array([1.0]), "layers": [array([3.0]), None]})
    with pytest.raises(NotCloseError, match=r"\['layers'\]: lengths must be equal, got 2, expect"):
        assert_close(state, {"weight": array([1.0]), "layers": []})
    with pytest.raises(NotCloseError, match=r"keys must be equal, got \['layers', 'weight'\]"):
        assert_close(state, {"weight": array([1.0])})
    with pytest.raises(NotCloseError, match=r"\[1\]: both must be arrays .*, got NoneType and "):
        assert_close([1.0, None], [1.0, 2.0])


def test_numbers_and_lists_take_the_dtype_and_device_of_the_array(device):
    x = ig.Tensor(array([1.0, 2.0], "float64"), requires_grad=True)
    assert_close(x * 2.0, [2.0, 4.0])
    assert_close([2.0, 4.0], x * 2.0)
    assert_close(0.5, 0.5)
    with pytest.raises(NotCloseError, match="for float64"):
        assert_close(x * 2.0, [2.0, 4.0 + 1e-9])


def test_bfloat16_is_compared_in_its_own_units():
    torch = pytest.importorskip("torch")
    one = torch.ones(2, dtype=torch.bfloat16)
    assert_close(one * 1.03, one)
    with pytest.raises(NotCloseError, match=r"for bfloat16.*\n.* 17 ulp"):
        assert_close(one + 17 * 2.0**-7, one)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_unit_in_the_last_place_is_numpys_spacing(dtype):
    tiny = float(np.finfo(dtype).smallest_subnormal)
    for x in (0.0, tiny, 5 * tiny, 0.75, 1.0, 3.0, float(np.finfo(dtype).max) / 4):
        assert spacing(x, dtype) == float(np.spacing(np.dtype(dtype).type(x)))


def test_check_gradients_is_the_one_of_isograd():
    assert check_gradients is ig.check_gradients


# -- the plugin


def example_files():
    """The files of the example in the docstring, by name."""
    text = testing.__doc__.split("\n\nThe device fixture")[0]
    parts = re.split(r"^    # (\S+\.py)$", text, flags=re.MULTILINE)[1:]
    return dict(zip(parts[::2], map(dedent, parts[1::2]), strict=True))


def test_the_example_of_the_docstring_runs_in_an_empty_folder(tmp_path):
    files = example_files()
    assert len("\n".join(files.values()).split("\n")) <= 25
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-rs", "-p", "no:cacheprovider"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    n_passed = int(re.search(r"(\d+) passed", run.stdout)[1])
    assert n_passed >= 6  # two tests, on cpu, strict and strict:device1
    assert n_passed == 10 or "is not installed" in run.stdout or "no GPU: " in run.stdout


def test_isograd_testing_does_not_load_pytest():
    code = "import sys, isograd.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.fixture
def run_tests(tmp_path):
    """A function that runs these tests with the plugin and gives (exit status, what it said)."""

    def run(text, *options):
        text = f"import isograd as ig, pytest\n{dedent(text)}"
        (tmp_path / "test_theirs.py").write_text(text, encoding="utf-8")
        words = ["-p", "isograd.testing", "-p", "no:cacheprovider", "--strict-markers", "-v"]
        command = [sys.executable, "-m", "pytest", *words, *options]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        return run.returncode, run.stdout + run.stderr

    return run


def test_the_option_chooses_devices_and_the_make_believe_accelerator_finds_mistakes(run_tests):
    status, said = run_tests(
        """
        from array_api_compat import array_namespace

        def test_there(device):
            assert ig.current_device() == device

        def test_shifted(device):
            x = ig.array([1.0, 2.0])
            x + array_namespace(x).ones(2, dtype=x.dtype)  # device=x.device is missing

        @pytest.mark.gpu
        def test_marked():
            pass
        """,
        *("--isograd-devices", "cpu, strict:device1,cuda", "-m", "not gpu"),
    )
    assert status == pytest.ExitCode.TESTS_FAILED
    assert re.findall(r"::(\S+ [A-Z]+) ", said) == [
        "test_there[cpu] PASSED",
        "test_there[strict:device1] PASSED",
        "test_shifted[cpu] PASSED",
        "test_shifted[strict:device1] FAILED",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("cpu,cudda", "--isograd-devices: no device is called 'cudda'"),
        ("strict:device9", "--isograd-devices: no device is called 'strict:device9'"),
        (" , ", "--isograd-devices: must name a device, e.g. cpu, got ' , '"),
    ],
)
def test_bad_words_are_refused(words, says):
    with pytest.raises(pytest.UsageError, match=re.escape(says)):
        testing._chosen(words)


def test_a_library_that_was_asked_for_must_be_installed(monkeypatch):
    (torch,) = (library for library in testing.libraries() if library.name == "torch")
    monkeypatch.setattr(torch, "is_installed", lambda: False)
    with pytest.raises(pytest.UsageError, match=r"torch is not installed.*pip install torch"):
        testing._chosen("torch:mps")
    assert testing._why_missing("torch") == "torch is not installed"


def test_a_missing_gpu_is_left_to_the_tests(monkeypatch):
    monkeypatch.setattr(testing, "find_device", unavailable)
    assert testing._chosen("cuda") == ("cuda",)


def unavailable(name):
    raise DeviceUnavailableError(f"{name} is not here")


class Item:
    """What pytest shows the plugin of a test."""

    def __init__(self, marker, device=None):
        self.marker = marker
        self.callspec = SimpleNamespace(params={} if device is None else {"device": device})

    def get_closest_marker(self, name):
        return self.marker if name == "gpu" else None


@pytest.mark.parametrize(("required", "raised"), [("0", pytest.skip), ("1", pytest.fail)])
@pytest.mark.parametrize(("device", "asked"), [(None, "cuda"), ("cpu", "cuda"), ("cuda:1",) * 2])
def test_a_missing_gpu_is_skipped_or_an_error(required, raised, device, asked, monkeypatch):
    monkeypatch.setattr(testing, "why_no_gpu", lambda name: f"no GPU: {name}")
    monkeypatch.setenv("ISOGRAD_REQUIRE_GPU", required)
    either = (pytest.skip.Exception, pytest.fail.Exception)  # a skip alone would skip this test
    with pytest.raises(either, match=f"no GPU: {asked}") as caught:
        testing.pytest_runtest_setup(Item("gpu", device))
    assert caught.type is raised.Exception
    testing.pytest_runtest_setup(Item(None, device))


def test_a_gpu_that_answers_runs_the_test(monkeypatch):
    monkeypatch.setattr(testing, "why_no_gpu", lambda name: "")
    testing.pytest_runtest_setup(Item("gpu"))
