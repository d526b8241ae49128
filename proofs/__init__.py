"""Proofs that the gate cannot be fooled, hung or silenced. See README.md; nothing here ships with cfgate."""
