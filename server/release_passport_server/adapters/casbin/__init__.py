"""Role-based access with Casbin: the model says what a grant means, an index answers in a microsecond."""

from release_passport_server.adapters.casbin.index import AccessIndex

__all__ = ["AccessIndex"]
