"""Where parameters, gradients and moments stand, and who may move them."""

import gc
import weakref

import numpy as np
import pytest

import isograd as ig
from isograd import nn
from isograd.backend import array_namespace
from isograd.backend.errors import DeviceError, DtypeError, ShapeError, StaleArrayError
from isograd.nn.optimizers import layout as layouts

SHAPES = [(3, 5), (5,), (), (2, 0), (7, 1)]


def parameters(shapes=SHAPES, dtype="float32", seed=0):
    generator = ig.random.Generator(seed)
    return [nn.Parameter(generator.normal(shape, dtype=dtype)) for shape in shapes]


def values(tensors):
    return [ig.to_numpy(p.data).copy() for p in tensors]


def layout_of(optimizer):
    (arena,) = optimizer.param_groups[0].arenas
    return arena.layout


def backward(tensors):
    """Gradients 2 p, through the tape."""
    xp = array_namespace(*tensors)
    sum((xp.sum(p * p) for p in tensors[1:]), xp.sum(tensors[0] * tensors[0])).backward()


def test_a_parameter_keeps_its_values_when_it_is_laid_out(device):
    tensors = parameters()
    before = values(tensors)
    nn.Adam(tensors)
    assert all(np.array_equal(a, b) for a, b in zip(before, values(tensors), strict=True))
    assert [p.shape for p in tensors] == SHAPES


def test_values_and_gradients_are_views_of_two_flat_buffers(device):
    tensors = parameters()
    layout = layout_of(nn.Adam(tensors))
    backward(tensors)
    layout.values[...] = 2.0
    layout.gradients[...] = 3.0
    assert all(np.all(x == 2.0) for x in values(tensors))
    assert all(np.all(ig.to_numpy(p.grad) == 3.0) for p in tensors)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_view_starts_at_a_multiple_of_256_bytes(dtype):
    tensors = parameters(dtype=dtype)
    layout = layout_of(nn.Adam(tensors))
    starts = [p.data.ctypes.data for p in tensors if p.size]
    starts += [x.ctypes.data for x in (layout.values, layout.gradients)]
    assert all(address % 256 == 0 for address in starts)


def test_gaps_between_parameters_stay_zero(device):
    tensors = parameters()
    optimizer = nn.AdamW(tensors, lr=0.1)
    for _ in range(3):
        backward(tensors)
        optimizer.step()
        optimizer.zero_grad()
    (arena,) = optimizer.param_groups[0].arenas
    inside = np.zeros(arena.layout.stops[-1], bool)
    for start, stop in zip(arena.layout.starts, arena.layout.stops, strict=True):
        inside[start:stop] = True
    moments = [arena.moment(name) for name in nn.Adam.moment_names]
    buffers = [arena.layout.values, arena.layout.gradients, *moments]
    assert inside.sum() == sum(p.size for p in tensors) < inside.size
    assert all(not ig.to_numpy(buffer)[~inside].any() for buffer in buffers)


def test_rmsprop_without_eps_does_not_divide_zero_by_zero_between_parameters(device):
    tensors = parameters()
    optimizer = nn.RMSprop(tensors, lr=0.1, eps=0.0)
    backward(tensors)
    optimizer.step()  # a warning is an error here
    assert not np.any(np.isnan(ig.to_numpy(layout_of(optimizer).values)))


def test_the_backward_pass_writes_into_the_gradient_buffer(device):
    tensors = parameters()
    layout = layout_of(nn.SGD(tensors))
    backward(tensors)
    gradients = ig.to_numpy(layout.gradients)
    for p, start, stop in zip(tensors, layout.starts, layout.stops, strict=True):
        assert np.array_equal(gradients[start:stop], 2.0 * ig.to_numpy(p.data).ravel())


def test_two_backward_passes_add_up_and_zero_grad_starts_anew(device):
    tensors = parameters()
    optimizer = nn.SGD(tensors)
    backward(tensors)
    backward(tensors)
    twice = ig.to_numpy(tensors[0].grad).copy()
    optimizer.zero_grad()
    assert tensors[0].grad is None
    backward(tensors)
    assert np.array_equal(2.0 * ig.to_numpy(tensors[0].grad), twice)


