"""Mutation tests of the safeguard and the comparison; `make mutants` runs them, `make test` does not."""
