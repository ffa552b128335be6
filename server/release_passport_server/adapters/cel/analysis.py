"""Read a checked expression: which paths of evidence it reads, and whether they can be guarded.

A value that comes from evidence is followed as an `Origin` from its root through fields, keys, comprehensions
and variables until something uses it. Used values must be scalars or lists of scalars: whole messages may not be
compared or handed on, because an absent field inside them would read as its default, unseen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from release_passport_server.adapters.cel.checked import (
    Call,
    Checked,
    Comprehension,
    Const,
    Ident,
    ListLiteral,
    Node,
    Select,
    StructLiteral,
    appended,
)
from release_passport_server.adapters.cel.path import CUSTOM, EACH, Read, Step, StepKind, path_of
from release_passport_server.adapters.cel.shape import JSON, PLAIN, Form, Shape, shape_of_field

CUSTOM_VARIABLE = "evidence.custom"
VARIABLE = "variables."
RESERVED = frozenset({"evidence", "release", "attempt", "now", "variables"})
_EVIDENCE = "evidence."


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the evidence a value comes from. A `filtered` list may be empty though its source may not."""

    kind: str
    steps: tuple[Step, ...]
    shape: Shape
    filtered: bool = False

    def then(self, step: Step, shape: Shape) -> Origin:
        """Return the origin of what is one step further."""
        return Origin(self.kind, (*self.steps, step), shape)


@dataclass(slots=True)
class Analysis:
    """What an expression reads, and what is wrong with how it reads."""

    reads: set[Read] = field(default_factory=set)
    exempt: set[tuple[str, tuple[Step, ...]]] = field(default_factory=set)
    kinds: dict[str, int] = field(default_factory=dict)
    variables: set[str] = field(default_factory=set)
    reads_now: bool = False
    reads_attempt: bool = False
    problems: list[tuple[int, str]] = field(default_factory=list)
    result: Origin | None = None

    def required(self) -> set[Read]:
        """Return the reads that must be present: all but those that a has() asks about."""
        return {read for read in self.reads if (read.kind, read.steps) not in self.exempt}

    def absorb(self, other: Analysis, node_id: int) -> None:
        """Take over what the variable at a node reads."""
        self.reads |= other.reads
        self.exempt |= other.exempt
        self.kinds = dict.fromkeys(other.kinds, node_id) | self.kinds
        self.variables |= other.variables
        self.reads_now = self.reads_now or other.reads_now
        self.reads_attempt = self.reads_attempt or other.reads_attempt


Scope = Mapping[str, Origin | None]


@dataclass(frozen=True, slots=True)
class Rules:
    """How an expression may read: `strict` refuses has() and `in`, `evidence` is false in `when`."""

    strict: bool
    evidence: bool = True


def analyse(
    checked: Checked, shapes: Mapping[str, Shape], variables: Mapping[str, Analysis], rules: Rules
) -> Analysis:
    """Return what the expression reads; its result may still be a whole message, as a variable may be."""
    walk = _Walk(shapes, variables, rules, Analysis())
    walk.found.result = walk.value(checked.root, {})
    return walk.found


def use_result(analysis: Analysis, node_id: int) -> None:
    """Count the result of an expression as used; for every expression that is not a variable."""
    if analysis.result is not None:
        _use(analysis, analysis.result, node_id)


def _use(found: Analysis, origin: Origin, node_id: int) -> None:
    shape = origin.shape
    scalars = shape.form is Form.LIST and shape.element is not None and shape.element.form is Form.SCALAR
    if not (shape.form is Form.SCALAR or scalars or (shape.form is Form.JSON and origin.steps)):
        found.problems.append(
            (node_id, f"{_shown(origin)} cannot be used as a whole; read its fields one by one")
        )
        return
    found.reads.add(Read(origin.kind, origin.steps))


def _shown(origin: Origin) -> str:
    names = ("[]" if step.kind is StepKind.EACH else f".{step.name}" for step in origin.steps)
    return path_of(origin.kind) + "".join(names)


