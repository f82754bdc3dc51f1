"""Runs: queue, lease, heartbeat, history, approvals, what is due."""
