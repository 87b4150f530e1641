"""Parts of complex numbers, and the convention of their derivatives.

A rule is the plain transpose of the derivative, under the pairing Re(sum of dy * dx): nothing is
conjugated, so that the rule of a holomorphic function is the one for real numbers. On this inside a
real function L of z = a + ib has the cotangent dL/da - i dL/db. backward(), grad and vjp show the
conjugate, dL/da + i dL/db, the direction of steepest ascent (as torch); they take cotangents in the
same form. A real input of a complex result gets the real part.
"""

from __future__ import annotations

from .standard import UnaryOp, standard

real: UnaryOp = standard("real", "x", kind=UnaryOp)
real.derivative.add({"x": lambda dy: dy})

imag: UnaryOp = standard("imag", "x", kind=UnaryOp)
imag.derivative.add({"x": lambda dy: dy * -1j})  # dy first: NumPy scalars are floats too

conj: UnaryOp = standard("conj", "x", kind=UnaryOp)
conj.derivative.add({"x": lambda dy: conj(dy)})


real.view = imag.view = conj.view = True  # NumPy returns real numbers, and parts, as they lie
