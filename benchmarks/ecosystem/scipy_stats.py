"""scipy.stats: moments, scores, averages, and statistics with the p-values of tests."""

from __future__ import annotations

import numpy as np

from ...backend import Array, array_namespace
from .case import KINKED, Input, case, cases

SAMPLE = Input((9,))
OTHER = Input((8,))
THIRD = Input((7,))
PAIRED = Input((9,))
MATRIX = Input((5, 3))
POSITIVE = Input((9,), 0.3, 3.0)
PROBABILITIES = Input((6,), 0.05, 0.9)
LONG = Input((24,))
DIRECTIONS = Input((6, 3))
WEIGHTS = Input((9,), 0.5, 1.5)
TEST = "statistic pvalue"
EXPECTED = np.asarray([3.0, 4.0, 5.0, 4.0])
OBSERVED = Input((4,), 2.0, 6.0)


def logistic(x: Array) -> Array:
    """A distribution function."""
    return 1.0 / (1.0 + array_namespace(x).exp(-x))


def mean(x: Array, axis: int) -> Array:
    """The statistic that bootstrap resamples."""
    return array_namespace(x).mean(x, axis=axis)


CASES = [
    *cases("scipy.stats", "skew kurtosis sem tmean tvar tstd tsem kstat kstatvar", SAMPLE),
    *cases("scipy.stats", "zscore variation circmean circvar circstd", SAMPLE),
    case("scipy.stats.moment", SAMPLE, call=lambda f, x: f(x, order=3)),
    case("scipy.stats.zmap", SAMPLE, OTHER),
    case("scipy.stats.describe", SAMPLE, parts="minmax mean variance skewness kurtosis"),
    *cases("scipy.stats", "gmean hmean gstd gzscore entropy", POSITIVE),
    case("scipy.stats.pmean", POSITIVE, call=lambda f, x: f(x, 3)),
    case("scipy.stats.expectile", SAMPLE, call=lambda f, x: f(x, 0.3)),
    case("scipy.stats.differential_entropy", LONG, order=KINKED),
    case("scipy.stats.lmoment", SAMPLE),
    *cases("scipy.stats", "iqr median_abs_deviation", SAMPLE, order=KINKED),
    *cases("scipy.stats", "tmin tmax", SAMPLE, order=KINKED),
    case("scipy.stats.trim_mean", SAMPLE, call=lambda f, x: f(x, 0.2), order=KINKED),
    case("scipy.stats.sigmaclip", SAMPLE, parts="clipped lower upper", low=1.2, high=1.2),
    case("scipy.stats.quantile", SAMPLE, call=lambda f, x: f(x, 0.3), order=KINKED),
    case("scipy.stats.mode", SAMPLE, parts="mode", order=KINKED),
    case("scipy.stats.rankdata", SAMPLE),
    case("scipy.stats.directional_stats", DIRECTIONS, parts="mean_direction mean_resultant_length"),
    case("scipy.stats.boxcox_llf", POSITIVE, call=lambda f, x: f(0.5, x)),
    case("scipy.stats.yeojohnson_llf", SAMPLE, call=lambda f, x: f(0.5, x)),
    case("scipy.stats.false_discovery_control", PROBABILITIES, order=KINKED),
    case("scipy.stats.combine_pvalues", PROBABILITIES, parts=TEST),
    *cases("scipy.stats", "skewtest kurtosistest normaltest jarque_bera", LONG, parts=TEST),
    case("scipy.stats.ttest_1samp", SAMPLE, call=lambda f, x: f(x, 0.1), parts=TEST),
    case("scipy.stats.ttest_ind", SAMPLE, OTHER, parts=TEST),
    case("scipy.stats.ttest_rel", SAMPLE, PAIRED, parts=TEST),
    case(
        "scipy.stats.ttest_ind_from_stats",
        *(Input((), low, 2.0) for low in (-2.0, 0.5)),
        *(Input((), low, 2.0) for low in (-2.0, 0.5)),
        call=lambda f, mean1, std1, mean2, std2: f(mean1, std1, 9, mean2, std2, 8),
        parts=TEST,
    ),
    *cases("scipy.stats", "f_oneway bartlett alexandergovern", SAMPLE, OTHER, THIRD, parts=TEST),
    *cases("scipy.stats", "levene fligner", SAMPLE, OTHER, THIRD, parts=TEST, order=KINKED),
    *cases("scipy.stats", "kruskal", SAMPLE, OTHER, THIRD, parts=TEST),
    *cases("scipy.stats", "mood ansari mannwhitneyu brunnermunzel", SAMPLE, OTHER, parts=TEST),
    case("scipy.stats.wilcoxon", SAMPLE, parts=TEST),
    case("scipy.stats.friedmanchisquare", SAMPLE, PAIRED, WEIGHTS, parts=TEST),
    case("scipy.stats.chisquare", OBSERVED, EXPECTED, parts=TEST, sum_check=False),
    case(
        "scipy.stats.power_divergence",
        OBSERVED,
        call=lambda f, x: f(x, lambda_=0.5),
        parts=TEST,
    ),
    case("scipy.stats.epps_singleton_2samp", SAMPLE, OTHER, parts=TEST, order=KINKED),
    case("scipy.stats.pearsonr", SAMPLE, PAIRED, parts=TEST),
    case("scipy.stats.linregress", SAMPLE, PAIRED, parts="slope intercept rvalue stderr"),
    *cases("scipy.stats", "spearmanrho chatterjeexi", SAMPLE, PAIRED, parts=TEST),
    case(
        "scipy.stats.cramervonmises",
        SAMPLE,
        call=lambda f, x: f(x, logistic),
        parts=TEST,
    ),
    case("scipy.stats.cramervonmises_2samp", SAMPLE, OTHER, parts=TEST),
    case(
        "scipy.stats.ks_1samp",
        SAMPLE,
        call=lambda f, x: f(x, logistic),
        parts=TEST,
        order=KINKED,
    ),
    case(
        "scipy.stats.bootstrap",
        SAMPLE,
        call=lambda f, x: (
            f(
                (x,), mean, n_resamples=19, rng=np.random.default_rng(0), method="percentile"
            ).standard_error
        ),
    ),
]
