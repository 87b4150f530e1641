"""`python -m isograd.benchmarks.gpu_report`: what is right and how fast it is, on the GPU at hand.

A section (sections.py) is one topic: an optimizer's step, matrix products, whole training steps.
The conductor runs it in a process of its own for each library (worker.py), under a time limit, so
that a hang, a full memory or a CUDA error ends that part alone. A section is a function of a Run
(run.py), which times calls, notes checks and facts, and writes each line at once (records.py).
targets.py holds what was predicted, tables.py puts both side by side.

--rehearse runs all of this without a GPU: tiny sizes, CuPy on host memory (rehearsal.py).
"""
