"""A product of arrays as plans of cuBLASLt: found by shapes, strides and options, made once."""

from __future__ import annotations

from typing import NamedTuple

from ...backend import Array, dtype_name
from ...backend.errors import DtypeError, HyperparameterError, ShapeError
from . import cublaslt, gpu
from .cublaslt import CublasLt
from .matmul_layout import Arrangement, Shape, arranged, in_parts, result_shape
from .matmul_plan import Plan, Pointers, Product, plan_for
from .problem import FIRST_WITH_TF32

MOST_CALLS = 4096  # kept
ALIGNMENTS = 256  # bytes; more makes no difference to cuBLASLt
MASK_BITS = 128  # a row of relu's mask is a multiple of these
GELU_COLUMNS = 8  # and one of gelu's auxiliary array of these

EPILOGUES = {
    "none": 0,
    "relu": cublaslt.RELU,
    "gelu_tanh": cublaslt.GELU,
    "drelu": cublaslt.DRELU,
    "dgelu_tanh": cublaslt.DGELU,
    "sum_a": cublaslt.BIAS_GRADIENT_B,  # cuBLASLt's B is our a
    "sum_b": cublaslt.BIAS_GRADIENT_A,
}
FORWARD = ("none", "relu", "gelu_tanh")
SUMS = ("sum_a", "sum_b")

COMPUTE = {
    "highest": cublaslt.COMPUTE_FLOAT32,
    "high": cublaslt.COMPUTE_FAST_TF32,
    "medium": cublaslt.COMPUTE_FAST_BFLOAT16,
}


class Options(NamedTuple):
    """What a product is besides a and b: see matmul(). vector and aux: the shapes of its arrays."""

    transpose_a: bool = False
    transpose_b: bool = False
    epilogue: str = "none"
    precision: str = "highest"
    vector: Shape | None = None
    aux: Shape | None = None


class Call(NamedTuple):
    """The plans of a product in order, each with where its part of a, b and y begins, in bytes."""

    y_shape: Shape
    steps: tuple[tuple[Plan, int, int, int], ...]


def call_for(
    library: CublasLt, a: Array, b: Array, options: Options, pointers: Pointers, stream: int
) -> Call | None:
    """The call for arrays that lie like these; None where one of them has to be copied first.

    Raises ShapeError, DtypeError, HyperparameterError; CaptureError and NoAlgorithmError as in
    plan_for().
    """
    calls = library.caches.setdefault("calls", {})
    device_id = a.device.id
    at = _alignment(ALIGNMENTS, *pointers)
    key = (device_id, a.shape, a.strides, a.dtype, b.shape, b.strides, b.dtype, options, at)
    found = calls.get(key)
    if found is None:
        found = _made(library, a, b, options, pointers, stream, at)
        if found is not None:
            if len(calls) >= MOST_CALLS:
                calls.clear()
            calls[key] = found
    return found


def compute_type(dtype: str, precision: str, arch: int) -> int:
    """The cublasComputeType_t: float32 as the precision asks where the GPU can, else the dtype."""
    if dtype == "float64":
        return cublaslt.COMPUTE_FLOAT64
    if dtype != "float32" or arch < FIRST_WITH_TF32:
        return cublaslt.COMPUTE_FLOAT32
    return COMPUTE[precision]


