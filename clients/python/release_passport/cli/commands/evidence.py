"""`passport evidence`: submit, find and revoke evidence."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from release_passport.cli.failure import usage
from release_passport.cli.options import TIME, connected
from release_passport.cli.paging import limit_option
from release_passport.cli.session import Session

if TYPE_CHECKING:
    from release_passport.v1 import evidence_pb2

_BATCH = 100
_SUBJECTS = {
    "artifact": "sha256:…",
    "source": "COMMIT",
    "manifest": "sha256:…",
    "release": "NAME",
    "attempt": "NAME",
    "workload": "SERVICE/ENVIRONMENT",
}


def _subject_options(command: Any) -> Any:
    for name, form in reversed(_SUBJECTS.items()):
        command = click.option(f"--subject-{name}", metavar=form, help=f"About this {name}.")(command)
    return command


def _take_subject(said: dict[str, Any]) -> dict[str, str | None]:
    return {name: said.pop(f"subject_{name}") for name in _SUBJECTS}


@click.group(short_help="Submit, find and revoke evidence.")
def evidence() -> None:
    """Submit, find and revoke evidence."""


@evidence.command(short_help="Submit evidence.")
@click.argument("kind", required=False)
@_subject_options
@click.option(
    "--fact", "pairs", multiple=True, metavar="KEY=VALUE", help="One fact; repeat. A dot goes into a field."
)
@click.option("--facts", "facts_file", metavar="FILE", help="Facts as a YAML or JSON file.")
@click.option("--bundle", metavar="FILE", help="Signed envelope: a Sigstore bundle or a DSSE envelope.")
@click.option("--observe-time", type=TIME, metavar="TIME", help="When the facts were so; now if not given.")
@click.option("--expire-time", type=TIME, metavar="TIME", help="After this they are stale.")
@click.option("--external-id", default="", metavar="ID", help="Your own id, such as a run's URI.")
@click.option(
    "-f", "--file", "items_file", metavar="FILE", help="Items as a YAML or JSON list of EvidenceInput."
)
@click.option("--request-id", default="", metavar="ID", help="Makes the call idempotent for 24 h.")
@connected()
def submit(session: Session, /, items_file: str | None, request_id: str, **said: Any) -> None:
    """Submit evidence of a KIND, such as test_result or custom:acme.example/load-test, or items from a file.

    \u0008
    passport evidence submit test_result --subject-source 4f6c2a9 --fact suite=unit --fact passed=812 --fact failed=0
    passport evidence submit provenance --subject-artifact sha256:… --bundle build.sigstore.json
    passport evidence submit -f items.yaml
    """
    from release_passport.cli.emit import emit_list
    from release_passport.cli.facts_input import read_items
    from release_passport.cli.render import lists

    if items_file and said["kind"]:
        raise usage("give a KIND with its facts, or --file: one of them")
    items = read_items(Path(items_file)) if items_file else [_item(session, said)]
    if not items:
        raise usage(f"{items_file} has no items")
    stored = _send(session, items, request_id)
    emit_list(session, stored, lists.evidence_list(stored))
    session.notice(f"stored {len(stored)} item{'s' * (len(stored) != 1)}")


def _item(session: Session, said: dict[str, Any]) -> evidence_pb2.EvidenceInput:
    from release_passport.cli.facts_input import fill_facts, read_bundle, subject_of, with_observe_time
    from release_passport.v1 import evidence_pb2

    if not said["kind"]:
        raise usage("say which KIND of evidence, or give --file")
    item = evidence_pb2.EvidenceInput(external_id=said["external_id"])
    item.subject.CopyFrom(subject_of(session, _take_subject(said)))
    fill_facts(
        item.facts, said["kind"], said["pairs"], Path(said["facts_file"]) if said["facts_file"] else None
    )
    if said["bundle"]:
        item.bundle = read_bundle(Path(said["bundle"]))
    for name in ("observe_time", "expire_time"):
        moment: datetime | None = said[name]
        if moment is not None:
            getattr(item, name).FromDatetime(moment)
    return with_observe_time(item)


def _send(
    session: Session, items: list[evidence_pb2.EvidenceInput], request_id: str
) -> list[evidence_pb2.Evidence]:
    from release_passport.errors import PassportAPIError
    from release_passport.v1 import evidence_service_pb2

    stored: list[evidence_pb2.Evidence] = []
    for start in range(0, len(items), _BATCH):
        batch = items[start : start + _BATCH]
        part = f"{request_id}-{start // _BATCH}" if request_id and len(items) > _BATCH else request_id
        try:
            response = session.client.submit_evidence(
                evidence_service_pb2.SubmitEvidenceRequest(
                    tenant=session.tenant, evidence=batch, request_id=part
                )
            )
        except PassportAPIError:
            if start:
                session.warn(
                    f"passport: the first {start} items are stored, those from {start + 1} on are not"
                )
            raise
        stored += response.evidence
    return stored


@evidence.command(short_help="Collect what registries hold about a release's images.")
@click.argument("release")
@click.option(
    "--image",
    "images",
    multiple=True,
    metavar="IMAGE@sha256:…",
    help="An image of the release; repeat. Not given: its artifacts whose name begins with a registry.",
)
@connected()
def collect(session: Session, /, release: str, images: tuple[str, ...]) -> None:
    """Have the server read what is attached to a RELEASE's images in their registries, and verify and store it.

    \u0008
    passport evidence collect checkout/prod/1.42.0
    passport evidence collect checkout/prod/1.42.0 --image ghcr.io/acme/checkout@sha256:…
    """
    from release_passport.cli.emit import emit
    from release_passport.cli.render.collection import collected
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import evidence_service_pb2

    request = evidence_service_pb2.CollectAttestationsRequest(
        release=release_name(session, release), images=images
    )
    found = session.client.collect_attestations(request)
    emit(session, found, collected(found))
    stored = len(found.evidence)
    session.notice(f"{stored} item{'s' * (stored != 1)} of evidence from registries")
    if not all(one.complete for one in found.images):
        session.warn("passport: not everything could be read; see the problems above")


@evidence.command("list", short_help="List evidence, newest first.")
@click.option("--kind", default="", metavar="KIND")
@_subject_options
@click.option("--release", metavar="NAME", help="Items that could count for this release.")
@click.option("--source", default="", metavar="PRINCIPAL")
@limit_option
@connected()
def list_evidence(
    session: Session, /, kind: str, release: str | None, source: str, limit: int, **said: Any
) -> None:
    """List evidence, newest first."""
    from release_passport.cli.emit import emit_list
    from release_passport.cli.facts_input import subject_of
    from release_passport.cli.paging import read_pages
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import release_name
    from release_passport.v1 import evidence_service_pb2

    request = evidence_service_pb2.ListEvidenceRequest(tenant=session.tenant, kind=kind, source=source)
    if release:
        request.release = release_name(session, release)
    subject = _take_subject(said)
    if any(subject.values()):
        request.subject.CopyFrom(subject_of(session, subject))
    found = read_pages(session, session.client.list_evidence, request, "evidence", limit)
    emit_list(session, found, lists.evidence_list(found))


@evidence.command(short_help="Show one item.")
@click.argument("name")
@connected()
def get(session: Session, name: str) -> None:
    """Show one item with its facts."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import evidence_service_pb2

    request = evidence_service_pb2.GetEvidenceRequest(name=child_name(session, "evidence", name))
    found = session.client.get_evidence(request).evidence
    emit(session, found, lists.evidence(found))


@evidence.command(short_help="Take an item back.")
@click.argument("name")
@click.option("--reason", required=True, metavar="TEXT", help="Why, 20 characters or more.")
@connected()
def revoke(session: Session, name: str, reason: str) -> None:
    """Take an item back: it stops counting, and so does everything older of its kind and subject."""
    from release_passport.cli.emit import emit
    from release_passport.cli.render import lists
    from release_passport.cli.resource_names import child_name
    from release_passport.v1 import evidence_service_pb2

    response = session.client.revoke_evidence(
        evidence_service_pb2.RevokeEvidenceRequest(name=child_name(session, "evidence", name), reason=reason)
    )
    emit(session, response.evidence, lists.evidence(response.evidence))
