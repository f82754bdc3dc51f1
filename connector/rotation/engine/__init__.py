"""The phases of a rotation, whatever the account and the vault (P26)."""
