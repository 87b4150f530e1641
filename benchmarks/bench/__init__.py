"""`isograd bench`: the same work in isograd on each device and in other libraries, timed fairly.

Every candidate, a library on a device, lives in a process of its own (worker.py). The conductor
lets them agree on outputs and gradients first, then times blocks of calls in turn, and measures a
block again when other processes disturbed it; then again in several passes with new processes, as
two of them differ by more than their blocks show (statistics.ratio). What a workload is stands in
workload.py, the workloads in workloads/, the result's form in results.py. agreement.py tells
whether several runs agree.

What a worker imports (worker, sides, clocks, workload, catalogue, workloads, weights, installed)
imports nothing of isograd outside of functions: another library's process holds that library alone.
"""
