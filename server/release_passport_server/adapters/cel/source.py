"""Compile one expression: from text to a checked tree, or to problems with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass

from cel_expr_python import cel

from release_passport_server.adapters.cel.checked import Call, Checked, Const, Node, children, parse, place_of
from release_passport_server.adapters.cel.limits import MAX_BYTES
from release_passport_server.domain.expression import ExpressionProblem

MAX_PROBLEMS = 10

_ERROR = re.compile(r"^(?:[A-Z_]+: )?ERROR: <input>:(-?\d+):(-?\d+): (.*)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_UNDECLARED = re.compile(r"^undeclared reference to '(.*?)'.*$")
_TOO_DEEP = "the expression is nested too deeply (at most about 30 levels); split it into variables"


@dataclass(frozen=True, slots=True)
class Source:
    """An expression that type-checks."""

    field: str
    text: str
    checked: Checked
    expression: cel.Expression
    type: cel.Type

    def problem(self, node_id: int, problem: str) -> ExpressionProblem:
        """Return a problem at the place of a node."""
        line, column = self.checked.place(node_id)
        return ExpressionProblem(self.field, line, column, problem)


def compile_source(env: cel.Env, field: str, text: str) -> Source | list[ExpressionProblem]:
    """Return the checked expression, or what is wrong with its text or its types."""
    problem = _text_problem(field, text)
    if problem is not None:
        return [problem]
    try:
        expression = env.compile(text)
        checked = parse(expression.serialize(), text)
    except (RuntimeError, MemoryError, ValueError) as error:
        return _library_problems(field, str(error))
    if checked is None:
        return [ExpressionProblem(field, 1, 1, _TOO_DEEP)]
    source = Source(field, text, checked, expression, expression.return_type())
    return _bad_patterns(env, source) or source


def _text_problem(field: str, text: str) -> ExpressionProblem | None:
    if not text.strip():
        return ExpressionProblem(field, 1, 1, "the expression is empty")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        return ExpressionProblem(
            field, *place_of(text, error.start), "this is not a character (a lone surrogate)"
        )
    if size > MAX_BYTES:
        return ExpressionProblem(
            field, 1, 1, f"the expression is {size} bytes long; at most {MAX_BYTES} are allowed"
        )
    control = _CONTROL.search(text)
    if control:
        place = place_of(text, control.start())
        return ExpressionProblem(
            field, *place, f"the control character U+{ord(control[0]):04X} is not allowed"
        )
    return None


def _library_problems(field: str, error: str) -> list[ExpressionProblem]:
    if "recursion" in error:
        return [ExpressionProblem(field, 1, 1, _TOO_DEEP)]
    found = [
        ExpressionProblem(field, max(1, int(line)), max(1, int(column)), _worded(text))
        for line, column, text in _ERROR.findall(error)[:MAX_PROBLEMS]
    ]
    return found or [ExpressionProblem(field, 1, 1, "the expression cannot be compiled")]


def _worded(text: str) -> str:
    """Return the library's sentence in our words where its own would puzzle a reader."""
    undeclared = _UNDECLARED.match(text)
    if undeclared:
        name = undeclared[1]
        if name.startswith("evidence."):
            kind = name.split(".")[1]
            return f"there is no evidence of a kind `{kind[:100]}`, or it has no such field"
        return f"`{name[:100]}` is not known here"
    if text.startswith("unsupported syntax"):
        return "optional selection (`.?` and `[?]`) is not available in rules"
    return text.replace(" [INVALID_ARGUMENT]", "")[:300]


def _bad_patterns(env: cel.Env, source: Source) -> list[ExpressionProblem]:
    """Try each regular expression, which the library would only do when the rule is evaluated."""
    found = []
    for node, pattern in _patterns(source.checked.root):
        literal = "".join(f"\\U{ord(char):08x}" for char in pattern[:1000])
        if env.compile(f'"".matches("{literal}")').eval(env.Activation({})).type().name() != "BOOL":
            problem = "this is not a regular expression of RE2 (github.com/google/re2/wiki/Syntax)"
            found.append(source.problem(node.id, problem))
    return found[:MAX_PROBLEMS]


def _patterns(node: Node) -> list[tuple[Const, str]]:
    own: list[tuple[Const, str]] = []
    if isinstance(node, Call) and node.function == "matches" and isinstance(node.args[-1], Const):
        pattern = node.args[-1]
        own = [(pattern, pattern.value)] if isinstance(pattern.value, str) else []
    return own + [found for child in children(node) for found in _patterns(child)]
