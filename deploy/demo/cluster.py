"""A stand-in for the Kubernetes API: it gives single objects by name to who has the token, and nothing else."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TOKEN = "demo-cluster-token"  # noqa: S105 - of a cluster that lives as long as the demo
Objects = dict[str, object]


class Cluster:
    """Objects by their path in the API."""

    def __init__(self) -> None:
        self.objects: dict[str, Objects] = {}
        held = self.objects

        class API(BaseHTTPRequestHandler):
            # As the real one, it keeps connections open and sends an answer in one piece.
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                found = held.get(self.path)
                allowed = self.headers.get("authorization") == f"Bearer {TOKEN}"
                status = 403 if not allowed else 404 if found is None else 200
                body = json.dumps(found if status == 200 else {"kind": "Status", "code": status}).encode()
                self.send_response(status)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), API)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def settings(self, folder: Path) -> str:
        """Write what a server needs to read this cluster as eu-1; return the settings that name it."""
        here = folder / "clusters" / "eu-1"
        here.mkdir(parents=True)
        (here / "server").write_text(f"http://127.0.0.1:{self._server.server_port}")
        (here / "token").write_text(TOKEN)
        return f"clusters:\n  folder: {here.parent}\n"

    def put(self, path: str, kind: str, spec: Objects, status: Objects | None = None) -> None:
        """Put an object of the namespace shop that is called checkout."""
        metadata = {"name": "checkout", "namespace": "shop", "uid": f"demo-{kind.lower()}"}
        self.objects[path] = {"kind": kind, "metadata": metadata, "spec": spec, "status": status or {}}

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
