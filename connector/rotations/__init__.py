"""The run that rotates every account of the allow-list, and its report."""
