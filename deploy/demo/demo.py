"""Walk one release from HOLD to ALLOW_WITH_CANARY and on to ROLLBACK_RECOMMENDED.

Everything goes through the public API by the CLI, against a real server on the embedded store, with the policies of
the library, signed provenance and the real clock. `--without "unit tests"` leaves one submission out: it holds.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from evidence import Version, from_canary, from_connectors, from_pipeline
from signing import BuildKey

LIBRARY = Path(__file__).resolve().parents[2] / "policies" / "library"
OLD, NEW = Version("1.41.0"), Version("1.42.0")
# The policy that has rollouts watched for half an hour.
WATCHING = "watch-degrading-signals"
HOLD, ALLOW_WITH_CANARY, ROLLBACK_RECOMMENDED = 11, 14, 13
START_SECONDS = 60


class DemoError(Exception):
    """Something did not come out as the demo says."""


class Demo:
    """A server in a temporary folder, and people with tokens who use the CLI."""

    def __init__(self, folder: Path, without: str) -> None:
        self.folder = folder
        self.without = without
        # What else the server's settings say.
        self.settings = ""
        self.key = BuildKey.new()
        self.grpc, self.http = _free_ports(2)
        keep = {k: v for k, v in os.environ.items() if not k.startswith("PASSPORT_")}
        self.environment = keep | {
            "PASSPORT_CONFIG": str(folder / "no-config.yaml"),
            "PASSPORT_SERVER": f"127.0.0.1:{self.grpc}",
        }

    def serve(self, cleanup: ExitStack) -> None:
        """Make the store with its first admin token, and start the server on loopback."""
        config = self.folder / "server.yaml"
        config.write_text(
            f"store:\n  url: sqlite:///{self.folder / 'passport.db'}\n"
            f"grpc:\n  listen: 127.0.0.1:{self.grpc}\nhttp:\n  listen: 127.0.0.1:{self.http}\n{self.settings}"
        )
        made = self._run(["passport-server", "init", "--config", str(config)], shown="passport-server init")
        token = next(word for word in made.stdout.split() if word.startswith("rp1_"))
        (self.folder / "admin.token").write_text(token)
        log = cleanup.enter_context((self.folder / "server.log").open("wb"))
        print("$ passport-server serve &")
        server = subprocess.Popen(
            ["passport-server", "serve", "--config", str(config)],
            env=self._server_env(),
            stderr=log,
            stdout=log,
        )
        cleanup.callback(server.wait)
        cleanup.callback(server.terminate)
        self._wait_ready(server)

    def passport(self, who: str, *words: str, shown: bool = True, expect: int = 0) -> str:
        """Run one CLI command as somebody; return what it printed."""
        environment = {"PASSPORT_TOKEN_FILE": str(self.folder / f"{who}.token")}
        return self._run(
            ["passport", *words], shown=_shown(who, words) if shown else "", more=environment, expect=expect
        ).stdout

    def submit(self, who: str, items: object) -> None:
        """Submit evidence out of a file."""
        path = self.folder / "items.json"
        path.write_text(json.dumps(items))
        self.passport(who, "evidence", "submit", "-f", str(path), "--quiet", shown=False)

    def evidence_before(self, version: Version, back_to: Version | None) -> None:
        """Submit what the pipeline and the connectors know, but for what is left out."""
        if self.without != "provenance":
            bundle = self.folder / "provenance.json"
            bundle.write_bytes(self.key.provenance(version.image, version.commit, datetime.now(UTC)))
            self.passport(
                *("ci", "evidence", "submit", "provenance", "--subject-artifact", version.image),
                *("--bundle", str(bundle), "--quiet"),
                shown=False,
            )
        for who, items in (("ci", from_pipeline(version)), ("connector", from_connectors(version, back_to))):
            self.submit(who, [item for name, item in items.items() if name != self.without])

    def create(self, version: Version) -> None:
        """Register a release."""
        self.passport(
            *("ci", "release", "create", "--service", "checkout", "--environment", "prod"),
            *("--version", version.number, "--source-revision", version.commit),
            *("--artifact", f"registry.example/checkout@{version.image}"),
            *("--manifest-digest", version.manifests, "--quiet"),
            shown=False,
        )

    def start(self, version: Version) -> str:
        """Start the rollout on the newest decision; return the attempt's name."""
        listed = json.loads(
            self.passport("ci", "decision", "list", "--release", version.release, "-o", "json", shown=False)
        )
        decision = listed[0]["name"]
        made = self.passport(
            "ci", "release", "start", version.release, "--decision", decision, "-o", "json", shown=False
        )
        return str(json.loads(made)["name"])

    def _run(
        self, words: list[str], *, shown: str, more: dict[str, str] | None = None, expect: int = 0
    ) -> subprocess.CompletedProcess[str]:
        if shown:
            print(f"$ {shown}", flush=True)
        environment = self._server_env() | (more or {})
        done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != expect:
            wanted = f"expected exit code {expect}, got {done.returncode}"
            raise DemoError(f"{shlex.join(words)}\n{done.stdout}{done.stderr}\n{wanted}")
        if shown and "init" not in words:
            print(done.stdout, end="", flush=True)
        return done

    def _server_env(self) -> dict[str, str]:
        return dict(self.environment)

    def _wait_ready(self, server: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and server.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/readyz", timeout=1):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise DemoError(f"the server did not start:\n{(self.folder / 'server.log').read_text()}")


def main() -> int:
    """Run the demo; return 0 where every step came out as told, 11 where something was left out and it held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without", default="", help='leave one submission out, such as "unit tests"')
    without = parser.parse_args().without
    names = {"provenance", *from_pipeline(NEW), *from_connectors(NEW, OLD)}
    if without and without not in names:
        parser.error(f"--without takes one of: {', '.join(sorted(names))}")
    with ExitStack() as cleanup:
        folder = cleanup.enter_context(tempfile.TemporaryDirectory(prefix="release-passport-demo-"))
        try:
            return tell(Demo(Path(folder), without), cleanup)
        except DemoError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1


def tell(demo: Demo, cleanup: ExitStack) -> int:
    """Tell the story; return the exit code."""
    say("A server on the embedded store, an admin, and the policies of the library")
    demo.serve(cleanup)
    set_up(demo)
    say("An earlier version is in production already")
    earlier_version(demo)
    say("CI registers 1.42.0 and asks whether it may go out. Nothing is known about it: HOLD")
    demo.create(NEW)
    demo.passport("ci", "gate", "--release", NEW.release, expect=HOLD)
    print(f"(exit code {HOLD})")
    say("The pipeline and the connectors submit what they know, and CI asks again")
    demo.evidence_before(NEW, OLD)
    if demo.without:
        demo.passport("ci", "gate", "--release", NEW.release, expect=HOLD)
        print(f"(exit code {HOLD}: without {demo.without} it holds)")
        return HOLD
    demo.passport("ci", "gate", "--release", NEW.release, expect=ALLOW_WITH_CANARY)
    print(f"(exit code {ALLOW_WITH_CANARY})")
    say("The controller starts the rollout. Ten percent of the traffic, and the canary looks well")
    attempt = demo.start(NEW)
    demo.submit("connector", from_canary(attempt, 0.003))
    demo.passport("ci", "gate", "--release", NEW.release, expect=ALLOW_WITH_CANARY)
    say("Then one in twelve requests to the canary fails, three times in a row")
    for error_rate in (0.081, 0.084, 0.079):
        demo.submit("connector", from_canary(attempt, error_rate))
    demo.passport("ci", "gate", "--release", NEW.release, expect=ROLLBACK_RECOMMENDED)
    print(f"(exit code {ROLLBACK_RECOMMENDED})")
    say("Everything is on record: the passport of the release")
    demo.passport("ci", "show", NEW.release)
    return 0


def set_up(demo: Demo) -> None:
    """Register the service, the environment, the callers and the policies of the library."""
    (demo.folder / "build.pem").write_bytes(demo.key.pem)
    signer = str(demo.folder / "build.pem")
    demo.passport(
        *("admin", "service", "create", "checkout", "--title", "Checkout", "--label", "risk=high"),
        *("--signer", signer, "--quiet"),
        shown=False,
    )
    demo.passport(
        "admin", "environment", "create", "prod", "--label", "tier=production", "--quiet", shown=False
    )
    for who, principal in (("ci", "sa:ci"), ("connector", "connector:prod")):
        made = demo.passport("admin", "token", "create", principal, "--role", who, "--quiet", shown=False)
        token = next(word for word in made.split() if word.startswith("rp1_"))
        (demo.folder / f"{who}.token").write_text(token)
    demo.passport("admin", "policy", "apply", str(LIBRARY))


def earlier_version(demo: Demo) -> None:
    """Let an earlier version pass, so that there is something to go back to.

    Where rollouts are watched one passes after half an hour, so this one is from before they were.
    """
    demo.passport("admin", "policy", "delete", WATCHING, "--quiet", shown=False)
    demo.create(OLD)
    without, demo.without = demo.without, ""
    demo.evidence_before(OLD, None)
    demo.passport("ci", "gate", "--release", OLD.release, "--quiet", shown=False, expect=ALLOW_WITH_CANARY)
    attempt = demo.start(OLD)
    demo.passport("ci", "release", "finish", attempt, "--outcome", "passed", "--quiet", shown=False)
    demo.passport("admin", "policy", "apply", str(LIBRARY / f"{WATCHING}.yaml"), "--quiet", shown=False)
    demo.without = without
    print("1.41.0 was allowed, rolled out, and passed, before rollouts were watched")


def _shown(who: str, words: tuple[str, ...]) -> str:
    short = [Path(word).name if word.startswith("/") else word for word in words]
    return f"passport {shlex.join(short)}" + ("" if who == "ci" else f"    # as {who}")


def say(text: str) -> None:
    """Say what comes next."""
    print(f"\n── {text}\n", flush=True)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [int(one.getsockname()[1]) for one in sockets]
    for one in sockets:
        one.close()
    return ports


if __name__ == "__main__":
    sys.exit(main())
