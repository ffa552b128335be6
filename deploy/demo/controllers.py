"""Walk one release with a simulated controller that asks at a gate: held, a canary, degraded, rolled back.

The controllers do what the real ones do with an answer: Flagger goes on at 200 and waits at 403, and rolls back at 200
of its rollback hook; Argo Rollouts goes on with `allow`, asks again at `hold` and aborts at `deny`.
"""

from __future__ import annotations

import base64
import json
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from demo import NEW, OLD, Demo, DemoError, earlier_version, say, set_up
from evidence import Version, from_canary

TICK_SECONDS = 1.0
MOST_TICKS = 30
HOOKS = ("confirm-rollout", "confirm-traffic-increase", "confirm-promotion", "rollback", "post-rollout")
BAD = (0.081, 0.084, 0.079)
LATER = Version("1.43.0")


@dataclass
class Story:
    """A controller, the gate that it asks at, and the cluster that shows its state."""

    demo: Demo
    cluster: Cluster
    controller: str
    gate: str = ""
    credential: str = ""
    runs: Version = NEW

    def register(self) -> None:
        """Make the gate."""
        kind = "flagger" if self.controller == "flagger" else "argo-rollouts"
        made = self.demo.passport(
            *("admin", "edge", "add", "--controller", kind, "--cluster", "eu-1", "--namespace", "shop"),
            *("--object", "checkout", "--service", "checkout", "--environment", "prod"),
            *("--execute-rollbacks", "-o", "json"),
            shown=False,
        )
        print(
            f"$ passport edge add --controller {kind} --object checkout … --execute-rollbacks    # as admin"
        )
        found = json.loads(made)
        self.gate, self.credential = found["gate"]["name"].rpartition("/")[2], found["credential"]

    def show(self, phase: str, weight: int, step: int = 0) -> None:
        """Put the objects into the cluster as the controller keeps them."""
        containers = [{"name": "app", "image": f"registry.example/checkout@{self.runs.image}"}]
        template = {"spec": {"containers": containers}}
        if self.controller == "flagger":
            path = "/apis/apps/v1/namespaces/shop/deployments/checkout"
            self.cluster.put(path, "Deployment", {"template": template})
            webhooks = [{"type": one, "url": f"https://passport.example{self._path(one)}"} for one in HOOKS]
            analysis = {"stepWeight": 5, "maxWeight": 25, "threshold": 5, "webhooks": webhooks}
            target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "checkout"}
            path = "/apis/flagger.app/v1beta1/namespaces/shop/canaries/checkout"
            spec: dict[str, object] = {"targetRef": target, "analysis": analysis}
            self.cluster.put(path, "Canary", spec, {"phase": phase, "canaryWeight": weight})
            return
        steps = [{"analysis": {}}, {"setWeight": 10}, {"analysis": {}}, {"setWeight": 25}, {"analysis": {}}]
        status = {"phase": phase, "currentStepIndex": step, "currentPodHash": "7d9f", "stableRS": "5b77"}
        path = "/apis/argoproj.io/v1alpha1/namespaces/shop/rollouts/checkout"
        strategy = {"canary": {"steps": steps}}
        canary: dict[str, object] = {"replicas": 20, "template": template, "strategy": strategy}
        self.cluster.put(path, "Rollout", canary, dict(status))

    def ask(self, hook: str) -> tuple[int, str]:
        """Return status and body of an answer, as the controller gets them."""
        flagger = self.controller == "flagger"
        named = {"namespace": "shop", "name" if flagger else "rollout": "checkout"}
        basic = base64.b64encode(f"flagger:{self.credential}".encode()).decode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.demo.http}{self._path(hook)}",
            data=json.dumps(named).encode(),
            headers={
                "content-type": "application/json",
                "authorization": f"Basic {basic}" if flagger else f"Bearer {self.credential}",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()

    def goes(self, hook: str) -> bool:
        """Ask, print what came, and say whether the controller goes on; raise DemoError where it is told to abort."""
        status, body = self.ask(hook)
        if self.controller == "flagger":
            print(f"  {hook:<25} {status}  {body.splitlines()[0]}", flush=True)
            return status == 200
        found = json.loads(body)
        print(f"  {hook:<25} {found['verdict']:<6} {' '.join(found['reasons'])}", flush=True)
        if found["verdict"] == "deny":
            raise _Aborted
        return bool(found["verdict"] == "allow")

    def until(self, hook: str, *, go: bool) -> None:
        """Ask once each interval until the answer is this; raise DemoError where it never is."""
        for _ in range(MOST_TICKS):
            if self.goes(hook) == go:
                return
            time.sleep(TICK_SECONDS)
        raise DemoError(f"{hook} never {'went on' if go else 'waited'}")

    def found(self, hook: str) -> str:
        """Ask once each interval until what runs waits for a person's review; return what is shown of that."""
        for _ in range(MOST_TICKS):
            self.goes(hook)
            shown = self.demo.passport("admin", "override", "list", "--unreviewed", shown=False)
            if self.runs.number in shown:
                return shown
            time.sleep(TICK_SECONDS)
        raise DemoError("nobody has noticed")

    def attempt(self) -> str:
        """Return the rollout that the gate let begin."""
        shown = self.demo.passport("ci", "release", "get", NEW.release, "-o", "json", shown=False)
        return str(json.loads(shown)["attempts"][-1]["name"])

    def _path(self, hook: str) -> str:
        if self.controller == "flagger":
            return f"/v1/flagger/{self.gate}/{hook}"
        return f"/v1/argo-rollouts/{self.gate}/verdict?hook={hook}"


class _Aborted(Exception):
    """The controller was told to abort."""


def main() -> int:
    """Run the demo; return 0 where every step came out as told."""
    with ExitStack() as cleanup:
        folder = Path(cleanup.enter_context(tempfile.TemporaryDirectory(prefix="release-passport-demo-")))
        cluster = Cluster()
        cleanup.callback(cluster.stop)
        try:
            demo = Demo(folder, "")
            demo.settings = cluster.settings(folder)
            tell(Story(demo, cluster, sys.argv[1]), cleanup)
        except DemoError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1
    return 0


def tell(story: Story, cleanup: ExitStack) -> None:
    """Tell the story; raise DemoError where something comes out otherwise."""
    demo, flagger = story.demo, story.controller == "flagger"
    start, step = ("confirm-rollout", "confirm-traffic-increase") if flagger else ("inline", "inline")
    say("A server that may read one object of a cluster, the policies of the library, and an earlier version")
    demo.serve(cleanup)
    set_up(demo)
    earlier_version(demo)
    say(f"A gate for {'Flagger' if flagger else 'Argo Rollouts'}")
    story.register()
    say("Somebody applies 1.42.0. The controller asks, and waits: nothing is known about it")
    story.show("Succeeded" if flagger else "Progressing", 0)
    story.until(start, go=False)
    demo.create(NEW)
    story.until(start, go=False)
    say("The pipeline and the connectors submit what they know. The controller goes on by itself")
    demo.evidence_before(NEW, OLD)
    story.until(start, go=True)
    say("It moves traffic step by step while the canary looks well")
    story.show("Progressing", 0, 1)
    attempt = story.attempt()
    for weight, index in ((5, 1), (10, 2)):
        demo.submit("connector", from_canary(attempt, 0.003))
        story.until(step, go=True)
        story.show("Progressing", weight, index)
        print(f"  {weight} % of the traffic", flush=True)
    say("Then one in twelve requests to the canary fails, three times in a row")
    for error_rate in BAD:
        demo.submit("connector", from_canary(attempt, error_rate))
    try:
        story.until("rollback" if flagger else "background", go=flagger)
    except _Aborted:
        print("  the rollout is aborted", flush=True)
    story.show("Failed" if flagger else "Degraded", 0, 0)
    print("  0 % of the traffic: the controller has rolled back")
    if flagger:
        time.sleep(TICK_SECONDS)
        story.goes("post-rollout")
    else:
        done = ("ci", "release", "finish", attempt, "--outcome", "rolled-back", "--quiet")
        demo.passport(*done, shown=False)
    say("Everything is on record: what the gate was asked, and the passport of the release")
    demo.passport("admin", "edge", "health", story.gate)
    demo.passport("ci", "show", NEW.release)
    past_the_gate(story)


def past_the_gate(story: Story) -> None:
    """Put a version to run that the gate has let go nowhere; it is found all the same."""
    flagger = story.controller == "flagger"
    say(
        f"Somebody puts 1.43.0 to run past the gate: {'skipAnalysis' if flagger else 'promote --full'}. It is found"
    )
    story.runs = LATER
    story.demo.create(LATER)
    story.show("Succeeded" if flagger else "Progressing", 0, 2)
    shown = story.found("post-rollout" if flagger else "background")
    print("$ passport override list --unreviewed    # as admin")
    print(shown, end="")


if __name__ == "__main__":
    sys.exit(main())
