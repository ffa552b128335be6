"""Reads and verifies a transparency log without asking its server: RFC 6962 trees, C2SP notes, tiles and proofs."""
