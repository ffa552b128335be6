"""The slowest expressions that are accepted, each repeated until no more of it is, on the largest accepted evidence."""

from __future__ import annotations

import random
import timeit
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from time import thread_time

from google.protobuf import struct_pb2

from release_passport.v1 import evidence_pb2, rule_context_pb2
from release_passport_server.adapters.cel.compiler import CELCompiler
from release_passport_server.domain.expression import CompiledRule, ExpressionContext
from release_passport_server.ports.expressions import NeedOptions

NOW = datetime(2026, 11, 2, 12, tzinfo=UTC)
CUSTOM = "custom:acme.example/load-test"
MOST = 600

# Lists of messages, of short texts and of long ones, texts of 4 KiB, and free-form facts.
FINDINGS = "evidence.vulnerability_scan.findings"
SHORT = "evidence.sbom.licenses"
LONG = "evidence.gitops_sync.image_digests"
TEXT, OTHER, NEEDLE = (f"evidence.change_ticket.{name}" for name in ("title", "id", "system"))
DIGESTS = "evidence.rollout_status.canary_image_digests"
FACTS = 'evidence.custom["acme.example/load-test"]'

# Each is true of the evidence, so that all of an expression is evaluated.
TERMS = {
    "read entries": f"{FINDINGS}.all(f, f.id != 'x')",
    "read texts in a loop": f"{SHORT}.all(t, {TEXT} != t)",
    "read texts in a nested loop": f"{SHORT}.all(t, {FINDINGS}.all(f, {TEXT} != t && {OTHER} != t))",
    "read entries in a nested loop": f"{FINDINGS}.all(f, {SHORT}.all(t, t != f.id))",
    "read long entries in a nested loop": f"{LONG}.all(a, {SHORT}.all(t, t != a))",
    "read facts in a loop": f"{SHORT}.all(t, {FACTS}.nums[0] >= 0.0)",
    "read facts in a nested loop": f"{SHORT}.all(t, {FINDINGS}.all(f, {FACTS}.nums[0] >= 0.0))",
    "read entries of facts": f"{FACTS}.list.all(f, f.a >= 0.0 && f.b == 'x')",
    "filter": f"{FINDINGS}.filter(f, f.id != 'x').size() > 0",
    "filter texts": f"{SHORT}.filter(t, t != 'x').size() > 0",
    "filter facts": f"{FACTS}.list.filter(f, f.b == 'x').size() > 0",
    "map": f"{FINDINGS}.map(f, f.id).size() > 0",
    "map to a text": f"{SHORT}.map(t, {TEXT}).size() > 0",
    "map to entries of facts": f"{FACTS}.list.map(f, f).size() > 0",
    "map to long texts, then read": f"{SHORT}.map(t, {TEXT}).all(x, !x.contains('zz'))",
    "compare lists": f"{SHORT} == {SHORT}",
    "compare lists in a loop": f"{SHORT}.all(t, {SHORT} == {SHORT})",
    "compare facts in a loop": f"{FACTS}.nums.all(n, {FACTS}.nums == {FACTS}.nums)",
    "find in a literal": f"{SHORT}.all(t, !(t in ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']))",
    "greatest of a list in a loop": f"{SHORT}.all(t, math.greatest({FACTS}.nums) > 0.0)",
    "search": f"!{TEXT}.contains({NEEDLE})",
    "search in a loop": f"{SHORT}.all(t, !{TEXT}.contains({NEEDLE}))",
    "search for a literal in a loop": f"{SHORT}.all(t, !{TEXT}.contains('{'a' * 60}b'))",
    "search for entries in a loop": f"{SHORT}.all(t, {TEXT}.indexOf(t) < 0)",
    "lower case in a loop": f"{SHORT}.all(t, {TEXT}.lowerAscii() != t)",
    "upper case in a loop": f"{SHORT}.all(t, {TEXT}.upperAscii() != t)",
    "trim in a loop": f"{SHORT}.all(t, {TEXT}.trim() != t)",
    "take one letter in a loop": f"{SHORT}.all(t, {TEXT}.charAt(4000) != 'z')",
    "take a part in a loop": f"{SHORT}.all(t, {TEXT}.substring(4000) != 'b')",
    "count in a loop": f"{SHORT}.all(t, {SHORT}.size() > 0 && {TEXT}.size() > 0)",
    "convert in a loop": f"{SHORT}.all(t, double({OTHER}) > 1.0)",
    "pattern that explodes": f"!{TEXT}.matches('[ab]*a[ab]{{60}}c')",
    "large pattern that explodes": f"!{TEXT}.matches('[ab]*a[ab]{{220}}c')",
    "pattern that explodes on entries": f"{SHORT}.all(t, !t.matches('[ab]*a[ab]{{8}}c'))",
    "pattern that explodes on long entries": f"{LONG}.all(t, !t.matches('[ab]*a[ab]{{8}}c'))",
    "pattern with optional parts": f"!{TEXT}.matches('(a?){{30}}(a{{20}}){{20}}b')",
    "steady pattern on entries": f"{SHORT}.all(t, t.matches('^[ab]{{50}}'))",
    "pattern of a digest on entries": f"{DIGESTS}.all(d, d.matches('^sha256:[0-9a-f]{{64}}$'))",
    "format": f"'%s%s'.format([{TEXT}, {TEXT}]).size() > 0",
    "long text": f"({'+'.join([TEXT] * 16)}).size() > 0",
    "long text in a loop": f"{SHORT}.all(t, variables.long.size() > 0)",
    "long text compared in a loop": f"{SHORT}.all(t, variables.long == variables.long)",
    "long text searched": f"!variables.long.contains({NEEDLE})",
    "map to a long text": f"{SHORT}.map(t, variables.long).size() > 0",
}
# `in` is for policies that are not enforced.
LOOSE = {
    "find in a list in a loop": f"{FINDINGS}.all(f, !(f.id in {SHORT}))",
    "find in a list in a nested loop": f"{FINDINGS}.all(f, {SHORT}.all(t, !(f.id in {SHORT})))",
    "find in facts in a loop": f"{SHORT}.all(t, !(7777.0 in {FACTS}.nums))",
}
VARIABLES = (("long", "+".join([f"({'+'.join([TEXT] * 8)})"] * 4)),)


