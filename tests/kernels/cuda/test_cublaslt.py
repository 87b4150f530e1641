"""The cuBLASLt binding: descriptors by the real library, products by its emulation in NumPy."""

import ctypes
import os
from pathlib import Path

import numpy as np
import pytest
from emulated_cublaslt import check, operands

from isograd.backend.errors import (
    CaptureError,
    DeviceUnavailableError,
    DtypeError,
    HyperparameterError,
    KernelError,
    ShapeError,
)
from isograd.kernels.cuda import cublaslt
from isograd.kernels.cuda.cublaslt import CublasLt, CublasLtError, Descriptor, matrix_layout
from isograd.kernels.cuda.cublaslt_matmul import matmul
from isograd.kernels.cuda.matmul_plan import MOST_STREAMS, NoAlgorithmError
from isograd.kernels.precision import matmul_precision


@pytest.fixture
def lt(real_cublaslt):
    """The real library, without what needs a GPU."""
    return CublasLt(real_cublaslt)


# -- descriptors, by the real library --------------------------------------------------------------


def test_an_operation_keeps_what_it_was_told(lt):
    operation = Descriptor(lt, "MatmulDesc", cublaslt.COMPUTE_FAST_TF32, 0)
    operation.set(cublaslt.TRANSPOSE_A, ctypes.c_int32(cublaslt.TRANSPOSED))
    operation.set(cublaslt.EPILOGUE, ctypes.c_uint32(cublaslt.GELU | cublaslt.BIAS))
    operation.set(cublaslt.BIAS_POINTER, ctypes.c_void_p(4096))
    assert operation.get(0, ctypes.c_int32) == 77  # CUBLAS_COMPUTE_32F_FAST_TF32
    assert operation.get(cublaslt.TRANSPOSE_A, ctypes.c_int32) == 1
    assert operation.get(cublaslt.TRANSPOSE_B, ctypes.c_int32) == 0
    assert operation.get(cublaslt.EPILOGUE, ctypes.c_uint32) == 36  # CUBLASLT_EPILOGUE_GELU_BIAS
    assert operation.get(cublaslt.BIAS_POINTER, ctypes.c_void_p) == 4096


def test_a_layout_keeps_sizes_type_and_batch(lt):
    layout = matrix_layout(lt, "bfloat16", 5, 7, 8, batch=3, batch_stride=64)
    numbers = (ctypes.c_uint32, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_int64, ctypes.c_int32)
    attributes = (
        cublaslt.LAYOUT_TYPE,
        cublaslt.LAYOUT_ROWS,
        cublaslt.LAYOUT_COLUMNS,
        cublaslt.LAYOUT_LEADING_DIMENSION,
        cublaslt.LAYOUT_BATCH_COUNT,
    )
    found = [layout.get(*pair) for pair in zip(attributes, numbers, strict=True)]
    assert found == [14, 5, 7, 8, 3]
    assert layout.get(cublaslt.LAYOUT_BATCH_STRIDE, ctypes.c_int64) == 64


def test_the_result_of_a_query_is_as_large_as_the_librarys():
    # cublasLtMatmulHeuristicResult_t: 64 bytes of algorithm, size_t, int, float, int[4]
    assert ctypes.sizeof(cublaslt.Heuristic) == 64 + 8 + 4 + 4 + 16


def test_a_failed_call_is_named_with_its_status(lt):
    operation = Descriptor(lt, "MatmulDesc", cublaslt.COMPUTE_FLOAT32, 0)
    with pytest.raises(CublasLtError, match=r"SetAttribute returned CUBLAS_STATUS_INVALID_VALUE"):
        operation.set(999, ctypes.c_int32(0))


def test_descriptors_are_destroyed_with_what_holds_them(real_cublaslt):
    destroyed = []

    class Watching:
        def __getattr__(self, name):
            return getattr(real_cublaslt, name)

        def cublasLtMatmulDescDestroy(self, pointer):
            destroyed.append(pointer.value)
            return real_cublaslt.cublasLtMatmulDescDestroy(pointer)

    operation = Descriptor(CublasLt(Watching()), "MatmulDesc", cublaslt.COMPUTE_FLOAT32, 0)
    address = operation.pointer.value
    del operation
    assert destroyed == [address]


def test_a_library_that_is_missing_is_named_with_its_remedy():
    with pytest.raises(DeviceUnavailableError, match=r"libcublasLt|cublasLt64") as raised:
        cublaslt.load(7)
    assert 'pip install "isograd[cuda7]"' in str(raised.value)


