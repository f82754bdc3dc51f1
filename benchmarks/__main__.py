"""`python -m benchmarks` measures everything, each benchmark at its full size."""

from benchmarks import console, serve, serve_during_sync, sync_calls, sync_large, sync_memory, sync_quota

for benchmark in (sync_calls, sync_quota, sync_memory, sync_large, serve, serve_during_sync, console):
    benchmark.main([])
