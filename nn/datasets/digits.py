"""The handwritten digits that come with the package: 1,797 images of 8 x 8 pixels."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from pathlib import Path
from typing import NamedTuple

from ...backend.convert import array
from ...backend.device import Device, current_device, using
from ...backend.errors import DamagedFileError, HyperparameterError
from ...backend.namespaces import Array, array_namespace
from ...backend.random import Generator

FILE = Path(__file__).with_name("digits.npz")
N_IMAGES = 1797
N_PIXELS = 64
# What zipfile raises for one flipped byte or another; NotImplementedError is a RuntimeError.
UNREADABLE = (OSError, KeyError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile)
CHECKSUM = "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"


class Examples(NamedTuple):
    """Images and their labels, in the same order."""

    images: Array
    labels: Array


class Digits(NamedTuple):
    """The two parts of the data set; no image is in both."""

    train: Examples
    test: Examples


def load_digits(
    test_fraction: float = 0.2,
    seed: int = 0,
    device: str | Device | None = None,
    flatten: bool = True,
) -> Digits:
    """The UCI handwritten digits, shuffled by the seed: Digits(train=(images, labels), test=...).

    images: float32 (n, 64), or (n, 1, 8, 8) with flatten=False, in steps of 1/16 from 0 (paper) to
    1 (ink), row by row from the top left. labels: int64 (n,), 0 to 9.
    test_fraction: the share of the 1,797 images that goes to test, rounded to whole images; from 0
    to below 1. device: where the arrays are made, the current one unless given; the split is the
    same on every device.
    Raises HyperparameterError for a fraction out of range, DamagedFileError when the installed file
    is missing or not the published one.
    Source: Alpaydin and Kaynak 1998, doi 10.24432/C50P49, CC BY 4.0 (DIGITS_LICENCE.txt): the test
    set of the UCI data, written by 13 people.
    """
    n_test = _n_test(test_fraction)
    pixels, labels = _values()
    shape = (N_IMAGES, N_PIXELS) if flatten else (N_IMAGES, 1, 8, 8)
    with using(current_device() if device is None else device):
        order = Generator(seed).permutation(N_IMAGES)
        images = array(pixels.cast("B", shape), dtype="float32") / 16.0
        everything = Examples(images, array(labels, dtype="int64"))
        return Digits(_chosen(everything, order[n_test:]), _chosen(everything, order[:n_test]))


def _n_test(test_fraction: float) -> int:
    """The number of test images for a fraction, which is checked."""
    if not isinstance(test_fraction, int | float) or not 0 <= test_fraction < 1:
        raise HyperparameterError(
            f"load_digits: test_fraction must be from 0 to below 1, got {test_fraction!r}; "
            "0.2 keeps every fifth image for the test"
        )
    return round(test_fraction * N_IMAGES)


def _chosen(examples: Examples, order: Array) -> Examples:
    """The examples at these places, in this order."""
    xp = array_namespace(order)
    return Examples(*(xp.take(x, order, axis=0) for x in examples))


def _values() -> tuple[memoryview, memoryview]:
    """All pixels and all labels, one byte each. Raises DamagedFileError."""
    try:
        with zipfile.ZipFile(FILE) as archive:
            # Each member is a .npy file: a header, then the values, which are bytes here.
            pixels = archive.read("images.npy")[-N_IMAGES * N_PIXELS :]
            labels = archive.read("labels.npy")[-N_IMAGES:]
    except UNREADABLE as error:
        raise _damaged(f"cannot be read ({error})") from error
    found = hashlib.sha256(pixels + labels).hexdigest()
    if found != CHECKSUM:
        raise _damaged(f"has content with SHA-256 {found}")
    return memoryview(pixels), memoryview(labels)


def _damaged(reason: str) -> DamagedFileError:
    """The error that names the file, what is wrong with it and the way out."""
    return DamagedFileError(
        f"load_digits: {FILE} must hold the digits with SHA-256 {CHECKSUM}, "
        f"but it {reason}; install isograd again to restore it"
    )
