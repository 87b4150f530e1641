"""Accuracy and the confusion matrix."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import isograd as ig
from isograd.backend.errors import (
    DeviceError,
    DtypeError,
    EmptyReductionError,
    HyperparameterError,
    LabelError,
    ShapeError,
)
from isograd.nn.metrics import accuracy, confusion_matrix

SCORES = np.array([[0.1, 0.7, 0.2], [3.0, 1.0, 2.0], [0.0, 0.0, 1.0], [5.0, 5.0, 4.0]])
LABELS = np.array([1, 2, 2, 0])  # predicted: 1, 0, 2 and, the first of equals, 0


def test_accuracy_is_the_share_of_labels_that_score_highest(device):
    share = accuracy(ig.array(SCORES), ig.array(LABELS))
    assert share == 0.75
    assert type(share) is float
    predicted = np.argmax(SCORES, axis=-1).astype("int32")
    assert accuracy(ig.array(predicted), ig.array(LABELS)) == 0.75


def test_a_recorded_prediction_and_leading_axes_are_taken():
    scores = ig.Tensor(SCORES.reshape(2, 2, 3), requires_grad=True)
    assert accuracy(scores, LABELS.reshape(2, 2)) == 0.75


def test_accuracy_is_as_exact_as_a_division_of_integers():
    assert accuracy(np.array([0, 0, 1]), np.zeros(3, "int64")) == 2 / 3  # not the float32 beside it


def test_the_confusion_matrix_counts_labels_by_row_and_predictions_by_column(device):
    counts = confusion_matrix(ig.array(SCORES), ig.array(LABELS))
    assert ig.device_of(counts) == ig.current_device()
    expected = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 1]], "int64")
    assert_array_equal(ig.to_numpy(counts), expected, strict=True)
    predicted = ig.array(np.argmax(SCORES, axis=-1))
    assert_array_equal(ig.to_numpy(confusion_matrix(predicted, ig.array(LABELS), 3)), expected)


@pytest.mark.parametrize("metric", [accuracy, confusion_matrix])
@pytest.mark.parametrize(
    ("prediction", "labels", "error", "message"),
    [
        (SCORES, LABELS[:, None], ShapeError, r"scores of shape \(\*labels.shape, classes\)"),
        (SCORES[:3], LABELS, ShapeError, r"got \(3, 3\) float64 for labels \(4,\)"),
        (SCORES, LABELS.astype(float), DtypeError, "labels must be integers, got float64"),
        (SCORES, LABELS.tolist(), DtypeError, "labels must be an array, got list"),
    ],
)
def test_labels_that_do_not_fit_are_refused(metric, prediction, labels, error, message):
    with pytest.raises(error, match=f"{metric.__name__}: .*{message}"):
        metric(prediction, labels)


def test_floating_numbers_are_scores_and_no_predicted_labels():
    with pytest.raises(ShapeError, match="prediction must be scores"):
        accuracy(LABELS.astype(float), LABELS)


def test_two_devices_are_refused():
    pytest.importorskip("array_api_strict")
    with pytest.raises(DeviceError, match=r"accuracy: .*cpu and strict:cpu"):
        accuracy(SCORES, ig.array(LABELS, device="strict"))


def test_the_accuracy_of_nothing_is_refused_and_its_confusion_is_zero():
    with pytest.raises(EmptyReductionError, match=r"accuracy: .*at least one label, got .*\(0,\)"):
        accuracy(SCORES[:0], LABELS[:0])
    assert_array_equal(confusion_matrix(SCORES[:0], LABELS[:0]), np.zeros((3, 3)))


def test_labels_and_predictions_out_of_range_are_refused():
    with pytest.raises(LabelError, match=r"labels: .*in \[0, 3\), got 5 at position \(0,\)"):
        confusion_matrix(SCORES[:1], np.array([5]))
    with pytest.raises(LabelError, match=r"prediction: .*in \[0, 2\), got 2"):
        confusion_matrix(np.array([2]), np.array([1]), 2)


@pytest.mark.parametrize("n_classes", [None, 0])
def test_predicted_labels_need_the_number_of_classes(n_classes):
    with pytest.raises(HyperparameterError, match="n_classes must be at least 1"):
        confusion_matrix(LABELS, LABELS, n_classes)
