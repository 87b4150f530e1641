"""scikit-learn under array_api_dispatch: metrics, pairwise kernels, scalers, estimators."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array, array_namespace
from .case import KINKED, Case, Input, case, cases

TRUTH = Input((7,), 0.3, 3.0)
PREDICTED = Input((7,), 0.3, 3.0)
TABLES = (Input((5, 2), 0.3, 3.0), Input((5, 2), 0.3, 3.0))
ROWS = Input((6, 3))
OTHER_ROWS = Input((4, 3))
POSITIVE_ROWS = Input((6, 3), 0.2, 2.0)
TARGETS = Input((6,))
SQUARE = Input((4, 4), 0.2, 2.0)
BINARY = np.asarray([0, 1, 1, 0, 1, 0, 1])
CLASSES = np.asarray([0, 1, 2, 0, 1, 2])
SCORES = Input((7,), 0.05, 0.95)


def fitted(*attributes: str) -> Callable[..., list[Array]]:
    """A call that fits an estimator and reads what it has learned."""

    def call(estimator: Any, *data: Array, **options: Any) -> list[Array]:
        model = estimator(**options).fit(*data)
        return [getattr(model, attribute) for attribute in attributes]

    return call


def transformed(estimator: Any, *data: Array, **options: Any) -> Array:
    """What fit_transform of an estimator returns."""
    return estimator(**options).fit(*data).transform(data[0])


def predicted(method: str = "predict") -> Callable[..., Array]:
    """A call that fits an estimator and predicts the rows that it was fitted to."""

    def call(estimator: Any, *data: Array, **options: Any) -> Array:
        return getattr(estimator(**options).fit(*data), method)(data[0])

    return call


def probabilities(f: Any, truth: Array, scores: Array, **options: Any) -> Any:
    """A metric of class probabilities: each row sums to one."""
    xp = array_namespace(scores)
    total = xp.sum(scores, axis=1, keepdims=True)
    return f(truth, scores / total, **options)


def curve(f: Any, truth: Array, scores: Array) -> Array:
    """The finite thresholds of a curve."""
    return f(truth, scores)[2][1:-1]


METRICS: list[Case] = [
    *cases(
        "sklearn.metrics",
        "mean_squared_error root_mean_squared_error mean_squared_log_error "
        "root_mean_squared_log_error r2_score explained_variance_score mean_poisson_deviance "
        "mean_gamma_deviance d2_tweedie_score",
        TRUTH,
        PREDICTED,
    ),
    *cases(
        "sklearn.metrics",
        "mean_absolute_error median_absolute_error mean_absolute_percentage_error max_error "
        "mean_pinball_loss d2_absolute_error_score d2_pinball_score",
        TRUTH,
        PREDICTED,
        order=KINKED,
    ),
    *cases(
        "sklearn.metrics",
        "mean_squared_error root_mean_squared_error mean_squared_log_error r2_score "
        "root_mean_squared_log_error explained_variance_score",
        *TABLES,
        multioutput="raw_values",
        variant='multioutput="raw_values"',
    ),
    *cases(
        "sklearn.metrics",
        "mean_absolute_error mean_absolute_percentage_error mean_pinball_loss "
        "d2_absolute_error_score",
        *TABLES,
        multioutput="raw_values",
        variant='multioutput="raw_values"',
        order=KINKED,
    ),
    case("sklearn.metrics.mean_tweedie_deviance", TRUTH, PREDICTED, power=1.5),
    *cases("sklearn.metrics", "brier_score_loss log_loss", BINARY, SCORES),
    case("sklearn.metrics.d2_brier_score", BINARY, SCORES),
    case("sklearn.metrics.d2_log_loss_score", BINARY, SCORES),
    *cases("sklearn.metrics", "roc_auc_score average_precision_score", BINARY, SCORES),
    *cases(
        "sklearn.metrics", "roc_curve precision_recall_curve det_curve", BINARY, SCORES, call=curve
    ),
    case("sklearn.metrics.hinge_loss", BINARY, Input((7,)), order=KINKED),
    case(
        "sklearn.metrics.dcg_score", Input((2, 4), 0.0, 3.0), Input((2, 4), 0.0, 1.0), order=KINKED
    ),
    case(
        "sklearn.metrics.ndcg_score", Input((2, 4), 0.0, 3.0), Input((2, 4), 0.0, 1.0), order=KINKED
    ),
    case("sklearn.metrics.calinski_harabasz_score", ROWS, CLASSES),
    case("sklearn.metrics.davies_bouldin_score", ROWS, CLASSES, order=KINKED),
    case("sklearn.metrics.silhouette_score", ROWS, CLASSES, order=KINKED),
]

PAIRWISE = [
    *cases(
        "sklearn.metrics.pairwise",
        "euclidean_distances rbf_kernel cosine_distances cosine_similarity linear_kernel "
        "polynomial_kernel sigmoid_kernel",
        ROWS,
        OTHER_ROWS,
    ),
    *cases(
        "sklearn.metrics.pairwise",
        "manhattan_distances laplacian_kernel",
        ROWS,
        OTHER_ROWS,
        order=KINKED,
    ),
    *cases(
        "sklearn.metrics.pairwise",
        "chi2_kernel additive_chi2_kernel",
        POSITIVE_ROWS,
        Input((4, 3), 0.2, 2.0),
    ),
    *cases(
        "sklearn.metrics.pairwise",
        "paired_euclidean_distances paired_cosine_distances",
        ROWS,
        ROWS,
    ),
    case("sklearn.metrics.pairwise.paired_manhattan_distances", ROWS, ROWS, order=KINKED),
    *cases(
        "sklearn.metrics",
        "pairwise_distances",
        ROWS,
        OTHER_ROWS,
        metric="euclidean",
    ),
    case("sklearn.metrics.pairwise_distances_argmin", ROWS, OTHER_ROWS),
]

PREPROCESSING = [
    *cases("sklearn.preprocessing", "StandardScaler", ROWS, call=transformed),
    *cases(
        "sklearn.preprocessing", "MinMaxScaler MaxAbsScaler", ROWS, call=transformed, order=KINKED
    ),
    *cases("sklearn.preprocessing", "RobustScaler", ROWS, call=transformed, order=KINKED),
    *cases("sklearn.preprocessing", "Normalizer PolynomialFeatures", ROWS, call=transformed),
    case("sklearn.preprocessing.Binarizer", ROWS, call=transformed),
    case("sklearn.preprocessing.KernelCenterer", SQUARE, call=transformed),
    *cases("sklearn.preprocessing", "scale normalize", ROWS),
    *cases("sklearn.preprocessing", "minmax_scale maxabs_scale", ROWS, order=KINKED),
    case("sklearn.preprocessing.add_dummy_feature", ROWS),
    case("sklearn.preprocessing.PowerTransformer", ROWS, call=transformed),
    case("sklearn.preprocessing.QuantileTransformer", ROWS, call=transformed, order=KINKED),
]

ESTIMATORS = [
    case(
        "sklearn.decomposition.PCA",
        ROWS,
        call=fitted("explained_variance_", "mean_", "singular_values_", "components_"),
        svd_solver="full",
    ),
    case(
        "sklearn.linear_model.Ridge",
        ROWS,
        TARGETS,
        call=fitted("coef_", "intercept_"),
        solver="svd",
    ),
    case("sklearn.linear_model.RidgeCV", ROWS, TARGETS, call=fitted("coef_", "intercept_")),
    case(
        "sklearn.linear_model.LinearRegression", ROWS, TARGETS, call=fitted("coef_", "intercept_")
    ),
    case("sklearn.linear_model.LogisticRegression", ROWS, CLASSES, call=fitted("coef_")),
    case(
        "sklearn.linear_model.PoissonRegressor", ROWS, Input((6,), 0.5, 3.0), call=fitted("coef_")
    ),
    case(
        "sklearn.discriminant_analysis.LinearDiscriminantAnalysis",
        Input((9, 2)),
        np.asarray([0, 1, 2] * 3),
        call=predicted("predict_proba"),
    ),
    case(
        "sklearn.naive_bayes.GaussianNB",
        Input((9, 2)),
        np.asarray([0, 1, 2] * 3),
        call=predicted("predict_proba"),
    ),
    case(
        "sklearn.mixture.GaussianMixture",
        Input((12, 2)),
        call=fitted("means_", "weights_"),
        n_components=2,
        init_params="random",
        random_state=0,
        max_iter=5,
        tol=0.0,
    ),
    case(
        "sklearn.kernel_approximation.Nystroem",
        ROWS,
        call=transformed,
        n_components=3,
        random_state=0,
    ),
    case("sklearn.covariance.empirical_covariance", ROWS),
    case(
        "sklearn.cluster.KMeans",
        ROWS,
        call=fitted("cluster_centers_"),
        n_clusters=2,
        n_init=1,
        random_state=0,
    ),
]

CASES = [*METRICS, *PAIRWISE, *PREPROCESSING, *ESTIMATORS]
