"""Reads signed documents: DSSE envelopes, and the sets of public keys that may sign them."""