@dataclass(frozen=True, slots=True)
class _Walk:
    shapes: Mapping[str, Shape]
    known: Mapping[str, Analysis]
    rules: Rules
    found: Analysis

    def use(self, node: Node, scope: Scope) -> None:
        """Walk a node whose value is used by something that is not followed."""
        origin = self.value(node, scope)
        if origin is not None:
            _use(self.found, origin, node.id)

    def value(self, node: Node, scope: Scope) -> Origin | None:
        """Return where a node's value comes from; None when it is not evidence."""
        match node:
            case Ident():
                return self._ident(node, scope)
            case Select():
                return self._select(node, scope)
            case Call():
                return self._call(node, scope)
            case Comprehension():
                return self._comprehension(node, scope)
            case ListLiteral(elements=parts) | StructLiteral(parts=parts):
                for part in parts:
                    self.use(part, scope)
        return None

    def _refuse(self, node: Node, problem: str) -> None:
        self.found.problems.append((node.id, problem))

    def _ident(self, node: Ident, scope: Scope) -> Origin | None:
        name = node.name
        if name in scope:
            return scope[name]
        if name == CUSTOM_VARIABLE:
            self._refuse(node, 'facts of a custom kind are read as evidence.custom["domain/name"]')
            return None
        if name.startswith(_EVIDENCE):
            kind = name.removeprefix(_EVIDENCE)
            return self._root(node, kind, self.shapes[kind])
        if name.startswith(VARIABLE):
            return self._variable(node, name.removeprefix(VARIABLE))
        self.found.reads_now = self.found.reads_now or name == "now"
        self.found.reads_attempt = self.found.reads_attempt or name == "attempt"
        return None

    def _root(self, node: Node, kind: str, shape: Shape) -> Origin:
        if not self.rules.evidence:
            self._refuse(
                node, "`when` reads release, attempt and now only: what is missing must not switch a rule off"
            )
        self.found.kinds.setdefault(kind, node.id)
        self.found.reads.add(Read(kind, (), sized=True))
        return Origin(kind, (), shape)

    def _variable(self, node: Node, name: str) -> Origin | None:
        variable = self.known[name]
        if variable.kinds and not self.rules.evidence:
            self._refuse(node, f"`when` must not read evidence, and variables.{name} does")
        self.found.absorb(variable, node.id)
        self.found.variables.add(name)
        return variable.result

    def _select(self, node: Select, scope: Scope) -> Origin | None:
        origin = self.value(node.operand, scope)
        if origin is None:
            return None
        reached = _member(origin, node.field)
        if node.test_only:
            if self.rules.strict:
                self._refuse(
                    node,
                    "has() on evidence is refused in an ENFORCE policy: what is absent must hold",
                )
            self.found.exempt.add((reached.kind, reached.steps))
            return None
        return reached

    def _call(self, node: Call, scope: Scope) -> Origin | None:
        match node.function, node.args:
            case "_[_]", (holder, key):
                return self._index(holder, key, scope)
            case "size", (sized,):
                origin = self.value(sized, scope)
                if origin is not None:
                    self._sized(sized, origin)
            case "@in", (entry, holder):
                self.use(entry, scope)
                self._in(node, entry, self.value(holder, scope))
            case _, args:
                for arg in args:
                    self.use(arg, scope)
        return None

    def _index(self, holder: Node, key: Node, scope: Scope) -> Origin | None:
        self.use(key, scope)
        name = key.value if isinstance(key, Const) and isinstance(key.value, str) else None
        if name is not None and isinstance(holder, Ident) and holder.name == CUSTOM_VARIABLE:
            return self._root(holder, CUSTOM + name, JSON)
        origin = self.value(holder, scope)
        if origin is None:
            return None
        if name is not None:
            return _member(origin, name)
        # Which entry it will be is not known here, so every entry must be present.
        return origin.then(EACH, origin.shape.element or JSON)

    def _sized(self, node: Node, origin: Origin) -> None:
        if origin.shape.form is Form.SCALAR:
            _use(self.found, origin, node.id)
        elif not origin.filtered:
            self.found.reads.add(Read(origin.kind, origin.steps, sized=True))

    def _in(self, node: Call, entry: Node, origin: Origin | None) -> None:
        if origin is None:
            return
        if self.rules.strict:
            self._refuse(
                node,
                "`in` on evidence is refused in an ENFORCE policy, because what is absent is in nothing;"
                " ask a list with exists() or all(), and a map by its key",
            )
        if origin.shape.form is Form.LIST:
            _use(self.found, origin, node.id)
        elif isinstance(entry, Const) and isinstance(entry.value, str):
            member = _member(origin, entry.value)
            self.found.exempt.add((member.kind, member.steps))

    def _comprehension(self, node: Comprehension, scope: Scope) -> Origin | None:
        source = self.value(node.range, scope)
        names = [name for name in node.iter_vars if name in RESERVED]
        if names:
            self._refuse(
                node, f"a comprehension's variable cannot be called `{names[0]}`, which means something else"
            )
        element = None
        if source is not None:
            self._sized(node.range, source)
            element = source.then(EACH, source.shape.element or JSON)
            if source.shape.form is Form.MAP:
                # A map is iterated by its keys, which are always there.
                element = None
        inner: dict[str, Origin | None] = {
            **scope,
            **dict.fromkeys(node.iter_vars, element),
            node.accu_var: None,
        }
        self.use(node.accu_init, scope)
        self.use(node.condition, inner)
        added = appended(node)
        kept = isinstance(added, Ident) and element is not None and inner.get(added.name) is element
        if kept and source is not None and isinstance(node.result, Ident):
            if isinstance(node.step, Call) and node.step.function == "_?_:_":
                self.use(node.step.args[0], inner)
            return replace(source, filtered=True)
        self.use(node.step, inner)
        self.use(node.result, inner)
        return None


def _member(origin: Origin, name: str) -> Origin:
    shape = origin.shape
    if shape.form is Form.MESSAGE and shape.message is not None:
        return origin.then(Step(StepKind.FIELD, name), shape_of_field(shape.message.fields_by_name[name]))
    if shape.form is Form.MAP:
        return origin.then(Step(StepKind.KEY, name), shape.element or PLAIN)
    return origin.then(Step(StepKind.KEY, name), JSON)
