"""Values of a rotation, and the ports between engine, targets and vaults."""
