"""Writes a decision in the form that was asked for."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import click

from release_passport.cli.render.view import DecisionView


def write_decision(view: DecisionView, form: str, *, data: dict[str, Any], exit_code: int = 0) -> None:
    """Write the decision to standard output; `data` is what json and yaml show."""
    if form == "markdown":
        from release_passport.cli.render.markdown import decision_markdown

        click.echo(decision_markdown(view), nl=False)
    elif form == "junit":
        from release_passport.cli.render.junit import decision_junit

        click.echo(decision_junit(view), nl=False)
    elif form == "github":
        from release_passport.cli.render.github import workflow_commands, write_files

        click.echo(workflow_commands(view, exit_code=exit_code), nl=False)
        write_files(view, exit_code=exit_code, environ=os.environ)
    elif form == "table":
        from release_passport.cli.render.decision_table import decision_document
        from release_passport.cli.render.screen import show

        show(decision_document(view, now=datetime.now(UTC)))
    else:
        from release_passport.cli.render.machine import write_data
        from release_passport.cli.render.sarif import decision_sarif

        write_data(decision_sarif(view) if form == "sarif" else data, "json" if form == "sarif" else form)
