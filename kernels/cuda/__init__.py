"""CUDA kernels: their text, and the launchers that run it on arrays of CuPy."""
