"""Conv1d to Conv3d and ConvTranspose1d to ConvTranspose3d: learned weight and bias."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...backend import Array, Device
from ...backend.errors import HyperparameterError
from ...backend.random import Generator
from ..dimensions import check_integer, per_axis
from ..initializers import uniform
from ..module import Module
from ..parameter import Parameter
from .functions import (
    Setting,
    check_padding_mode,
    conv1d,
    conv2d,
    conv3d,
    conv_transpose1d,
    conv_transpose2d,
    conv_transpose3d,
    padding_pairs,
)


class _Convolution(Module):
    """What all six have in common: settings, and first values U(-a, a), a = 1 / sqrt(n_in).

    n_in: the numbers that feed one output, channels times the size of the kernel (torch's default).
    """

    n_axes = 1
    function: Any = None
    transposed = False
    stride: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]

    def _set(self, channels: tuple[int, int], kernel_size: Setting, groups: int) -> None:
        name = type(self).__name__
        self.in_channels, self.out_channels = channels
        check_integer(name, "in_channels", self.in_channels)
        check_integer(name, "out_channels", self.out_channels)
        check_integer(name, "groups", groups)
        if self.in_channels % groups or self.out_channels % groups:
            raise HyperparameterError(
                f"{name}: groups must divide in_channels and out_channels, got groups={groups}, "
                f"in_channels={self.in_channels}, out_channels={self.out_channels}"
            )
        self.kernel_size = per_axis(name, "kernel_size", kernel_size, self.n_axes)
        self.groups = groups

    def _draw(self, bias: bool, made: dict[str, Any]) -> None:
        channels = (self.out_channels, self.in_channels // self.groups)
        if self.transposed:
            channels = (self.in_channels, self.out_channels // self.groups)
        shape = (*channels, *self.kernel_size)
        a = 1.0 / math.sqrt(math.prod(shape[1:]))
        self.weight = Parameter(uniform(shape, -a, a, **made))
        self.bias = Parameter(uniform((self.out_channels,), -a, a, **made)) if bias else None

    def extra_repr(self) -> str:
        settings = {
            "stride": (self.stride, (1,) * self.n_axes),
            "padding": (self.padding, (0,) * self.n_axes),
            "output_padding": (getattr(self, "output_padding", None), None),
            "dilation": (self.dilation, (1,) * self.n_axes),
            "groups": (self.groups, 1),
            "padding_mode": (getattr(self, "padding_mode", "zeros"), "zeros"),
        }
        changed = [f"{k}={value!r}" for k, (value, usual) in settings.items() if value != usual]
        bias = [] if self.bias is not None else ["bias=False"]
        first = [f"{self.in_channels}", f"{self.out_channels}", f"kernel_size={self.kernel_size}"]
        return ", ".join([*first, *changed, *bias])


class _Conv(_Convolution):
    """What Conv1d to 3d share."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Setting,
        stride: Setting = 1,
        padding: Setting | str = 0,
        dilation: Setting = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        name = type(self).__name__
        self._set((in_channels, out_channels), kernel_size, groups)
        self.stride = per_axis(name, "stride", stride, self.n_axes)
        self.dilation = per_axis(name, "dilation", dilation, self.n_axes)
        padding_pairs(name, padding, self.kernel_size, self.stride, self.dilation)
        numbers = not isinstance(padding, str)
        self.padding = padding
        if numbers:
            self.padding = per_axis(name, "padding", padding, self.n_axes, least=0)
        check_padding_mode(name, padding_mode)
        self.padding_mode = padding_mode
        self._draw(bias, {"generator": generator, "device": device, "dtype": dtype})

    def forward(self, x: Array) -> Array:
        return type(self).function(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            groups=self.groups,
            padding_mode=self.padding_mode,
        )


class Conv1d(_Conv):
    """conv1d with learned weight (out, in / groups, *kernel) and bias (out,); settings as there.

    First values are U(-a, a) with a = 1 / sqrt(n), n numbers feeding one output (torch's default).
    generator: where they are drawn, the process's own unless given. dtype: float32 unless given.
    Raises HyperparameterError for settings out of range.
    """

    n_axes, function = 1, conv1d


class Conv2d(_Conv):
    """conv2d with learned weight and bias; the rest as Conv1d."""

    n_axes, function = 2, conv2d


class Conv3d(_Conv):
    """conv3d with learned weight and bias; the rest as Conv1d."""

    n_axes, function = 3, conv3d


class _ConvTranspose(_Convolution):
    """What ConvTranspose1d to 3d share."""

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Setting,
        stride: Setting = 1,
        padding: Setting = 0,
        output_padding: Setting = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Setting = 1,
        *,
        generator: Generator | None = None,
        device: str | Device | None = None,
        dtype: Any = None,
    ) -> None:
        name = type(self).__name__
        self._set((in_channels, out_channels), kernel_size, groups)
        self.stride = per_axis(name, "stride", stride, self.n_axes)
        self.padding = per_axis(name, "padding", padding, self.n_axes, least=0)
        self.output_padding = per_axis(name, "output_padding", output_padding, self.n_axes, 0)
        self.dilation = per_axis(name, "dilation", dilation, self.n_axes)
        self._draw(bias, {"generator": generator, "device": device, "dtype": dtype})

    def forward(self, x: Array, output_size: tuple[int, ...] | None = None) -> Array:
        extra = self.output_padding if output_size is None else self._extra(x, output_size)
        return type(self).function(
            x,
            self.weight,
            self.bias,
            stride=self.stride,
            padding=self.padding,
            output_padding=extra,
            groups=self.groups,
            dilation=self.dilation,
        )

    def _extra(self, x: Array, output_size: tuple[int, ...]) -> tuple[int, ...]:
        """The output_padding that makes these lengths."""
        name = type(self).__name__
        given = output_size[-self.n_axes :] if isinstance(output_size, Sequence) else output_size
        wanted = per_axis(name, "output_size", given, self.n_axes)
        settings = (self.kernel_size, self.stride, self.dilation, self.padding)
        sizes = zip(x.shape[-self.n_axes :], *settings, strict=True)
        least = tuple((n - 1) * s - 2 * p + d * (k - 1) + 1 for n, k, s, d, p in sizes)
        extra = tuple(w - n for w, n in zip(wanted, least, strict=True))
        most = [max(s, d) for s, d in zip(self.stride, self.dilation, strict=True)]
        if not all(map(lambda e, m: 0 <= e < m, extra, most)):
            raise HyperparameterError(
                f"{name}: output_size must be one of the lengths that make {tuple(x.shape)}, from "
                f"{least} to less than stride more, got {output_size}"
            )
        return extra


class ConvTranspose1d(_ConvTranspose):
    """conv_transpose1d with learned weight (in, out / groups, *kernel) and bias (out,).

    Settings as there. output_size=, given to the call, chooses output_padding so that the spatial
    axes of the result have these lengths. Raises HyperparameterError for settings out of range.
    """

    n_axes, function = 1, conv_transpose1d


class ConvTranspose2d(_ConvTranspose):
    """conv_transpose2d with learned weight and bias; the rest as ConvTranspose1d."""

    n_axes, function = 2, conv_transpose2d


class ConvTranspose3d(_ConvTranspose):
    """conv_transpose3d with learned weight and bias; the rest as ConvTranspose1d."""

    n_axes, function = 3, conv_transpose3d
