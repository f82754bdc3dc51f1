"""What `serve` does beside serving: it queues runs by the schedule, and executes what is queued in child processes."""
