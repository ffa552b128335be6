"""Runs in the pool's processes only: reads a bundle, verifies it, and reports what it says."""
