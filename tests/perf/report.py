"""What a bench run found: figures over rounds, their ratios to a reference, the machine; as a table and as JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import grpc

_PACKAGES = ("grpcio", "protobuf", "cel-expr-python", "sqlalchemy", "psycopg", "pycasbin")


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing that was measured, a value for each round; with a reference, also the ratio to it in each round."""

    name: str
    unit: str
    values: Sequence[float]
    reference: Sequence[float] = ()
    # What the ratio, or the value where there is no reference, has to reach: at least or at most so much.
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def ratios(self) -> list[float]:
        """Return value over reference, round by round."""
        if not self.reference:
            return []
        return [value / base for value, base in zip(self.values, self.reference, strict=True)]

    @property
    def judged(self) -> float:
        """Return what the bound is about: the median ratio, or the median value."""
        return median(self.ratios if self.reference else self.values)

    @property
    def reached(self) -> bool | None:
        """Say whether the bound is kept; None where there is none."""
        if self.at_least is not None:
            return self.judged >= self.at_least
        if self.at_most is not None:
            return self.judged <= self.at_most
        return None


@dataclass(slots=True)
class Report:
    """Everything that a run found, and what it left out."""

    figures: list[Figure] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    checks: list[str] = field(default_factory=list)

    def add(self, *figures: Figure) -> None:
        """Add figures, and print them at once for whoever waits."""
        for figure in figures:
            self.figures.append(figure)
            print("  " + "  ".join(cell.strip() for cell in _cells(figure) if cell.strip()), flush=True)

    def skip(self, name: str, why: str) -> None:
        """Say that something was not measured."""
        self.skipped[name] = why
        print(f"  {name}: skipped: {why}", flush=True)

    def table(self) -> str:
        """Return the table for people."""
        rows: list[tuple[str, ...]] = [("", "median", "spread", "of reference", "spread", "wanted", "")]
        rows += [_cells(figure) for figure in self.figures]
        widths = [max(len(row[column]) for row in rows) for column in range(7)]
        lines = [
            "  ".join(
                cell.ljust(width) if column in (0, 6) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, "", *self._footer()])

    def _footer(self) -> Iterator[str]:
        for check in self.checks:
            yield f"checked: {check}"
        for name, why in self.skipped.items():
            yield f"skipped: {name}: {why}"
        facts = machine()
        yield f"machine: {facts['processor']}, {facts['cores']} cores, {facts['system']}"
        yield "versions: " + ", ".join(f"{name} {found}" for name, found in facts["versions"].items())

    def write(self, path: Path) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        figures = [
            {**asdict(figure), "median": median(figure.values), "ratios": figure.ratios}
            | ({"median_ratio": median(figure.ratios)} if figure.reference else {})
            | {"reached": figure.reached}
            for figure in self.figures
        ]
        document = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "machine": machine(),
            "figures": figures,
            "checks": self.checks,
            "skipped": self.skipped,
        }
        path.write_text(json.dumps(document, indent=2) + "\n")


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    versions = {"Python": platform.python_version(), "gRPC core": grpc.__version__}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "absent"
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.release()}",
        "versions": versions,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _cells(figure: Figure) -> tuple[str, ...]:
    bound = ""
    if figure.at_least is not None:
        bound = f">= {figure.at_least:g}"
    elif figure.at_most is not None:
        bound = f"<= {figure.at_most:g}"
    reached = {True: "reached", False: "MISSED", None: ""}[figure.reached]
    return (
        figure.name,
        f"{_number(median(figure.values))} {figure.unit}",
        _spread(figure.values),
        _number(median(figure.ratios)) if figure.reference else "",
        _spread(figure.ratios) if figure.reference else "",
        bound,
        " ".join(part for part in (reached, figure.note) if part),
    )


def _spread(values: Sequence[float]) -> str:
    return f"{_number(min(values))}..{_number(max(values))}" if len(values) > 1 else ""


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"
