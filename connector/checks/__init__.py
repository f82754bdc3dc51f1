"""Test Connectivity: every permission in order, each failure with its remedy (P18)."""
