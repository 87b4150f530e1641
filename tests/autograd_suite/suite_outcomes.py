"""Which tests of autograd's own suite are known not to pass, from not_passing.txt."""

from pathlib import Path

SUITE_COMMIT = "bff107b"  # of HIPS/autograd, version 1.9.1
N_RUN = 618  # that run there without xarray; 13 more are skipped
LISTED = Path(__file__).with_name("not_passing.txt")


def expected_failures() -> set[str]:
    """Ids as "test_misc.py::test_const_graph"; lines with "#" say why those below do not pass."""
    lines = LISTED.read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}
