"""Flagger and Argo Rollouts as a gate meets them: what each does with an answer, as rows taken from their sources.

The rows are facts about the controllers (Flagger v1.44.0, pkg/controller/webhook.go, scheduler.go and
scheduler_hooks.go; Argo Rollouts v1.9, metricproviders/webmetric, utils/evaluate, analysis and utils/defaults). None is
taken from this project's code.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

# Answer of a webhook, and what Flagger does: (id, status, proceeds, tries again at once).
FLAGGER_ANSWERS = [
    ("200", 200, True, False),
    ("201", 201, True, False),
    ("202", 202, True, False),
    ("203", 203, False, False),
    ("204", 204, False, False),
    ("206", 206, False, False),
    ("302-to-a-log-in-page", 302, True, False),
    ("304", 304, False, False),
    ("400", 400, False, False),
    ("401", 401, False, False),
    ("403", 403, False, False),
    ("404", 404, False, False),
    ("429", 429, False, True),
    ("500", 500, False, True),
    ("501", 501, False, False),
    ("503", 503, False, True),
]

# Hook, whether a refusal counts as a failed check, and whether it is asked again each interval.
FLAGGER_HOOKS = {
    "confirm-rollout": (False, True),
    "pre-rollout": (True, True),
    "rollout": (True, True),
    "confirm-traffic-increase": (False, True),
    "confirm-promotion": (False, True),
    "post-rollout": (False, False),
    "rollback": (False, True),
    "event": (False, False),
}
FLAGGER_DEFAULTS = {"interval": 60, "threshold": 1, "timeout": 10, "retries": 0}

# Body, and the phase of a measurement with both conditions, with the success condition alone, with the failure
# condition alone.
ARGO_ANSWERS = [
    ('{"verdict":"allow"}', "Successful", "Successful", "Successful"),
    ('{"verdict":"deny"}', "Failed", "Failed", "Failed"),
    ('{"verdict":"hold"}', "Inconclusive", "Failed", "Successful"),
    ("{}", "Inconclusive", "Failed", "Successful"),
    ('{"verdict":null}', "Inconclusive", "Failed", "Successful"),
    ('{"verdict":1}', "Inconclusive", "Failed", "Successful"),
    ('{"verdict":[]}', "Inconclusive", "Failed", "Successful"),
    ("[]", "Error", "Error", "Error"),
    ('"allow"', "Error", "Error", "Error"),
    ("null", "Error", "Error", "Error"),
    ("<html>", "Error", "Error", "Error"),
    ("", "Error", "Error", "Error"),
]
ARGO_DEFAULTS = {
    "failureLimit": 0,
    "inconclusiveLimit": 0,
    "consecutiveErrorLimit": 4,
    "retry": 10,
    "timeout": 10,
}


def proceeds(status: int) -> bool:
    """Say whether Flagger goes on at a status, a redirect followed to a page that answers 200."""
    return next(one[2] for one in FLAGGER_ANSWERS if one[1] == status)


@dataclass(slots=True)
class Flagger:
    """The loop over one weighted Canary: each tick is one interval; `ask` gives the status at a hook."""

    ask: Callable[[str], Awaitable[int]]
    show: Callable[[str, int], None]
    hooks: tuple[str, ...]
    step: int = 10
    most: int = 50
    threshold: int = 5
    phase: str = "Succeeded"
    weight: int = 0
    failed_checks: int = 0
    metrics_pass: bool = True
    calls: list[tuple[str, int]] = field(default_factory=list)

    async def tick(self) -> None:
        """Advance by one interval."""
        match self.phase:
            case "Succeeded" | "Failed" | "Waiting" | "Initialized":
                await self._start()
            case "Progressing":
                await self._advance()
            case "WaitingPromotion":
                await self._promote()
        self._show()

    async def _start(self) -> None:
        if not await self._passes("confirm-rollout"):
            self.phase = "Waiting"
            return
        self.phase, self.weight, self.failed_checks = "Progressing", 0, 0

    async def _advance(self) -> None:
        if await self._told_to_roll_back() or await self._fails():
            return
        if self.weight < self.most:
            if await self._passes("confirm-traffic-increase"):
                self.weight += self.step
            return
        await self._promote()

    async def _promote(self) -> None:
        if self.phase == "WaitingPromotion" and (await self._told_to_roll_back() or await self._fails()):
            return
        if not await self._passes("confirm-promotion"):
            self.phase = "WaitingPromotion"
            return
        self.phase, self.weight = "Succeeded", 0
        self._show()
        await self._passes("post-rollout")

    async def _fails(self) -> bool:
        """Count failed checks, and roll back at the threshold."""
        counted = [hook for hook in self.hooks if FLAGGER_HOOKS[hook][0]]
        asked = [hook for hook in counted if hook != "pre-rollout" or self.weight == 0]
        passed = [await self._passes(hook) for hook in asked]
        if self.metrics_pass and all(passed):
            return False
        self.failed_checks += 1
        if self.failed_checks >= self.threshold:
            await self._roll_back()
        return True

    async def _told_to_roll_back(self) -> bool:
        if "rollback" not in self.hooks or not await self._passes("rollback"):
            return False
        await self._roll_back()
        return True

    async def _roll_back(self) -> None:
        self.phase, self.weight = "Failed", 0
        self._show()
        await self._passes("post-rollout")

    async def _passes(self, hook: str) -> bool:
        if hook not in self.hooks:
            # A hook that is not there asks nobody: only what it would have stopped goes on.
            return True
        status = await self.ask(hook)
        self.calls.append((hook, status))
        return proceeds(status)

    def _show(self) -> None:
        # While it waits for the promotion the status says 0, although the traffic is where it was.
        self.show(self.phase, 0 if self.phase == "WaitingPromotion" else self.weight)


def phase_of(status: int, body: str) -> str:
    """Return what a measurement with both conditions comes to."""
    if not 200 <= status < 300:
        return "Error"
    for text, both, _, _ in ARGO_ANSWERS:
        if text == body:
            return both
    raise AssertionError(f"no row says what becomes of {body!r}")


@dataclass(slots=True)
class ArgoMetric:
    """One metric of an AnalysisRun that is measured again and again; `ask` gives status and verdict."""

    ask: Callable[[], Awaitable[tuple[int, str]]]
    count: int = 2880
    inconclusive_limit: int = 2880
    error_limit: int = 2880
    failure_limit: int = 0
    success_limit: int = 1
    phase: str = "Running"
    measured: list[str] = field(default_factory=list)

    async def measure(self) -> None:
        """Take one measurement, unless the run has ended."""
        if self.phase != "Running":
            return
        status, verdict = await self.ask()
        self.measured.append(phase_of(status, f'{{"verdict":"{verdict}"}}'))
        if self.measured.count("Failed") > self.failure_limit:
            self.phase = "Failed"
        elif self.measured.count("Inconclusive") > self.inconclusive_limit:
            self.phase = "Inconclusive"
        elif self._at_the_end("Error") > self.error_limit:
            self.phase = "Error"
        elif self._enough():
            self.phase = "Successful"

    def _enough(self) -> bool:
        """Say whether there are as many successes in a row as asked for, or all measurements."""
        in_a_row = bool(self.success_limit) and self._at_the_end("Successful") >= self.success_limit
        return in_a_row or len(self.measured) >= self.count

    def _at_the_end(self, phase: str) -> int:
        found = 0
        for one in reversed(self.measured):
            if one != phase:
                break
            found += 1
        return found
