"""The clusters that the server was given: a folder of small files each, as a service account's token is mounted."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from release_passport_server.domain.ids import is_slug
from release_passport_server.domain.outbound import Origin, OriginInvalid, Reach
from release_passport_server.ports.cluster import ClusterFailure, ClusterUnavailable

MAX_FILE = 64 * 1024


@dataclass(frozen=True, slots=True)
class ClusterFolder:
    """`{cluster}/server`, `token`, `ca.crt`, and `tenants` where not every tenant may use it.

    Files are read for each call: tokens are rotated, and the kubelet puts new files in the place of old ones.
    """

    folder: Path

    def knows(self, tenant: str, cluster: str) -> bool:
        """Say whether there is a cluster of that id for the tenant."""
        if not is_slug(cluster) or not (self.folder / cluster / "server").is_file():
            return False
        # Where the list cannot be read, nobody is on it.
        tenants = self.folder / cluster / "tenants"
        return not tenants.exists() or tenant in self.text(cluster, "tenants").split()

    def token(self, cluster: str) -> str:
        """Return the token as it is now, empty where there is none; raise ClusterUnavailable."""
        return self.text(cluster, "token")

    def server(self, cluster: str) -> str:
        """Return the address of the API server, without a slash at its end; raise ClusterUnavailable."""
        return self.text(cluster, "server").rstrip("/")

    def reach(self, cluster: str) -> Reach:
        """Return where calls to the cluster may go; raise ClusterUnavailable."""
        try:
            return Reach((Origin.of(self.server(cluster), internal=True),))
        except OriginInvalid as error:
            text = f"the server of cluster {cluster} {error}"
            raise ClusterUnavailable(ClusterFailure.CLUSTER_UNREACHABLE, text) from error

    def authority(self, cluster: str) -> tuple[Path | None, object]:
        """Return the file of authorities and what tells it from one put in its place; None stands for the system's."""
        path = self.folder / cluster / "ca.crt"
        try:
            found = path.stat()
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise _unreadable(cluster, "ca.crt") from error
        # A copy may have the time of what it replaces.
        return path, (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)

    def text(self, cluster: str, name: str) -> str:
        """Return what a file says, empty where there is none; raise ClusterUnavailable."""
        try:
            with (self.folder / cluster / name).open("rb") as file:
                return file.read(MAX_FILE).decode("utf-8").strip()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeError) as error:
            raise _unreadable(cluster, name) from error


def _unreadable(cluster: str, name: str) -> ClusterUnavailable:
    text = f"the {name} of cluster {cluster} cannot be read"
    return ClusterUnavailable(ClusterFailure.CLUSTER_UNREACHABLE, text)