@dataclass(frozen=True, slots=True)
class Worst:
    """The most of one term that is accepted, and what it takes."""

    name: str
    times: int
    rule: CompiledRule

    def milliseconds(self) -> float:
        """Return the processor's time, the best of five, each on a context of its own."""
        return (
            min(timeit.repeat(lambda: self.rule.expect(context()), timer=thread_time, number=1, repeat=5))
            * 1e3
        )


@cache
def largest_evidence() -> dict[str, object]:
    """Return items as large as intake accepts them."""
    letters = random.Random(1)

    def text(length: int) -> str:
        return "".join(letters.choice("ab") for _ in range(length))

    scan = evidence_pb2.VulnerabilityScan(critical=0, complete=True)
    for index in range(1000):
        scan.findings.add(
            id=f"CVE-2026-{index:05d}-of-some-package",
            severity="VULNERABILITY_SEVERITY_LOW",
            fixed_version="1",
        )
    facts = struct_pb2.Struct()
    facts.update({"list": [{"a": 1.0, "b": "x"}] * 1000, "nums": [float(n) for n in range(1000)]})
    items: dict[str, object] = {
        "vulnerability_scan": scan,
        "sbom": evidence_pb2.Sbom(licenses=[text(60) for _ in range(1000)]),
        "gitops_sync": evidence_pb2.GitopsSync(image_digests=[text(4090) for _ in range(15)]),
        "rollout_status": evidence_pb2.RolloutStatus(
            canary_image_digests=[f"sha256:{n:064x}" for n in range(880)]
        ),
        "change_ticket": evidence_pb2.ChangeTicket(title=text(4096), id="1" * 300, system="a" * 2047 + "c"),
        CUSTOM: facts,
    }
    assert all(item.ByteSize() <= 64 * 1024 for item in items.values())  # type: ignore[attr-defined]
    return items


def context() -> ExpressionContext:
    """Return a context that nothing has been read of yet."""
    release = rule_context_pb2.RuleRelease(service="checkout", environment="production")
    return ExpressionContext(release, None, NOW, largest_evidence(), {})


@cache
def worst_cases() -> tuple[Worst, ...]:
    """Return each term, joined to itself as often as is accepted; a term that is not accepted once is left out."""
    compiler = CELCompiler()
    strict = (_most(compiler, name, term, strict=True) for name, term in TERMS.items())
    loose = (_most(compiler, name, term, strict=False) for name, term in LOOSE.items())
    return tuple(found for terms in (strict, loose) for found in terms if found is not None)


def _most(compiler: CELCompiler, name: str, term: str, *, strict: bool) -> Worst | None:
    def accepted(times: int) -> CompiledRule | None:
        rule = compiler.compile_rule(
            when="",
            expect=" && ".join([term] * times),
            message="",
            variables=VARIABLES if "variables." in term else (),
            needs={kind: NeedOptions() for kind in largest_evidence()},
            strict=strict,
        )
        return rule if isinstance(rule, CompiledRule) else None

    found = [(times, rule) for times in _halving(accepted) if (rule := accepted(times)) is not None]
    return Worst(name, *max(found, key=lambda one: one[0])) if found else None


def _halving(accepted: Callable[[int], object]) -> Iterator[int]:
    """Yield how often was tried on the way to the most that is accepted."""
    low, high = 0, MOST
    while high - low > 1:
        middle = 1 if low == 0 and high == MOST else (low + high) // 2
        yield middle
        low, high = (middle, high) if accepted(middle) else (low, middle)
