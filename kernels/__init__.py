"""Fused kernels: faster ways to the same numbers."""
