"""bfloat16 without a package for it: numbers as their 16 bits."""

import numpy as np


def bits_of_bfloat16(x):
    """uint16 bits of float32 numbers, rounded to nearest and even."""
    bits = np.asarray(x, np.float32).view(np.uint32).astype(np.uint64)
    rounded = (bits + 0x7FFF + (bits >> 16 & 1)) >> 16
    return np.where(np.isnan(x), 0x7FC0, rounded).astype(np.uint16)


def from_bfloat16(bits):
    """The float32 numbers of uint16 bits."""
    return (np.asarray(bits, np.uint32) << 16).view(np.float32)
