"""Mutation tests of the safeguard and the comparison; `make mutants` tries all, `make test` a few."""