def test_what_is_loaded_comes_first_then_wheels_then_the_system(monkeypatch, tmp_path):
    asked = []

    def none_is_there(place, mode):
        asked.append((place, mode == cublaslt.IF_LOADED))
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", none_is_there)
    monkeypatch.setattr(cublaslt, "_wheels", lambda major: [tmp_path])
    monkeypatch.setenv("CUDA_PATH", "/toolkit")
    with pytest.raises(DeviceUnavailableError):
        cublaslt.load(13)
    name = os.path.basename(asked[0][0])
    places = [str(tmp_path / name), name, str(Path("/toolkit", "lib64", name))]
    assert asked == [(name, True), *((place, False) for place in places)]


# -- plans -----------------------------------------------------------------------------------------


def n_plans(emulated_cublaslt):
    return emulated_cublaslt.calls.count("cublasLtMatmulAlgoGetHeuristic")


def test_a_plan_is_made_once_and_serves_other_arrays_that_lie_alike(host_cupy, emulated_cublaslt):
    bias = host_cupy.array(np.zeros(7, np.float32))
    for number in range(3):
        a, b = operands(host_cupy)
        bias = host_cupy.array(np.full(7, number, np.float32))
        y = matmul(a, b, bias=bias, epilogue="relu")
        check(
            host_cupy, y, np.maximum(host_cupy.view(a).astype("f8") @ host_cupy.view(b) + number, 0)
        )
    assert emulated_cublaslt.calls.count("cublasLtCreate") == 1
    assert n_plans(emulated_cublaslt) == 1


@pytest.mark.parametrize("what", ["size", "dtype", "layout", "epilogue", "alignment", "precision"])
def test_a_plan_is_not_shared_by_what_differs_in(host_cupy, emulated_cublaslt, what):
    a, b = operands(host_cupy, 8, 8, 8)
    matmul(a, b)
    if what == "size":
        matmul(a[:7], b)
    elif what == "dtype":
        matmul(*operands(host_cupy, 8, 8, 8, dtype="float64"))
    elif what == "layout":
        matmul(a, b, transpose_a=True)
    elif what == "epilogue":
        matmul(a, b, epilogue="relu")
    elif what == "alignment":
        matmul(operands(host_cupy, 9, 8, 8)[0][1:], b)
    elif what == "precision":
        matmul(a, b, precision="high")
    assert n_plans(emulated_cublaslt) == 2


def test_a_query_states_alignment_workspace_and_how_partial_sums_are_added(
    host_cupy, emulated_cublaslt
):
    a, b = operands(host_cupy, 8, 8, 9)
    matmul(a[1:], b)  # rows of 36 bytes: the first address is a multiple of 4 only
    assert emulated_cublaslt.preferences == [
        {"workspace": 32 << 20, "reduction": 2, "alignment": 4}
    ]


def test_where_the_parts_of_a_product_begin_counts_for_its_alignment(host_cupy, emulated_cublaslt):
    a, b = host_cupy.array(np.ones((2, 1, 5, 5), "f4")), host_cupy.array(np.ones((3, 5, 8), "f4"))
    matmul(a, b)  # the second matrix of a begins 100 bytes behind the first
    assert emulated_cublaslt.preferences[0]["alignment"] == 4


@pytest.mark.parametrize(
    ("word", "dtype", "expected"),
    [
        ("highest", "float32", 68),
        ("high", "float32", 77),
        ("medium", "float32", 75),
        ("medium", "float16", 68),
        ("medium", "float64", 70),
    ],
)
def test_the_precision_in_force_is_that_of_float32_products(
    host_cupy, emulated_cublaslt, word, dtype, expected
):
    with matmul_precision(word):
        matmul(*operands(host_cupy, dtype=dtype))
    assert emulated_cublaslt.compute_types == [expected]


def test_products_of_a_stream_share_one_workspace(host_cupy, emulated_cublaslt):
    emulated_cublaslt.workspace_bytes = 1000
    a, b = operands(host_cupy)
    matmul(a, b)
    matmul(a, b, epilogue="relu")
    (first, n_bytes), second = emulated_cublaslt.workspaces
    assert first is not None
    assert n_bytes == 1000
    assert second == (first, n_bytes)


