"""Every kernel compiles for every architecture, within its budget of registers."""

import re

import pytest
from needs import skip_because
from nvrtc import (
    Budget,
    Usage,
    compilations,
    compile_text,
    nvrtc,
    ptx_of,
    read_budgets,
    sources,
    usages,
    why_no_nvrtc,
)

from isograd.kernels.cuda.adam import ADAM
from isograd.kernels.cuda.rmsprop import RMSPROP
from isograd.kernels.cuda.sgd import SGD
from isograd.kernels.cuda.source import FOLDER


@pytest.fixture(autouse=True)
def _nvrtc():
    skip_because(why_no_nvrtc())


@pytest.mark.parametrize("compilation", compilations(), ids=str)
def test_a_text_compiles_without_warnings_and_within_its_budgets(compilation):
    used, log = compilation.run()
    assert "warning" not in log, log
    assert used
    version, budgets = read_budgets()
    same_version = version == nvrtc().version()
    for name, usage in used.items():
        budget = budgets.get(name, {}).get(compilation.dtype or "-", Budget())
        more = budget.exceeded_by(usage, compilation.architecture, same_version)
        assert not more, f"{name}: {more}; nvrtc.py --write sets it"


@pytest.mark.parametrize("source", [ADAM, RMSPROP, SGD], ids=lambda source: source.file)
def test_optimizers_take_no_small_number_for_zero(source):
    """-ftz=true does so in -x and x < 0 as well; only settings may be compared with zero."""
    flushing = set(re.findall(r"\S+\.ftz\S*", ptx_of(source, "float32")))
    assert flushing <= {"setp.eq.ftz.f32", "setp.neu.ftz.f32"}


def test_every_text_has_a_source_and_every_budget_a_kernel():
    assert {path.name for path in FOLDER.glob("*.cu")} == {source.file for source in sources()}
    names = {name for source in sources() for name in source.kernel_names}
    assert names == set(read_budgets()[1])


def test_a_budget_is_exceeded_by_a_register_and_by_a_spill_where_none_was():
    budget = Budget(40, {"75": 8})
    assert budget.exceeded_by(Usage(40, 8), "75") == ""
    assert budget.exceeded_by(Usage(41, 0), "90") == "41 registers, the budget is 40"
    assert budget.exceeded_by(Usage(40, 8), "90") == "8 bytes spilled, the budget is 0"
    assert budget.exceeded_by(Usage(44, 8), "90", same_version=False) == ""


def test_registers_and_spills_are_read_from_the_log_of_ptxas():
    text = 'extern "C" __global__ void fill(float* y) { y[threadIdx.x] = 1.0f; }'
    (usage,) = usages(compile_text(text, (), "90")).values()
    assert 2 <= usage.registers <= 32
    assert usage.spilled == 0
    log = "'f' for 'sm_90'\n 8 bytes spill stores, 16 bytes spill loads\nUsed 255 registers"
    (spilling,) = usages(f"ptxas info : Compiling entry function {log}").values()
    assert (spilling.registers, spilling.spilled) == (255, 16)


def test_a_text_that_does_not_compile_shows_the_log():
    with pytest.raises(ValueError, match='identifier "nothing" is undefined'):
        compile_text('extern "C" __global__ void f(float* y) { y[0] = nothing; }', (), "80")


def test_too_much_static_shared_memory_is_refused():
    text = """
        extern "C" __global__ void f(float* y) {
          __shared__ float a[20000];
          a[threadIdx.x] = y[threadIdx.x];
          __syncthreads();
          y[threadIdx.x] = a[threadIdx.x * 7];
        }
    """
    with pytest.raises(ValueError, match="80000 bytes smem"):
        compile_text(text, (), "90")
