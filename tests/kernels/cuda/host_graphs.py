"""Captured steps without a GPU: the GraphMaker of isograd.kernels.cuda.graph on host memory."""


class HostGraphs:
    """Records what a HostCupy launches; what was allocated meanwhile lives as the replay does."""

    def __init__(self, host_cupy):
        self._host = host_cupy
        self.n_replays = 0
        self.n_copies = 0  # of arguments

    def record(self, function):
        """(what replays the launches of function(), its result)."""
        cuda, compiler = self._host.cupy.cuda, self._host.compiler
        kept, allocate = [], cuda.get_allocator()

        def keeping(size):
            kept.append(allocate(size))
            return kept[-1]

        cuda.set_allocator(keeping)
        compiler.begin_recording()
        try:
            result = function()
        finally:
            recording = compiler.end_recording()
            cuda.set_allocator(allocate)

        def replay(kept=kept):
            self.n_replays += 1
            recording.replay()

        return replay, result

    def upload(self, block, target):
        """Copy bytes to an array."""
        self._host.view(target)[: block.size] = block

    def copy(self, array, target):
        """Copy the bytes of an array to one of the same size."""
        self.n_copies += 1
        self._host.view(target)[...] = self._host.view(array)
