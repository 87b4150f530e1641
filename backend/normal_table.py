"""The constants of Wichura's AS 241 in each dtype; see normal.py."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np

Coefficients = tuple[float, ...]  # of a polynomial, highest power first


@dataclass(frozen=True)
class NormalTable:
    """The constants of one dtype, for so many bits a number.

    Polynomials in centre_square - q**2 at the centre, in sqrt(-log r) - near_root in the tail and
    in sqrt(-log r) - far_root below r = exp(-25). 32 bits do not reach so far: theirs are empty.
    """

    bits: int
    dtype: str
    centre_numerator: Coefficients
    centre_denominator: Coefficients
    near_numerator: Coefficients
    near_denominator: Coefficients
    far_numerator: Coefficients
    far_denominator: Coefficients
    log_series: Coefficients
    centre_square: float = 0.180625  # 0.425**2
    near_root: float = 1.6
    far_root: float = 5.0
    root_half: float = 0.7071067811865476
    half_log_2: float = 0.34657359027997264
    log_2: float = 0.6931471805599453

    @property
    def magnitude(self) -> int:
        """The mask of all bits but the sign."""
        return 2 ** (self.bits - 1) - 1

    @property
    def split(self) -> int:
        """The largest magnitude that belongs to the centre, where q is up to 0.425."""
        return int(0.425 * 2**self.bits)


def _rounded(table: NormalTable) -> NormalTable:
    """The table with its constants rounded to its dtype, so that no library does it its own way."""
    kind = np.dtype(table.dtype).type
    changes: dict[str, object] = {}
    for field in fields(table):
        value = getattr(table, field.name)
        if isinstance(value, float):
            changes[field.name] = float(kind(value))
        elif isinstance(value, tuple):
            changes[field.name] = tuple(float(kind(x)) for x in value)
    return replace(table, **changes)  # type: ignore[arg-type]


SINGLE = _rounded(
    NormalTable(
        bits=32,
        dtype="float32",
        centre_numerator=(5.9109374720e1, 1.5929113202e2, 5.0434271938e1, 3.3871327179e0),
        centre_denominator=(6.7187563600e1, 7.8757757664e1, 1.7895169469e1, 1.0),
        near_numerator=(1.7023821103e-1, 1.3067284816e0, 2.7568153900e0, 1.4234372777e0),
        near_denominator=(1.2021132975e-1, 7.3700164250e-1, 1.0),
        far_numerator=(),
        far_denominator=(),
        log_series=(0.24279078841, 0.28498786688, 0.40000972152, 0.66666662693, 2.0),
    )
)

DOUBLE = _rounded(
    NormalTable(
        bits=64,
        dtype="float64",
        centre_numerator=(
            2.5090809287301226727e3,
            3.3430575583588128105e4,
            6.7265770927008700853e4,
            4.5921953931549871457e4,
            1.3731693765509461125e4,
            1.9715909503065514427e3,
            1.3314166789178437745e2,
            3.3871328727963666080e0,
        ),
        centre_denominator=(
            5.2264952788528545610e3,
            2.8729085735721942674e4,
            3.9307895800092710610e4,
            2.1213794301586595867e4,
            5.3941960214247511077e3,
            6.8718700749205790830e2,
            4.2313330701600911252e1,
            1.0,
        ),
        near_numerator=(
            7.74545014278341407640e-4,
            2.27238449892691845833e-2,
            2.41780725177450611770e-1,
            1.27045825245236838258e0,
            3.64784832476320460504e0,
            5.76949722146069140550e0,
            4.63033784615654529590e0,
            1.42343711074968357734e0,
        ),
        near_denominator=(
            1.05075007164441684324e-9,
            5.47593808499534494600e-4,
            1.51986665636164571966e-2,
            1.48103976427480074590e-1,
            6.89767334985100004550e-1,
            1.67638483018380384940e0,
            2.05319162663775882187e0,
            1.0,
        ),
        far_numerator=(
            2.01033439929228813265e-7,
            2.71155556874348757815e-5,
            1.24266094738807843860e-3,
            2.65321895265761230930e-2,
            2.96560571828504891230e-1,
            1.78482653991729133580e0,
            5.46378491116411436990e0,
            6.65790464350110377720e0,
        ),
        far_denominator=(
            2.04426310338993978564e-15,
            1.42151175831644588870e-7,
            1.84631831751005468180e-5,
            7.86869131145613259100e-4,
            1.48753612908506148525e-2,
            1.36929880922735805310e-1,
            5.99832206555887937690e-1,
            1.0,
        ),
        # fdlibm's Lg7 ... Lg1
        log_series=(
            1.479819860511658591e-1,
            1.531383769920937332e-1,
            1.818357216161805012e-1,
            2.222219843214978396e-1,
            2.857142874366239149e-1,
            3.999999999940941908e-1,
            6.666666666666735130e-1,
            2.0,
        ),
    )
)
