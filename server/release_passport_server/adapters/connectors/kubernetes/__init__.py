"""Connectors that read objects of Kubernetes, each one named object and what it names: never a list of them."""
