"""The use cases: the full sync and its plan, and Test Connectivity."""
