"""The digits: what is in them, that the split loses nothing, and that damage is seen."""

import numpy as np
import pytest

import isograd as ig
from isograd.backend.device import device_of
from isograd.backend.errors import DamagedFileError, HyperparameterError
from isograd.nn.datasets import digits, load_digits


def on_host(split):
    """The four arrays as NumPy arrays: train images, train labels, test images, test labels."""
    return [ig.to_numpy(array) for part in split for array in part]


def test_images_are_float32_from_0_to_1_and_labels_int64(device):
    train_images, train_labels, test_images, test_labels = on_host(load_digits())
    assert train_images.shape == (1438, 64)
    assert test_images.shape == (359, 64)
    assert train_images.dtype == np.float32
    assert train_images.min() == 0.0
    assert train_images.max() == 1.0
    assert np.array_equal(train_images * 16, np.round(train_images * 16))
    assert train_labels.shape == (1438,)
    assert test_labels.dtype == np.int64
    assert set(train_labels) == set(range(10))


def test_arrays_are_made_on_the_device_that_is_asked_for():
    pytest.importorskip("array_api_strict")
    split = load_digits(device="strict:device1")
    assert {device_of(array).name for part in split for array in part} == {"strict:device1"}


def test_split_is_the_same_on_every_device(device):
    here, on_cpu = on_host(load_digits()), on_host(load_digits(device="cpu"))
    for found, expected in zip(here, on_cpu, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_split_holds_every_image_once_with_its_own_label():
    whole = on_host(load_digits(test_fraction=0))
    assert whole[2].shape == (0, 64)
    parts = on_host(load_digits(test_fraction=0.3, seed=7))
    together = np.column_stack([np.vstack(parts[::2]), np.concatenate(parts[1::2])])
    expected = np.column_stack(whole[:2])
    np.testing.assert_array_equal(np.sort(rows(together)), np.sort(rows(expected)))


def rows(table):
    """Each row as one string of bytes, which sorts."""
    return np.array([row.tobytes() for row in table])


def test_labels_fit_their_images():
    # The nearest class mean is right for nine images of ten; with labels out of step, for one.
    train_images, train_labels, test_images, test_labels = on_host(load_digits())
    means = np.stack([train_images[train_labels == c].mean(axis=0) for c in range(10)])
    distances = ((test_images[:, None] - means) ** 2).sum(axis=2)
    assert (distances.argmin(axis=1) == test_labels).mean() > 0.85


def test_seed_decides_the_split():
    first, again, other = (on_host(load_digits(seed=seed))[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_unflattened_images_are_the_same_numbers_as_pictures():
    flat, pictures = load_digits(), load_digits(flatten=False)
    assert pictures.train.images.shape == (1438, 1, 8, 8)
    np.testing.assert_array_equal(pictures.test.images.reshape(359, 64), flat.test.images)


def test_content_is_that_of_scikit_learn():
    sklearn_datasets = pytest.importorskip("sklearn.datasets")
    original = sklearn_datasets.load_digits()
    pixels, labels = digits._values()
    np.testing.assert_array_equal(np.asarray(pixels).reshape(-1, 64), original.data)
    np.testing.assert_array_equal(np.asarray(labels), original.target)


@pytest.mark.parametrize("fraction", [1.0, -0.1, float("nan"), "0.2", None])
def test_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(HyperparameterError, match="test_fraction must be from 0 to below 1"):
        load_digits(test_fraction=fraction)


@pytest.fixture
def damaged(tmp_path, monkeypatch):
    """A function that puts the given bytes in the place of digits.npz."""

    def replace(content):
        path = tmp_path / "digits.npz"
        path.write_bytes(content)
        monkeypatch.setattr(digits, "FILE", path)

    return replace


def test_flipped_byte_is_seen_or_harmless(damaged):
    content = digits.FILE.read_bytes()
    expected = [bytes(part) for part in digits._values()]
    n_seen = 0
    for place in [*range(0, len(content), 401), *range(len(content) - 200, len(content), 3)]:
        damaged(content[:place] + bytes([content[place] ^ 0x40]) + content[place + 1 :])
        try:
            assert [bytes(part) for part in digits._values()] == expected
        except DamagedFileError:
            n_seen += 1
    assert n_seen > 100


@pytest.mark.parametrize("content", [b"", b"<html>404</html>", b"PK\x05\x06" + bytes(18)])
def test_file_that_is_no_such_archive_is_named(damaged, content):
    damaged(content)
    with pytest.raises(DamagedFileError, match=r"digits\.npz .* install isograd again"):
        load_digits()


def test_truncated_file_is_refused(damaged):
    damaged(digits.FILE.read_bytes()[:20_000])
    with pytest.raises(DamagedFileError, match="cannot be read"):
        load_digits()


def test_other_pixels_are_refused_with_both_checksums(damaged, tmp_path):
    other = tmp_path / "other.npz"
    np.savez(other, images=np.zeros((1797, 64), np.uint8), labels=np.zeros(1797, np.uint8))
    damaged(other.read_bytes())
    with pytest.raises(DamagedFileError, match=f"{digits.CHECKSUM}, .* SHA-256 [0-9a-f]{{64}}"):
        load_digits()


def test_missing_file_is_an_error_that_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(digits, "FILE", tmp_path / "gone.npz")
    with pytest.raises(DamagedFileError, match="No such file"):
        load_digits()
