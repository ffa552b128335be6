"""Connectors: each file reads one slice of one system; `source` is how those with an address reach it."""
