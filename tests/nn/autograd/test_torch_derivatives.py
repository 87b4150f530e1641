"""First and second derivatives of composite functions beside numbers from torch 2.13."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend import array_namespace

POINT = [[0.5, -1.25, 2.0], [1.5, 0.75, -0.5]]
DIRECTION = [[1.0, -0.5, 0.25], [0.5, 2.0, -1.0]]
WEIGHTS = [[0.3, -0.2], [0.8, 0.5], [-0.6, 1.1]]


def array(values):
    return ig.array(values, dtype="float64")


def network(x):
    xp = array_namespace(x)
    h = xp.tanh(x @ array(WEIGHTS))
    return xp.sum(xp.log(xp.sum(xp.exp(h), axis=-1)) * xp.mean(h * h, axis=1))


def curve(x):
    xp = array_namespace(x)
    return xp.sum(xp.sqrt(x * x + 1.0) * xp.atan(x) / (2.0 + xp.sin(x)))


def normalized(x):
    xp = array_namespace(x)
    c = (x - xp.mean(x, axis=-1, keepdims=True)) / xp.sqrt(xp.var(x, axis=-1, keepdims=True) + 1e-3)
    return xp.sum(c**3.0 * xp.cumulative_sum(x, axis=0))


def powers(x):
    xp = array_namespace(x)
    a = xp.abs(x) + 0.5
    return xp.sum(a ** xp.reshape(x.T, (2, 3))) + xp.prod(a)


def picks(x):
    xp = array_namespace(x)
    s = xp.sort(x, axis=1)
    picked = xp.clip(x, -1.0, 1.6) * xp.where(x > 0.0, x, x**2.0)
    return xp.sum(xp.exp(s[:, :2] * s[:, 1:])) + xp.max(x) * xp.sum(picked)


# value, gradient and Hessian times DIRECTION at POINT, float64, computed once with torch 2.13
TORCH = {
    network: (
        1.4452671082574318,
        [
            [-0.08134768735546277, 0.11455481359718336, 0.3872476836608213],
            [0.15835536169007236, 0.09797767140060118, -0.5364000509682553],
        ],
        [
            [-0.008771307804051744, 0.06616715245808137, 0.07821046846767143],
            [-0.2522887984299199, -0.8622126292191918, 0.3762455806815329],
        ],
    ),
    curve: (
        0.2453828159254352,
        [
            [0.3703682174390591, 1.6695640707628616, 0.6158176428516661],
            [0.4439115757449938, 0.3604607238559404, 0.9213296551651415],
        ],
        [
            [-0.087949647561809, -0.01132014557775804, 0.11904351983335534],
            [0.11585283137278718, 0.004806541518437166, 1.1741651872862795],
        ],
    ),
    normalized: (
        5.198529429426305,
        [
            [0.43819453202750147, -1.5397073888978983, -0.06231500006343593],
            [5.1202992387983635, -5.996265658700266, -0.006486727444378282],
        ],
        [
            [-3.9248960673209488, -1.2333712781417674, -4.027728188036358],
            [-3.9252863140210676, 10.337354565028274, -13.14832351908288],
        ],
    ),
    powers: (
        18.814933519195765,
        [
            [11.4375, -7.942833804058422, 4.564607653175043],
            [7.39495099048505, 12.415729958752154, -10.4375],
        ],
        [
            [37.140625, -26.325801954319502, 21.77395360887933],
            [25.89271183586443, 29.769532162870902, -34.140625],
        ],
    ),
    picks: (
        16.171049384687038,
        [
            [6.7674868712693526, 5.267630714259495, 9.134140914229523],
            [8.310162636688524, 7.27668063398156, 2.0154669590932293],
        ],
        [
            [17.218252692279314, 2.7588153571297473, 9.906456271196781],
            [16.70723259665983, 25.422795062257673, 6.660011379168793],
        ],
    ),
}


@pytest.mark.parametrize("f", TORCH, ids=lambda f: f.__name__)
def test_first_and_second_derivatives_are_those_of_torch(device, f):
    value, gradient, hessian_times_direction = TORCH[f]
    y, dx = ig.value_and_grad(f)(array(POINT))
    assert float(y) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(ig.to_numpy(dx), gradient, rtol=1e-12, atol=1e-14)
    (hv,) = ig.hvp(f, (array(POINT),), (array(DIRECTION),))
    np.testing.assert_allclose(ig.to_numpy(hv), hessian_times_direction, rtol=1e-10, atol=1e-12)
