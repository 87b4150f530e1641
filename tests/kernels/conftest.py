"""NumPy kernels run twice: on NumPy alone, and with compiled loops where they were built."""

import pytest
from needs import skip_because

from isograd.backend.settings import settings_override
from isograd.kernels.compiled import built_loops


@pytest.fixture(params=["numpy", "compiled"])
def compiled(request):
    """Whether the test runs with compiled loops; it runs once with each."""
    wanted = request.param == "compiled"
    if wanted:
        _skip_where_not_built()
    with settings_override(compiled=wanted):
        yield wanted


@pytest.fixture
def loops():
    """The module of compiled loops itself; kernels use it."""
    _skip_where_not_built()
    with settings_override(compiled=True):
        yield built_loops()


def _skip_where_not_built():
    if built_loops() is None:
        skip_because("there are no compiled loops: install isograd where a C compiler is")
