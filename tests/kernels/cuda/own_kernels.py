"""Products on our own kernels, as where cuBLASLt is missing."""

from contextlib import contextmanager

from isograd.kernels.cuda import chooser, cublaslt


@contextmanager
def own_kernels_only(monkeypatch):
    """Within the `with` block cuBLASLt is missing, and what was chosen before is forgotten."""
    monkeypatch.setattr(cublaslt, "is_available", lambda *device: False)
    chooser.forget()
    try:
        yield
    finally:
        chooser.forget()
