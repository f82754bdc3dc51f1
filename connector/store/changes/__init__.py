"""Who changed, in a plan, by a run and between two generations: each with old and new values, filtered and in pages."""
