"""The flags that say what a release consists of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from release_passport.cli.failure import usage
from release_passport.cli.options import key_values

if TYPE_CHECKING:
    from release_passport.v1 import release_pb2

_NAMES = (
    "service",
    "environment",
    "version",
    "source_revision",
    "manifest_digest",
    "artifacts",
    "annotations",
    "authors",
)


@dataclass(frozen=True, slots=True)
class IdentityFlags:
    """What the flags say about a release."""

    service: str | None
    environment: str | None
    version: str | None
    source_revision: str | None
    manifest_digest: str | None
    artifacts: tuple[str, ...]
    annotations: tuple[str, ...]
    authors: tuple[str, ...]

    @property
    def is_given(self) -> bool:
        """Say whether any of the flags was given."""
        return any(getattr(self, name) for name in _NAMES)

    def message(self) -> release_pb2.ReleaseIdentity:
        """Return the identity; what is missing is named all at once."""
        from release_passport.v1 import release_pb2

        needed = {
            "--service": self.service,
            "--environment": self.environment,
            "--version": self.version,
            "--artifact": self.artifacts,
            "--source-revision": self.source_revision,
        }
        missing = [flag for flag, value in needed.items() if not value]
        if missing:
            raise usage(f"a release also needs {', '.join(missing)}")
        return release_pb2.ReleaseIdentity(
            service=self.service or "",
            environment=self.environment or "",
            version=self.version or "",
            source_revision=self.source_revision or "",
            manifest_digest=self.manifest_digest or "",
            artifacts=[_artifact(text) for text in self.artifacts],
            annotations=key_values(self.annotations, "--annotation"),
            authors=self.authors,
        )


def release_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a release be named, by itself or with --release."""
    by_itself = click.argument("named", metavar="[RELEASE]", required=False)
    by_option = click.option(
        "--release", metavar="NAME", help="Release: SERVICE/ENVIRONMENT/VERSION, or its whole name."
    )
    return by_itself(by_option(command))


def take_release(said: dict[str, Any]) -> str | None:
    """Return the release that is named, which is taken out of what was said."""
    by_itself: str | None = said.pop("named")
    by_option: str | None = said.pop("release")
    if by_itself and by_option:
        raise usage("the release is given twice: by itself and with --release")
    return by_option or by_itself


def identity_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags that say what a release consists of."""
    options = (
        click.option("--service", metavar="ID", help="Service of the release."),
        click.option("--environment", metavar="ID", help="Environment of the release."),
        click.option("--version", metavar="VERSION", help="Version of the release."),
        click.option(
            "--artifact",
            "artifacts",
            multiple=True,
            metavar="NAME@sha256:…",
            help="Artifact that is deployed; repeat for each. [TYPE:]NAME@DIGEST, type image, chart or package.",
        ),
        click.option("--source-revision", metavar="COMMIT", help="Commit that the release was built from."),
        click.option("--manifest-digest", metavar="sha256:…", help="Digest of the rendered manifests."),
        click.option(
            "--author",
            "authors",
            multiple=True,
            metavar="WHO",
            help="Who made the change, and may not approve it.",
        ),
        click.option(
            "--annotation", "annotations", multiple=True, metavar="KEY=TEXT", help="Text for display."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def take_identity(said: dict[str, Any]) -> IdentityFlags:
    """Return the identity flags out of a command's arguments."""
    return IdentityFlags(**{name: said[name] for name in _NAMES})


def _artifact(text: str) -> release_pb2.Artifact:
    from release_passport.v1 import release_pb2

    name, separator, digest = text.rpartition("@")
    if not separator or not name:
        raise usage(
            f"{text[:120]!r} is not an artifact; write NAME@sha256:…; a tag does not say what is deployed"
        )
    kind, colon, rest = name.partition(":")
    if colon and kind in {"image", "chart", "package"}:
        return release_pb2.Artifact(name=rest, digest=digest, type=kind)
    return release_pb2.Artifact(name=name, digest=digest)
