"""scipy.special: the functions that SciPy hands to xp.special, and its generic ones."""

from __future__ import annotations

import numpy as np

from .case import KINKED, Input, case, cases

REAL = Input((5,))
POSITIVE = Input((5,), 0.3, 3.0)
UNIT = Input((5,), 0.05, 0.95)
MATRIX = Input((3, 4))
COUNTS = np.asarray([1.0, 2.0, 3.0, 2.0, 1.0])
ONES = np.asarray([0.5, 1.0, 1.5, 2.0, 2.5])

CASES = [
    *cases("scipy.special", "logsumexp softmax log_softmax", MATRIX, axis=1),
    *cases("scipy.special", "erf erfc erfcx expit ndtr log_ndtr", REAL),
    *cases("scipy.special", "i0 i0e i1 i1e j0 j1", REAL),
    *cases("scipy.special", "k0 k0e k1 k1e y0 y1", POSITIVE),
    *cases("scipy.special", "erfinv logit ndtri ellipk ellipkm1", UNIT),
    *cases("scipy.special", "entr exp1 expi gamma gammaln loggamma psi rgamma zetac", POSITIVE),
    *cases("scipy.special", "cbrt exp10 exp2 exprel cosm1 sinc spence", POSITIVE),
    *cases("scipy.special", "cosdg sindg tandg cotdg", POSITIVE),
    *cases("scipy.special", "rel_entr kl_div xlogy betaln binom poch", POSITIVE, POSITIVE),
    *cases("scipy.special", "xlog1py boxcox1p inv_boxcox1p", POSITIVE, UNIT),
    *cases("scipy.special", "boxcox inv_boxcox pseudo_huber", POSITIVE, POSITIVE),
    case("scipy.special.huber", np.asarray(1.0), Input((5,), -3.0, 3.0), order=KINKED),
    *cases("scipy.special", "gammainc gammaincc", COUNTS, POSITIVE),
    *cases("scipy.special", "gammaincinv gammainccinv", COUNTS, UNIT),
    *cases("scipy.special", "chdtr chdtrc", COUNTS, POSITIVE),
    case("scipy.special.chdtri", COUNTS, UNIT),
    *cases("scipy.special", "betainc betaincc betaincinv", COUNTS, ONES, UNIT),
    case("scipy.special.stdtr", COUNTS, REAL),
    case("scipy.special.stdtrit", COUNTS, UNIT),
    *cases("scipy.special", "fdtr fdtrc", COUNTS, ONES, POSITIVE),
    case("scipy.special.fdtri", COUNTS, ONES, UNIT),
    *cases("scipy.special", "gdtr gdtrc", COUNTS, ONES, POSITIVE),
    case("scipy.special.radian", POSITIVE, POSITIVE, POSITIVE),
    case("scipy.special.polygamma", np.asarray([1, 1, 2, 2, 3]), POSITIVE),
    case("scipy.special.multigammaln", Input((5,), 2.0, 4.0), call=lambda f, x: f(x, 2)),
    case("scipy.special.zeta", Input((5,), 1.5, 4.0), ONES),
    case("scipy.special.expn", np.asarray([1, 2, 3, 4, 5]), POSITIVE),
    case("scipy.special.hyp1f1", ONES, COUNTS, POSITIVE),
    case("scipy.special.gammasgn", REAL),
    *cases("scipy.special", "bdtr bdtrc", np.asarray([1.0] * 5), np.asarray([4] * 5), UNIT),
    *cases("scipy.special", "pdtr pdtrc", np.asarray([2.0] * 5), POSITIVE),
    *cases("scipy.special", "nbdtr nbdtrc", np.asarray([2] * 5), np.asarray([4] * 5), UNIT),
]
