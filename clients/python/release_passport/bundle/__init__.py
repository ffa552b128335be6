"""Reads and verifies passports that were exported, without the server that made them."""
