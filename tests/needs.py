"""Tests that cannot run here are skipped with the reason, or fail where they must run."""

import os

import pytest


def skip_because(reason):
    """Skip the test for a reason, if there is one; fail under ISOGRAD_REQUIRE_KERNEL_TESTS=1."""
    if not reason:
        return
    if os.environ.get("ISOGRAD_REQUIRE_KERNEL_TESTS") == "1":
        pytest.fail(f"ISOGRAD_REQUIRE_KERNEL_TESTS=1, but {reason}", pytrace=False)
    pytest.skip(reason)