def test_streams_come_and_go_without_keeping_their_workspaces(
    host_cupy, emulated_cublaslt, monkeypatch
):
    emulated_cublaslt.workspace_bytes = 1000
    a, b = operands(host_cupy)
    for number in range(1, 2 * MOST_STREAMS):
        stream = type("Stream", (), {"ptr": number})
        monkeypatch.setattr(host_cupy.cupy.cuda, "get_current_stream", stream)
        matmul(a, b)
    assert emulated_cublaslt.streams[-1] == 2 * MOST_STREAMS - 1
    assert len(cublaslt.library().caches["workspaces"]) == MOST_STREAMS


def test_a_product_that_needs_no_workspace_gets_none(host_cupy, emulated_cublaslt):
    matmul(*operands(host_cupy))
    assert emulated_cublaslt.workspaces == [(None, 0)]


# -- what is refused -------------------------------------------------------------------------------


@pytest.fixture
def capturing(host_cupy, monkeypatch):
    """The current stream, 7, is being captured."""
    stream = type("Stream", (), {"ptr": 7})
    monkeypatch.setattr(host_cupy.cupy.cuda, "get_current_stream", stream)
    runtime = host_cupy.cupy.cuda.runtime
    return lambda: monkeypatch.setattr(runtime, "streamIsCapturing", lambda address: True)


def test_a_new_product_in_a_capture_is_refused_with_the_remedy(
    host_cupy, emulated_cublaslt, capturing
):
    a, b = operands(host_cupy)
    capturing()
    with pytest.raises(CaptureError, match="run the step once before, with the same shapes"):
        matmul(a, b)


def test_a_product_that_was_run_before_can_be_captured(host_cupy, emulated_cublaslt, capturing):
    emulated_cublaslt.workspace_bytes = 1000
    a, b = operands(host_cupy)
    matmul(a, b)
    capturing()
    matmul(a, b)
    assert emulated_cublaslt.streams == [7, 7]
    (eager, _), (captured, _) = emulated_cublaslt.workspaces
    assert captured != eager  # a graph may run beside the stream that it was captured on


@pytest.mark.parametrize("status", cublaslt.DECLINED)
def test_what_cublaslt_does_not_serve_is_an_error_that_can_be_caught(
    host_cupy, emulated_cublaslt, status
):
    emulated_cublaslt.served, emulated_cublaslt.declined = {cublaslt.PLAIN}, status
    a, b = operands(host_cupy)
    matmul(a, b)
    words = rf"no algorithm here \({cublaslt.STATUS[status]}\) for Product"
    with pytest.raises(NoAlgorithmError, match=words):
        matmul(a, b, epilogue="relu")


def test_a_query_that_fails_otherwise_is_another_error(host_cupy, emulated_cublaslt):
    emulated_cublaslt.served, emulated_cublaslt.declined = set(), 14
    with pytest.raises(cublaslt.CublasLtError, match="GetHeuristic returned CUBLAS_STATUS_INTER"):
        matmul(*operands(host_cupy))


def test_a_product_that_fails_is_named_with_status_and_product(host_cupy, emulated_cublaslt):
    emulated_cublaslt.cublasLtMatmul = lambda *arguments: 13
    with pytest.raises(KernelError, match=r"CUBLAS_STATUS_EXECUTION_FAILED \(13\) for Product"):
        matmul(*operands(host_cupy))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"transpose_a": True}, ShapeError, r"\(\.\.\., m, k\) and \(\.\.\., k, n\)"),
        ({"bias": (5,)}, ShapeError, r"bias or sums must be \(7,\)"),
        ({"out": (7, 5)}, ShapeError, r"out must be \(5, 7\)"),
        ({"epilogue": "silu"}, HyperparameterError, "must be one of none, relu"),
        ({"epilogue": "drelu"}, ShapeError, "must be given the aux"),
        ({"epilogue": "gelu_tanh", "aux": (5, 7)}, ShapeError, "a multiple of 8"),
        ({"epilogue": "sum_a"}, ShapeError, r"must be \(5,\)"),
    ],
)
def test_what_does_not_fit_is_named(host_cupy, emulated_cublaslt, options, error, words):
    made = {
        name: host_cupy.array(np.zeros(value, np.float32)) if isinstance(value, tuple) else value
        for name, value in options.items()
    }
    with pytest.raises(error, match=words):
        matmul(*operands(host_cupy), **made)


def test_two_dtypes_are_refused(host_cupy, emulated_cublaslt):
    a, _ = operands(host_cupy)
    _, b = operands(host_cupy, dtype="float64")
    with pytest.raises(DtypeError, match="one dtype among float32, float64, float16, bfloat16"):
        matmul(a, b)