def test_a_backward_pass_adds_to_a_gradient_that_was_set_by_hand(device):
    p = parameters([(4,)])[0]
    nn.SGD([p])
    p.grad = ig.array([10.0] * 4)
    backward([p])
    np.testing.assert_allclose(ig.to_numpy(p.grad), 10.0 + 2.0 * values([p])[0], rtol=1e-6)


def test_a_gradient_set_by_hand_is_used_as_it_is_at_each_step(device):
    p = nn.Parameter(ig.array([1.0, 2.0]))
    optimizer = nn.SGD([p], lr=1.0)
    p.grad = ig.array([1.0, 1.0])
    optimizer.step()
    p.grad[...] = 3.0  # the same array, changed
    optimizer.step()
    assert ig.to_numpy(p.data).tolist() == [-3.0, -2.0]


@pytest.mark.parametrize("without", [{0}, {1}, {4}, {1, 3}, {0, 1, 2, 3, 4}])
def test_parameters_without_a_gradient_are_left_alone(device, without):
    tensors = parameters()
    optimizer = nn.Adam(tensors, lr=0.1, weight_decay=0.1)
    backward(tensors)
    optimizer.step()
    optimizer.zero_grad()
    before = values(tensors)
    used = [p for i, p in enumerate(tensors) if i not in without]
    if used:
        backward(used)
    optimizer.step()
    for i, (old, new) in enumerate(zip(before, values(tensors), strict=True)):
        assert np.array_equal(old, new) == (i in without or old.size == 0)


def test_each_parameter_counts_its_own_steps():
    """Bias correction of a parameter that pauses goes on where it stopped, as in torch."""
    alone, paused = parameters([(3,)]), parameters([(3,), (3,)], seed=0)
    optimizer, other = nn.Adam(alone, lr=0.1), nn.Adam(paused, lr=0.1)
    for step in range(6):
        for p in paused:
            p.grad = ig.array([1.0, -2.0, 0.5])
        if step % 2:
            paused[0].grad = None
        else:
            alone[0].grad = ig.array([1.0, -2.0, 0.5])
            optimizer.step()
        other.step()
    assert np.array_equal(alone[0].data, paused[0].data)
    assert other.param_groups[0].arenas[0].n_updates == [3, 6]


def test_a_frozen_parameter_is_skipped_and_learns_once_it_is_thawed():
    frozen, free = parameters([(3,), (3,)])
    frozen.requires_grad = False
    optimizer = nn.SGD([frozen, free], lr=1.0)
    before = values([frozen])[0]
    backward([free])
    optimizer.step()
    assert np.array_equal(frozen.data, before)
    frozen.requires_grad = True
    backward([frozen])
    optimizer.step()
    np.testing.assert_allclose(frozen.data, -before, rtol=1e-6)
    optimizer.zero_grad()
    backward([frozen])  # from now on straight into the buffer
    assert np.shares_memory(frozen.grad, layout_of(optimizer).gradients)


def test_a_step_makes_graphs_recorded_before_it_stale(device):
    tensors = parameters([(3,)])
    optimizer = nn.SGD(tensors, lr=0.1)
    xp = array_namespace(tensors[0])
    loss = xp.sum(tensors[0] * tensors[0])
    tensors[0].grad = ig.array([1.0, 1.0, 1.0])
    optimizer.step()
    with pytest.raises(StaleArrayError, match="changed in place"):
        loss.backward()


def test_a_step_does_not_make_graphs_of_skipped_parameters_stale():
    used, unused = parameters([(3,), (3,)])
    optimizer = nn.SGD([used, unused], lr=0.1)
    xp = array_namespace(unused)
    loss = xp.sum(unused * unused)
    used.grad = ig.array([1.0, 1.0, 1.0])
    optimizer.step()
    loss.backward()
    assert unused.grad is not None


