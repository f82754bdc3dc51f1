"""Settings become parts, one module a capability: the only place that knows both."""
