"""Fused kernels: faster ways to the same numbers."""

from ..backend.random import draw_kernels
from .cuda.random import draw_on_gpu

draw_kernels["cupy"] = draw_on_gpu
