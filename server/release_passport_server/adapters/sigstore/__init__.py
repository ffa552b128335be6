"""Sigstore bundles, verified offline against pinned trusted roots.

`verifier` is what the server uses, and costs it next to nothing. `checks` is imported by the pool's processes alone:
the libraries that it needs take half a second and 50 MB.
"""
