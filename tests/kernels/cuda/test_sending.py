"""While a step is captured, nothing is sent from the host."""

import threading

import pytest

from isograd.kernels.cuda.sending import nothing_sent


@pytest.fixture
def cuda(monkeypatch):
    """cupy.cuda, whose pool of host memory gives out numbers: there is no driver."""
    cupy = pytest.importorskip("cupy")

    class Pool:
        def malloc(self, size):
            return cupy.cuda.PinnedMemoryPointer(cupy.cuda.PinnedMemory(0), 0)

    own = cupy.get_default_pinned_memory_pool
    monkeypatch.setattr(cupy, "get_default_pinned_memory_pool", Pool)
    yield cupy.cuda
    cupy.cuda.set_pinned_memory_allocator(own().malloc)


def test_sending_is_an_error_until_the_block_ends(cuda):
    with nothing_sent(), pytest.raises(RuntimeError, match="of the host would be sent"):
        cuda.alloc_pinned_memory(8)
    cuda.alloc_pinned_memory(8)


def test_an_error_in_the_block_ends_it_too(cuda):
    with pytest.raises(ZeroDivisionError), nothing_sent():
        raise ZeroDivisionError
    cuda.alloc_pinned_memory(8)


def test_other_threads_may_send(cuda):
    sent = []
    with nothing_sent():
        thread = threading.Thread(target=lambda: sent.append(cuda.alloc_pinned_memory(8)))
        thread.start()
        thread.join()
    assert len(sent) == 1
