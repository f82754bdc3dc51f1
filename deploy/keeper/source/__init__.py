"""The hand-written halves of the Keeper plugins; the other half is `connector.rotation`."""
