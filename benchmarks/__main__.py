"""`python -m benchmarks` measures everything, each benchmark at its full size."""

from benchmarks import sync_calls, sync_memory

for benchmark in (sync_calls, sync_memory):
    benchmark.main([])
