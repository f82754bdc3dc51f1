"""`python -m benchmarks` measures everything, each benchmark at its full size."""

from benchmarks import serve, sync_calls, sync_memory

for benchmark in (sync_calls, sync_memory, serve):
    benchmark.main([])
