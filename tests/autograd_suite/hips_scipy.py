"""autograd.scipy: SciPy's ufuncs record on Tensors; densities are written out."""

from __future__ import annotations

import types
from collections.abc import Callable
from typing import Any

import hips_special as own
import numpy as np
import scipy.special
import scipy.stats
from hips_misc import with_missing
from hips_numpy import module as numpy_like

gammaln, xlogy = scipy.special.gammaln, scipy.special.xlogy
LOG_2_PI = float(np.log(2.0 * np.pi))

# -- logarithms of densities, as functions of the standardized variable where there is one ------


def norm_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return -0.5 * ((x - loc) / scale) ** 2 - np.log(scale) - 0.5 * LOG_2_PI


def t_logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return np.log(own.t_density(df, (x - loc) / scale)) - np.log(scale)


def gamma_logpdf(x: Any, a: Any) -> Any:
    return (a - 1.0) * np.log(x) - x - gammaln(a)


def chi2_logpdf(x: Any, df: Any) -> Any:
    return gamma_logpdf(0.5 * x, 0.5 * df) - np.log(2.0)


def beta_logpdf(x: Any, a: Any, b: Any) -> Any:
    return (a - 1.0) * np.log(x) + (b - 1.0) * np.log1p(-x) - own.betaln(a, b)


def poisson_logpmf(k: Any, mu: Any) -> Any:
    return k * np.log(mu) - mu - gammaln(k + 1.0)


def dirichlet_logpdf(x: Any, alpha: Any) -> Any:
    norm = gammaln(np.sum(alpha)) - np.sum(gammaln(alpha))
    return norm + np.sum((alpha - 1.0) * np.log(x))


def mvn_logpdf(x: Any, mean: Any, cov: Any, allow_singular: bool = False) -> Any:
    if allow_singular:
        raise NotImplementedError("multivariate_normal: singular covariances are not written out")
    _, logdet = np.linalg.slogdet(cov)
    deviation = x - mean
    whitened = np.matmul(deviation, np.linalg.inv(cov))
    return -0.5 * (np.sum(whitened * deviation, axis=-1) + logdet + cov.shape[0] * LOG_2_PI)


def mvn_entropy(mean: Any, cov: Any) -> Any:
    _, logdet = np.linalg.slogdet(cov)
    return 0.5 * (cov.shape[0] * (1.0 + LOG_2_PI) + logdet) + 0.0 * np.sum(mean)


def _exp_of(logarithm: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args, **kwargs: np.exp(logarithm(*args, **kwargs))


def norm_cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return scipy.special.ndtr((x - loc) / scale)


def norm_logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return scipy.special.log_ndtr((x - loc) / scale)


def t_cdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Any:
    return own.stdtr(df, (x - loc) / scale)


DISTRIBUTIONS: dict[str, dict[str, Callable[..., Any]]] = {
    "norm": {
        "logpdf": norm_logpdf,
        "pdf": _exp_of(norm_logpdf),
        "cdf": norm_cdf,
        "logcdf": norm_logcdf,
        "sf": lambda x, loc=0.0, scale=1.0: norm_cdf(-x, -loc, scale),
        "logsf": lambda x, loc=0.0, scale=1.0: norm_logcdf(-x, -loc, scale),
    },
    "t": {
        "logpdf": t_logpdf,
        "pdf": _exp_of(t_logpdf),
        "cdf": t_cdf,
        "logcdf": lambda *args: np.log(t_cdf(*args)),
    },
    "gamma": {
        "logpdf": gamma_logpdf,
        "pdf": _exp_of(gamma_logpdf),
        "cdf": lambda x, a: own.gammainc(a, x),
    },
    "chi2": {
        "logpdf": chi2_logpdf,
        "pdf": _exp_of(chi2_logpdf),
        "cdf": lambda x, df: own.gammainc(0.5 * df, 0.5 * x),
    },
    "beta": {
        "logpdf": beta_logpdf,
        "pdf": _exp_of(beta_logpdf),
        "cdf": lambda x, a, b: own.betainc(a, b, x),
    },
    "poisson": {
        "logpmf": poisson_logpmf,
        "pmf": _exp_of(poisson_logpmf),
        "cdf": own.pdtr,
    },
    "dirichlet": {"logpdf": dirichlet_logpdf, "pdf": _exp_of(dirichlet_logpdf)},
    "multivariate_normal": {
        "logpdf": mvn_logpdf,
        "pdf": _exp_of(mvn_logpdf),
        "entropy": mvn_entropy,
    },
}

# -- modules ------------------------------------------------------------------------------------


def _distribution(name: str, functions: dict[str, Callable[..., Any]]) -> types.ModuleType:
    made = numpy_like(f"autograd.scipy.stats.{name}", getattr(scipy.stats, name))
    vars(made).update(functions)
    return made


def modules() -> dict[str, types.ModuleType]:
    """autograd.scipy and what is in it, by full names."""
    special = numpy_like("autograd.scipy.special", scipy.special, **own.FUNCTIONS)
    return {
        "autograd.scipy": with_missing("autograd.scipy", __path__=[]),
        "autograd.scipy.special": special,
        "autograd.scipy.stats": with_missing("autograd.scipy.stats", __path__=[]),
        "autograd.scipy.signal": with_missing("autograd.scipy.signal", "convolve"),
        "autograd.scipy.integrate": with_missing("autograd.scipy.integrate", "odeint"),
        "autograd.scipy.linalg": with_missing(
            "autograd.scipy.linalg", "sqrtm", "solve_sylvester", "solve_banded"
        ),
        **{
            f"autograd.scipy.stats.{name}": _distribution(name, functions)
            for name, functions in DISTRIBUTIONS.items()
        },
    }