def test_a_parameter_moved_to_another_device_is_refused_with_the_remedy():
    pytest.importorskip("array_api_strict")
    model = nn.Linear(3, 2)
    optimizer = nn.Adam(model.parameters())
    model.to("strict:device1")
    for p in model.parameters():
        p.grad = ig.to_device(ig.array(np.ones(p.shape, np.float32)), "strict:device1")
    with pytest.raises(DeviceError, match=r"on cpu.*got strict:device1.*after model.to\(device\)"):
        optimizer.step()


def test_a_gradient_set_by_hand_must_fit():
    p = parameters([(3,)])[0]
    optimizer = nn.SGD([p])
    p.grad = ig.array([1.0, 2.0, 3.0], dtype="float64")
    with pytest.raises(DtypeError, match="gradient of shape \\(3,\\) must be float32"):
        optimizer.step()
    with pytest.raises(ShapeError):
        p.grad = ig.array([1.0])


def test_two_optimizers_of_the_same_parameters_share_one_layout(device):
    tensors = parameters()
    first, second = nn.SGD(tensors, lr=0.1), nn.Adam(tensors)
    assert layout_of(first) is layout_of(second)


def test_two_optimizers_of_overlapping_parameters_both_go_on(device):
    tensors, expected = parameters([(3,), (4,)]), parameters([(3,), (4,)])
    first, second = nn.SGD(tensors, lr=0.25), nn.SGD(tensors[:1], lr=0.5)
    for _ in range(2):
        for optimizer in (first, second):
            backward(tensors)
            optimizer.step()
            first.zero_grad()
    np.testing.assert_allclose(values(tensors)[0], 0.0)  # the second takes p - 0.5 * 2 p
    np.testing.assert_allclose(values(tensors)[1], 0.25 * values(expected)[1], rtol=1e-6)


def test_parameters_of_two_dtypes_in_one_group_get_an_arena_each(device):
    tensors = [*parameters([(3,)]), *parameters([(4,)], dtype="float64"), *parameters([(2,)])]
    optimizer = nn.Adam(tensors, lr=0.1)
    before = values(tensors)
    for p in tensors:
        p.grad = p.data * 1.0
    optimizer.step()
    assert [len(a.parameters) for a in optimizer.param_groups[0].arenas] == [2, 1]
    for old, new in zip(before, values(tensors), strict=True):  # Adam's first step is lr sign(dp)
        np.testing.assert_allclose(new, old - 0.1 * np.sign(old), rtol=1e-5)


def test_an_optimizer_that_is_gone_frees_its_layout():
    optimizer = nn.Adam(parameters())
    gone = weakref.ref(layout_of(optimizer))
    del optimizer
    gc.collect()
    assert gone() is None


def test_slices_are_tried_for_shared_memory(device):
    assert layouts.slices_share_memory(ig.array([1.0]))


def test_a_library_whose_slices_are_copies_is_found_out(monkeypatch):
    class Copying(np.ndarray):
        def __getitem__(self, key):
            return np.array(super().__getitem__(key))

    def copying_namespace(*arrays):
        xp = array_namespace(*arrays)

        class Namespace:
            zeros = staticmethod(lambda *a, device=None, **k: np.zeros(*a, **k).view(Copying))
            reshape = staticmethod(xp.reshape)
            all = staticmethod(xp.all)

        return Namespace

    monkeypatch.setattr(layouts, "array_namespace", copying_namespace)
    assert not layouts.slices_share_memory(ig.array([1.0]))


def test_no_memory_is_allocated_by_a_step():
    """The largest of the arrays would be 4 MB; what Python itself needs is far less."""
    tracemalloc = pytest.importorskip("tracemalloc")
    p = nn.Parameter(np.ones(1_000_000, np.float32))
    optimizer = nn.Adam([p], weight_decay=0.1)
    p.grad = np.ones(1_000_000, np.float32)
    optimizer.step()
    tracemalloc.start()
    try:
        optimizer.step()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
