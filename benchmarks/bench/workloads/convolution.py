"""Convolutions of images, forward and backward."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..sides.side import Side
from ..workload import Workload
from .differentiated import differentiated
from .numbers import normal


def _image_inputs(
    batch: int, channels: int, filters: int, pixels: int, window: int
) -> tuple[np.ndarray, ...]:
    kernel = normal("w", filters, channels, window, window, scale=(channels * window**2) ** -0.5)
    images = normal("x", batch, channels, pixels, pixels)
    return normal("dy", batch, filters, pixels, pixels), images, kernel, normal("b", filters)


def _conv2d(side: Side, x: Any, w: Any, b: Any) -> Any:
    return side.functional.conv2d(side.images_last(x), w, b, padding=w.shape[-1] // 2)


def _jax_conv2d(xp: Any, x: Any, w: Any, b: Any) -> Any:
    from jax.lax import conv_general_dilated

    return conv_general_dilated(x, w, (1, 1), "SAME") + b[:, None, None]


def _convolution(channels: int, filters: int, images: int, window: int) -> Workload:
    batch, places = 32, 32 * images * images
    return Workload(
        f"convolution/{window}x{window}-{channels}-{filters}",
        f"{window} x {window} convolution, {channels} to {filters} channels, {images} x {images}, "
        f"batch {batch}, forward + backward",
        differentiated(_image_inputs, _conv2d, None, _jax_conv2d),
        {
            "batch": batch,
            "channels": channels,
            "filters": filters,
            "pixels": images,
            "window": window,
        },
        flops=6.0 * places * channels * filters * window**2,
        bytes=4.0 * 3 * places * (channels + filters),
        quick=channels == 16,
    )


WORKLOADS = [
    *(_convolution(*sizes) for sizes in ((1, 16, 28, 5), (16, 32, 14, 3), (64, 64, 16, 1))),
]
