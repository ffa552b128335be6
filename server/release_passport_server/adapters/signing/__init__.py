"""Signs what leaves the service, with keys out of files."""
