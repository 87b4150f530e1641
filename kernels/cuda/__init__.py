"""The text of the CUDA kernels."""
