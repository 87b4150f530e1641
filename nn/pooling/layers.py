"""The pooling layers: settings, and the function of their name."""

from __future__ import annotations

from typing import Any

from ...backend import Array
from ...backend.errors import HyperparameterError
from ..dimensions import per_axis
from ..module import Module
from . import adaptive, functions
from .adaptive import OutputSize, global_avg_pool, global_max_pool
from .windows import Setting


class _Pool(Module):
    """The settings of a window, checked."""

    n_axes = 1
    function: Any = None

    def _set(self, kernel_size: Setting, stride: Setting | None, padding: Setting) -> None:
        name = type(self).__name__
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding = padding
        window = per_axis(name, "kernel_size", kernel_size, self.n_axes)
        per_axis(name, "stride", self.stride, self.n_axes)
        borders = per_axis(name, "padding", padding, self.n_axes, least=0)
        if any(2 * p > k for p, k in zip(borders, window, strict=True)):
            raise HyperparameterError(
                f"{name}: padding must be at most half of kernel_size, got padding {padding!r} and "
                f"kernel_size {kernel_size!r}"
            )

    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class _MaxPool(_Pool):
    """The largest element of every window: see max_pool."""

    def __init__(
        self,
        kernel_size: Setting,
        stride: Setting | None = None,
        padding: Setting = 0,
        dilation: Setting = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        self._set(kernel_size, stride, padding)
        per_axis(type(self).__name__, "dilation", dilation, self.n_axes)
        self.dilation, self.return_indices, self.ceil_mode = dilation, return_indices, ceil_mode

    def forward(self, x: Array) -> Any:
        return type(self).function(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            ceil_mode=self.ceil_mode,
            return_indices=self.return_indices,
        )


class _AvgPool(_Pool):
    """The mean of every window: see avg_pool."""

    def __init__(
        self,
        kernel_size: Setting,
        stride: Setting | None = None,
        padding: Setting = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        self._set(kernel_size, stride, padding)
        functions.check_divisor(type(self).__name__, divisor_override)
        self.ceil_mode = ceil_mode
        self.count_include_pad, self.divisor_override = count_include_pad, divisor_override

    def forward(self, x: Array) -> Array:
        return type(self).function(
            x,
            self.kernel_size,
            self.stride,
            self.padding,
            ceil_mode=self.ceil_mode,
            count_include_pad=self.count_include_pad,
            divisor_override=self.divisor_override,
        )


class _LPPool(_Pool):
    """The p-norm of every window: see lp_pool."""

    def __init__(
        self,
        norm_type: float,
        kernel_size: Setting,
        stride: Setting | None = None,
        ceil_mode: bool = False,
    ) -> None:
        self._set(kernel_size, stride, 0)
        functions.check_norm_type(type(self).__name__, norm_type)
        self.norm_type, self.ceil_mode = norm_type, ceil_mode

    def forward(self, x: Array) -> Array:
        settings = (self.norm_type, self.kernel_size, self.stride)
        return type(self).function(x, *settings, ceil_mode=self.ceil_mode)

    def extra_repr(self) -> str:
        return f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, stride={self.stride}"


class _AdaptiveAvgPool(Module):
    """Means over windows that share each axis out evenly: see adaptive_avg_pool."""

    function: Any = None

    def __init__(self, output_size: OutputSize) -> None:
        self.output_size = output_size

    def forward(self, x: Array) -> Array:
        return type(self).function(x, self.output_size)

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    """The largest elements of windows that share each axis out evenly: see adaptive_max_pool."""

    def __init__(self, output_size: OutputSize, return_indices: bool = False) -> None:
        self.output_size, self.return_indices = output_size, return_indices

    def forward(self, x: Array) -> Any:
        return type(self).function(x, self.output_size, return_indices=self.return_indices)


class MaxPool1d(_MaxPool):
    """max_pool1d: the largest element of every window."""

    n_axes, function = 1, functions.max_pool1d


class MaxPool2d(_MaxPool):
    """max_pool2d: the largest element of every window."""

    n_axes, function = 2, functions.max_pool2d


class MaxPool3d(_MaxPool):
    """max_pool3d: the largest element of every window."""

    n_axes, function = 3, functions.max_pool3d


class AvgPool1d(_AvgPool):
    """avg_pool1d: the mean of every window."""

    n_axes, function = 1, functions.avg_pool1d


class AvgPool2d(_AvgPool):
    """avg_pool2d: the mean of every window."""

    n_axes, function = 2, functions.avg_pool2d


class AvgPool3d(_AvgPool):
    """avg_pool3d: the mean of every window."""

    n_axes, function = 3, functions.avg_pool3d


class LPPool1d(_LPPool):
    """lp_pool1d: the p-norm of every window."""

    n_axes, function = 1, functions.lp_pool1d


class LPPool2d(_LPPool):
    """lp_pool2d: the p-norm of every window."""

    n_axes, function = 2, functions.lp_pool2d


class LPPool3d(_LPPool):
    """lp_pool3d: the p-norm of every window."""

    n_axes, function = 3, functions.lp_pool3d


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """adaptive_avg_pool1d: means over even shares, so that output_size elements remain."""

    function = adaptive.adaptive_avg_pool1d


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """adaptive_avg_pool2d: means over even shares, so that output_size elements remain."""

    function = adaptive.adaptive_avg_pool2d


class AdaptiveAvgPool3d(_AdaptiveAvgPool):
    """adaptive_avg_pool3d: means over even shares, so that output_size elements remain."""

    function = adaptive.adaptive_avg_pool3d


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """adaptive_max_pool1d: the largest of even shares, so that output_size elements remain."""

    function = adaptive.adaptive_max_pool1d


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """adaptive_max_pool2d: the largest of even shares, so that output_size elements remain."""

    function = adaptive.adaptive_max_pool2d


class AdaptiveMaxPool3d(_AdaptiveMaxPool):
    """adaptive_max_pool3d: the largest of even shares, so that output_size elements remain."""

    function = adaptive.adaptive_max_pool3d


class GlobalAvgPool(Module):
    """The mean of each channel: see global_avg_pool."""

    def forward(self, x: Array) -> Array:
        return global_avg_pool(x)


class GlobalMaxPool(Module):
    """The largest element of each channel: see global_max_pool."""

    def forward(self, x: Array) -> Array:
        return global_max_pool(x)