def view(x: Array, transposed: bool) -> tuple[Shape, Shape]:
    """Shape and strides, in elements, of an array or its transpose."""
    shape, strides = x.shape, tuple(stride // x.itemsize for stride in x.strides)
    if not transposed:
        return shape, strides
    return (*shape[:-2], shape[-1], shape[-2]), (*strides[:-2], strides[-1], strides[-2])


def _made(
    library: CublasLt,
    a: Array,
    b: Array,
    options: Options,
    pointers: Pointers,
    stream: int,
    at: int,
) -> Call | None:
    """The call, with its plans made where they are new."""
    a_view, b_view = view(a, options.transpose_a), view(b, options.transpose_b)
    y_shape = _checked(a, b, a_view[0], b_view[0])
    arrangement = arranged(*a_view, *b_view)
    if arrangement is None:
        return None
    _check_epilogue(arrangement, options)
    dtype, size, device_id = dtype_name(a.dtype), a.itemsize, a.device.id
    compute = compute_type(dtype, options.precision, gpu.architecture(device_id))
    steps: list[tuple[Plan, int, int, int]] = []
    for part in in_parts(arrangement):
        places = [(a * size, b * size, y * size) for a, b, y in part.offsets]
        alignment = _alignment(at, *(place for triple in places for place in triple))
        product = _product(dtype, compute, part, options, alignment)
        plan = plan_for(library, device_id, product, pointers, stream)
        steps += [(plan, *triple) for triple in places]
    return Call(y_shape, tuple(steps))


def _product(
    dtype: str, compute: int, part: Arrangement, options: Options, alignment: int
) -> Product:
    """What the plan of a part of a call depends on."""
    epilogue, row = EPILOGUES[options.epilogue], 0
    if options.vector is not None and options.epilogue in FORWARD:
        epilogue |= cublaslt.BIAS
    if options.vector is not None and options.epilogue.startswith("d"):
        epilogue |= cublaslt.BIAS_GRADIENT
    if options.aux is not None:
        epilogue |= cublaslt.AUXILIARY
        row = options.aux[-1] * (8 if "relu" in options.epilogue else 1)
    return Product(
        dtype,
        compute,
        *(part.m, part.n, part.k, part.a, part.b, part.batch, part.strides),
        epilogue or cublaslt.PLAIN,
        row,
        alignment,
    )


def _checked(a: Array, b: Array, a_shape: Shape, b_shape: Shape) -> Shape:
    """The shape of a b. Raises DtypeError, or ShapeError where there is none or it is empty."""
    if a.dtype != b.dtype or dtype_name(a.dtype) not in cublaslt.DATA_TYPE:
        raise DtypeError(
            f"matmul: a and b must have one dtype among {', '.join(cublaslt.DATA_TYPE)}, got "
            f"{a.dtype} and {b.dtype}"
        )
    fits = len(a_shape) > 1 and len(b_shape) > 1 and 0 not in (*a_shape, *b_shape)
    y_shape = result_shape(a_shape, b_shape) if fits else None
    if y_shape is None:
        raise ShapeError(
            f"matmul: must be (..., m, k) and (..., k, n) without a zero, got {a_shape} and "
            f"{b_shape}"
        )
    return y_shape


def _check_epilogue(arrangement: Arrangement, options: Options) -> None:
    """Raises HyperparameterError for an unknown epilogue, ShapeError for arrays that do not fit."""
    word, m, n = options.epilogue, arrangement.m, arrangement.n
    if word not in EPILOGUES:
        raise HyperparameterError(
            f"matmul: epilogue must be one of {', '.join(EPILOGUES)}, got {word!r}"
        )
    n_vector = m if word == "sum_a" else n
    if options.vector is None:
        fits = word not in SUMS
    else:
        fits = options.vector == (n_vector,)
    if not fits:
        raise ShapeError(
            f"matmul: bias or sums must be ({n_vector},) with {word}, got {options.vector}"
        )
    _check_aux(word, options.aux, m, n)
    is_one = arrangement.batch == 1 and len(arrangement.offsets) == 1
    if not is_one and (options.aux is not None or word not in FORWARD):
        raise ShapeError(f"matmul: {word} with aux or sums takes one product, not a batch")


def _check_aux(word: str, aux: Shape | None, m: int, n: int) -> None:
    """Raises ShapeError unless the auxiliary array is what the epilogue writes or reads."""
    if aux is None:
        if word.startswith("d"):
            raise ShapeError(f"matmul: {word} must be given the aux that the forward pass wrote")
        return
    if word.endswith("relu"):
        expected: Shape = (m, mask_bytes(n))
        fits = aux == expected
    else:
        expected = (m, n)
        fits = word.endswith("gelu_tanh") and aux == expected and n % GELU_COLUMNS == 0
    if not fits:
        raise ShapeError(
            f"matmul: aux with {word} must be {expected}, columns of gelu_tanh a multiple of "
            f"{GELU_COLUMNS}, got {aux}"
        )


def mask_bytes(n: int) -> int:
    """The length of a row of relu's mask for n columns."""
    return -(-n // MASK_BITS) * MASK_BITS // 8


def _alignment(*addresses: int) -> int:
    """The largest power of two that divides all of them, at least one being nonzero."""
    together = 0
    for address in addresses:
        together |= address
    return together & -together
