"""The entry of the command line: `passport`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from release_passport import __version__
from release_passport.cli import exit_codes
from release_passport.cli.lazy import LazyGroup
from release_passport.cli.options import connection_options

COMMANDS = {
    "gate": ("gate", "gate", "Ask whether a release may proceed; the exit code tells the verdicts apart."),
    "watch": ("watch", "watch", "Follow decisions as they change."),
    "window": ("window", "window", "See how rollouts are watched, and answer recommended rollbacks."),
    "edge": ("edge", "edge", "Keep the gates where Flagger and Argo Rollouts ask."),
    "notification": ("notification", "notification", "Keep the channels that are told of events."),
    "connector": ("connector", "connector", "Keep what reads evidence by itself."),
    "job": ("job", "job", "See what the worker has given up, and have it tried again."),
    "show": ("show", "show", "Show the passport of a release: all that is known about it."),
    "release": ("release", "release", "Register, find, start and finish releases."),
    "evidence": ("evidence", "evidence", "Submit, find and revoke evidence."),
    "decision": ("decision", "decision", "Read, explain and replay decisions."),
    "permit": ("permit", "permit", "Get and use what lets one rollout start, and report what was done."),
    "export": ("export", "export", "Export the passport of a release, to be checked offline."),
    "verify": ("verify", "verify", "Check an exported passport on any machine, without a server."),
    "audit": ("audit", "audit", "Read the audit log, and check that it is whole."),
    "policy": ("policy", "policy", "Apply, validate, test and read policies."),
    "simulate": ("simulate", "simulate", "See what would be decided, without recording it."),
    "service": ("service", "service", "Register services and their labels."),
    "environment": ("environment", "environment", "Register environments and their labels."),
    "observe-only": (
        "observe_only",
        "observe_only",
        "Let a service go ahead while nothing is enforced there.",
    ),
    "approve": ("approval", "approve", "Approve a release, after seeing exactly what is approved."),
    "reject": ("approval", "reject", "Reject a release: a veto."),
    "approval": ("approval", "approval", "See what waits for votes, and end votes."),
    "group": ("approval", "group", "Keep the groups that vote together."),
    "freeze": ("freeze", "freeze", "Keep times in which no release starts."),
    "waiver": ("waiver", "waiver", "Ask for, grant and end exceptions to findings."),
    "override": ("override", "override", "Break the glass, and have it reviewed."),
    "trust": ("trust", "trust", "Say whose signatures count: trusted roots, identities and keys."),
    "access": ("access", "access", "Grant and revoke roles, and say who may do what."),
    "token": ("token", "token", "Make and revoke API tokens."),
    "ban": ("ban", "ban", "Refuse a principal, or one of its credentials, at once."),
    "tenant": ("tenant", "tenant", "Make and list tenants."),
    "login": ("login", "login", "Sign in as a person, by a browser."),
    "logout": ("login", "logout", "Forget a sign-in."),
    "whoami": ("whoami", "whoami", "Show who the server takes you for."),
    "context": ("context", "context", "Keep servers by name in the configuration file."),
    "doctor": ("doctor", "doctor", "Check the way to the server, step by step."),
    "completion": ("completion", "completion", "Print the completion script for a shell."),
    "version": ("version", "version", "Show the versions of client and server."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Flags stand over PASSPORT_* variables, and those over the configuration file's context.",
)
@click.version_option(__version__, prog_name="passport", message="%(prog)s %(version)s")
@connection_options
def passport(**_: object) -> None:
    """Ask Release Passport whether a release may proceed, and bring the evidence."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        result = passport.main(list(arguments), prog_name="passport", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("passport: interrupted", err=True)
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # Nobody reads the rest. The interpreter must not try to write it once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.ERROR
    except Exception as error:  # noqa: BLE001  Nothing may leave as a verdict, or as a trace nobody can read.
        return _report(error)
    return result if isinstance(result, int) else exit_codes.OK


def _report(error: Exception) -> int:
    from release_passport.cli.report import report

    return report(error)


if __name__ == "__main__":
    main()
