"""Kubernetes API servers, read one object at a time."""
