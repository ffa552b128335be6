"""`passport doctor`: check the way to the server, step by step."""

from __future__ import annotations

import click

from release_passport.cli import exit_codes
from release_passport.cli.options import connected
from release_passport.cli.session import Session


@click.command(short_help="Check the way to the server, step by step.")
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="URL",
    help="Look at the way to a gate too, from where you are; give it as its controller has it. Repeat for each.",
)
@connected()
def doctor(session: Session, gates: tuple[str, ...]) -> int:
    """Check configuration, connection, TLS, health, credential, clock and versions; say what to do about each.

    Exit 0 when nothing failed, else the code that `passport gate` would give for the same trouble.
    """
    from release_passport.cli.checkup import OK, run_checks
    from release_passport.cli.gate_checkup import check_gate
    from release_passport.cli.render.machine import write_data
    from release_passport.cli.render.screen import show
    from release_passport.cli.render.text import Document, Span

    results = [*run_checks(session), *(check_gate(url) for url in gates)]
    if session.output == "table":
        document = Document()
        for result in results:
            style = {"ok": "ALLOW", "warn": "warning", "fail": "BLOCK"}.get(result.state, "dim")
            document.add(
                Span(f"{result.state:<5}", style), Span(f"{result.name:<8}", "strong"), result.text, hang=13
            )
            if result.advice:
                document.add(Span(f"→ {result.advice}", "next"), indent=13)
        show(document)
    else:
        data = [
            {"check": result.name, "state": result.state, "text": result.text, "advice": result.advice}
            for result in results
        ]
        write_data(data, session.output)
    failed = [result for result in results if result.state not in {OK, "warn", "skip"}]
    return failed[0].exit_code if failed else exit_codes.OK
