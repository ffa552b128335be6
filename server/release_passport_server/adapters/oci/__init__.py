"""Image registries, read by the OCI distribution specification 1.1."""
