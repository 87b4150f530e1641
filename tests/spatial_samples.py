"""Samples of convolution, pooling, normalization and resampling for the table in samples.py."""

from __future__ import annotations

import math
from typing import Any

from sample_kinds import CUBE, REAL, Input, Sample, of

from isograd.backend import array_namespace

FIRST = 1  # order where a composition of ops that have their own samples leaves nothing to check
CHANNELS = Input((3,))
LINE, IMAGE, VOLUME = Input((2, 2, 5)), Input((2, 2, 4, 3)), Input((1, 2, 3, 2, 3))
BY_AXES = {1: LINE, 2: IMAGE, 3: VOLUME}


def kernel(n_out: int, n_in: int, *lengths: int) -> Input:
    """A weight of a convolution."""
    return Input((n_out, n_in, *lengths))


def windows(name: str, n_axes: int, *settings: object, **options: object) -> Sample:
    """A pooling of the sample with so many spatial axes."""
    return of(
        f"nn.{name}{n_axes}d",
        BY_AXES[n_axes],
        order=FIRST,
        call=lambda op, x: op(x, *settings, **options),
    )


def unpooling(n_axes: int) -> Sample:
    """max_unpool of elements whose places are those of the largest of another array."""
    shape = (2, 2, *(4, 3, 2)[:n_axes])

    def call(op: Any, x: Any) -> Any:
        steps = tuple(slice(None, None, 2) for _ in range(n_axes))
        xp = array_namespace(x)
        places = xp.reshape(xp.arange(math.prod(shape[2:]), device=x.device), shape[2:])
        few = x[(slice(None), slice(None), *steps)]
        return op(few, xp.broadcast_to(places[steps], few.shape), 2, output_size=shape[2:])

    return of(f"nn.max_unpool{n_axes}d", Input(shape), order=FIRST, call=call)


CONVOLUTIONS = [
    of("nn.conv1d", LINE, kernel(3, 2, 3), CHANNELS, padding="same"),
    of("nn.conv1d", LINE, kernel(2, 1, 2), order=FIRST, stride=2, dilation=2, groups=2),
    of("nn.conv2d", IMAGE, kernel(3, 2, 2, 3), CHANNELS, padding=(1, 0)),
    of("nn.conv2d", IMAGE, kernel(4, 1, 2, 2), Input((4,)), stride=(2, 1), padding=1, groups=2),
    of("nn.conv2d", IMAGE, kernel(1, 2, 3, 3), order=FIRST, padding=1, padding_mode="circular"),
    of("nn.conv3d", VOLUME, kernel(3, 2, 2, 1, 2), CHANNELS, order=FIRST, stride=(1, 1, 2)),
    of("nn.conv_transpose1d", LINE, kernel(2, 3, 2), CHANNELS, stride=2, output_padding=1),
    of("nn.conv_transpose2d", IMAGE, kernel(2, 1, 3, 2), Input((2,)), padding=1, groups=2),
    of("nn.conv_transpose3d", VOLUME, kernel(2, 1, 2, 1, 2), Input((1,)), order=FIRST),
    of("nn.unfold", IMAGE, call=lambda op, x: op(x, (2, 3), (2, 1), 1, (1, 2))),
    of("nn.fold", Input((1, 8, 6)), call=lambda op, x: op(x, (3, 4), 2)),
]
POOLINGS = [
    *(windows("max_pool", n, 2, 1, 1) for n in (1, 2, 3)),
    windows("max_pool", 2, (3, 2), (2, 1), ceil_mode=True),
    *(windows("avg_pool", n, 2, 2, 1, count_include_pad=False) for n in (1, 2, 3)),
    of("nn.avg_pool2d", IMAGE, call=lambda op, x: op(x, (3, 2), 1)),
    *(
        of(f"nn.lp_pool{n}d", Input(BY_AXES[n].shape, 0.3), order=FIRST, call=call)
        for n, call in ((n, lambda op, x: op(x, 3.0, 2, 1)) for n in (1, 2, 3))
    ),
    *(windows(f"adaptive_{kind}_pool", n, 2) for kind in ("avg", "max") for n in (1, 2, 3)),
    *(unpooling(n) for n in (1, 2, 3)),
    of("nn.global_avg_pool", IMAGE, order=FIRST),
    of("nn.global_max_pool", IMAGE, order=FIRST),
]
NORMALIZATIONS = [
    of(
        "nn.batch_norm",
        *(Input((4, 3)), CHANNELS, CHANNELS),
        call=lambda op, x, weight, bias: op(x, None, None, weight, bias, training=True),
    ),
    of(
        "nn.batch_norm",
        *(Input((2, 3, 2)), CHANNELS, Input((3,), 0.3), CHANNELS, CHANNELS),
        order=FIRST,
    ),
    of("nn.instance_norm", Input((2, 3, 4)), CHANNELS, CHANNELS, order=FIRST),
    of(
        "nn.group_norm",
        *(Input((2, 4, 2)), Input((4,)), Input((4,))),
        call=lambda op, x, weight, bias: op(x, 2, weight, bias),
    ),
    of(
        "nn.layer_norm",
        *(Input((2, 3, 2)), Input((3, 2)), Input((3, 2))),
        call=lambda op, x, weight, bias: op(x, (3, 2), weight, bias),
    ),
    of("nn.local_response_norm", IMAGE, order=FIRST, call=lambda op, x: op(x, 2, alpha=0.7)),
    of("nn.rms_norm", Input((2, 3)), CHANNELS, call=lambda op, x, weight: op(x, 3, weight)),
]
RESAMPLINGS = [
    *(
        of("nn.interpolate", IMAGE, order=FIRST, size=(3, 5), mode=mode)
        for mode in ("nearest", "bilinear", "bicubic")
    ),
    of("nn.interpolate", LINE, order=FIRST, scale_factor=1.6, mode="linear", align_corners=True),
    of("nn.pixel_shuffle", Input((1, 4, 1, 2)), order=FIRST, call=lambda op, x: op(x, 2)),
    of("nn.pixel_unshuffle", Input((1, 1, 2, 4)), order=FIRST, call=lambda op, x: op(x, 2)),
    of("nn.channel_shuffle", Input((1, 6, 2)), order=FIRST, call=lambda op, x: op(x, 2)),
    *(
        of("nn.pad", CUBE, order=FIRST, call=lambda op, x, m=mode: op(x, (1, 1, 2, 1), mode=m))
        for mode in ("constant", "replicate", "circular")
    ),
    of("nn.unflatten", REAL, order=FIRST, call=lambda op, x: op(x, 1, (3, -1))),
]
SPATIAL = [*CONVOLUTIONS, *POOLINGS, *NORMALIZATIONS, *RESAMPLINGS]
