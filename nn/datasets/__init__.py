"""Data sets that come with the package."""

from .digits import Digits, Examples, load_digits

__all__ = ["Digits", "Examples", "load_digits"]
