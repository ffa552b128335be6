"""Kubernetes API servers, read and watched one object at a time."""
