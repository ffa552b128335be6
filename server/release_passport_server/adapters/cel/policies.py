"""Policies: checked as a whole, their expressions compiled, and each compiled revision kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from threading import Lock

from release_passport.v1 import policy_pb2, verdict_pb2
from release_passport_server.domain.catalog import PolicyDocument
from release_passport_server.domain.errors import Invalid, Violation
from release_passport_server.domain.expression import CompiledRule, ExpressionProblem
from release_passport_server.domain.policy import Policy
from release_passport_server.domain.verdict import Mode
from release_passport_server.ports.expressions import ExpressionCompiler, NeedOptions
from release_passport_server.ports.policies import PolicyOutline
from release_passport_server.wire.policy import match_from_proto, policy_from_spec, spec_digest
from release_passport_server.wire.policy_check import check_spec, is_too_large
from release_passport_server.wire.policy_warnings import spec_warnings
from release_passport_server.wire.policy_weakening import spec_weakenings

MAX_KEPT = 1024
# More than this many complaints help nobody, and do not fit into an answer's trailer.
MAX_PROBLEMS = 50

_Key = tuple[str, int, str]
_Checked = tuple[dict[str, CompiledRule], list[ExpressionProblem]]


class CELPolicies:
    """Checks and compiles policies; see the port. Safe to be used by several threads."""

    def __init__(self, compiler: ExpressionCompiler) -> None:
        self._compiler = compiler
        self._kept: OrderedDict[_Key, Policy] = OrderedDict()
        self._lock = Lock()

    def compile(self, document: PolicyDocument) -> Policy:
        """Return the policy ready to be judged; raise Invalid `POLICY_INVALID` with every problem."""
        key = (document.policy_id, document.revision, document.digest)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        spec = _spec(document.spec)
        compiled, problems = self._checked(spec)
        if problems:
            raise policy_invalid(document.policy_id, problems)
        policy = policy_from_spec(document.policy_id, document.revision, spec, compiled)
        with self._lock:
            self._kept[key] = policy
            while len(self._kept) > MAX_KEPT:
                self._kept.popitem(last=False)
        return policy

    def check(self, spec: object) -> tuple[ExpressionProblem, ...]:
        """Return every problem of a spec; none means that it compiles."""
        return tuple(self._checked(_spec(spec))[1])

    def warnings(self, spec: object) -> tuple[str, ...]:
        """Return what weakens a spec, in words; nothing of one that is too large to look at."""
        message = _spec(spec)
        return () if is_too_large(message) else spec_warnings(message)

    def weakenings(self, before: object, after: object | None) -> tuple[str, ...]:
        """Return what a change takes back of what a policy asks, in words; no spec means that it is deleted."""
        return spec_weakenings(_spec(before), None if after is None else _spec(after))

    def digest(self, spec: object) -> str:
        """Return the digest of a spec's canonical form."""
        return spec_digest(_spec(spec))

    def outline(self, spec: object) -> PolicyOutline:
        """Return where a checked spec applies."""
        message = _spec(spec)
        return PolicyOutline(Mode(message.mode), match_from_proto(message.match))

    def written(self, spec: object) -> bytes:
        """Return a spec as it is kept."""
        return _spec(spec).SerializeToString(deterministic=True)

    def read(self, body: bytes) -> object:
        """Return the spec that was kept."""
        return policy_pb2.PolicySpec.FromString(body)

    def _checked(self, spec: policy_pb2.PolicySpec) -> _Checked:
        problems = check_spec(spec)
        compiled: dict[str, CompiledRule] = {}
        if is_too_large(spec):
            return compiled, problems[:MAX_PROBLEMS]
        broken = tuple(problem.field for problem in problems)
        if any(field.startswith("variables") for field in broken):
            return compiled, problems[:MAX_PROBLEMS]
        found: dict[ExpressionProblem, None] = dict.fromkeys(problems)
        for index, rule in enumerate(spec.rules):
            path = f"rules[{index}]"
            # What a rule's expressions may read is unknown where its needs are.
            if _touches(broken, f"{path}.needs") or not rule.expect:
                continue
            result = self._compile(rule, spec)
            if isinstance(result, CompiledRule):
                compiled[rule.rule_id] = result
            else:
                found.update(dict.fromkeys(_placed(problem, path, spec) for problem in result))
        return compiled, list(found)[:MAX_PROBLEMS]

    def _compile(
        self, rule: policy_pb2.Rule, spec: policy_pb2.PolicySpec
    ) -> CompiledRule | Sequence[ExpressionProblem]:
        needs: Mapping[str, NeedOptions] = {
            need.kind: NeedOptions(allow_empty=need.allow_empty) for need in rule.needs
        }
        return self._compiler.compile_rule(
            when=rule.when,
            expect=rule.expect,
            message=rule.message,
            variables=[(variable.name, variable.expression) for variable in spec.variables],
            needs=needs,
            strict=spec.mode == verdict_pb2.POLICY_MODE_ENFORCE,
        )


def policy_invalid(policy_id: str, problems: Iterable[ExpressionProblem]) -> Invalid:
    """Return the error that names every problem of a policy with its place."""
    violations = [Violation(_path(problem.field), _described(problem)) for problem in problems]
    text = "; ".join(f"{v.field.removeprefix('policy.spec.')}: {v.description}" for v in violations)
    return Invalid("POLICY_INVALID", f"policy {policy_id} is refused: {text}", violations=violations)


def _path(field: str) -> str:
    return "policy.spec" if field == "spec" else f"policy.spec.{field}"


def _described(problem: ExpressionProblem) -> str:
    place = f"{problem.line}:{problem.column}: " if problem.line else ""
    return place + problem.problem


def _placed(problem: ExpressionProblem, path: str, spec: policy_pb2.PolicySpec) -> ExpressionProblem:
    """Return a problem with its path inside the spec; variables belong to no rule."""
    head, _, name = problem.field.partition(".")
    if head == "variables":
        names = [variable.name for variable in spec.variables]
        field = f"variables[{names.index(name)}].expression" if name in names else "variables"
    else:
        field = f"{path}.{problem.field}"
    return ExpressionProblem(field, problem.line, problem.column, problem.problem)


def _touches(fields: Iterable[str], path: str) -> bool:
    return any(field.startswith(path) for field in fields)


def _spec(spec: object) -> policy_pb2.PolicySpec:
    if not isinstance(spec, policy_pb2.PolicySpec):
        raise TypeError(f"a policy's spec is a PolicySpec message, not {type(spec).__name__}")
    return spec
