"""Finds what is attached to an image: by the referrers API, by its tag where there is none, and by cosign's tag."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urljoin

from release_passport_server.adapters.oci.cosign import bundle_of
from release_passport_server.adapters.oci.manifests import (
    INDEX,
    MANIFEST,
    Descriptor,
    Manifest,
    ManifestInvalid,
    read_manifest,
)
from release_passport_server.adapters.oci.session import Session, digest_of
from release_passport_server.domain.image import (
    AttestationForm,
    AttestationPlace,
    FoundAttestation,
    RegistryProblem,
)
from release_passport_server.domain.outbound import OutboundError
from release_passport_server.ports.http import MIB, HTTPResponse

MAX_MANIFEST = 4 * MIB
MAX_ATTESTATION = 16 * MIB
MAX_PAGES = 16
MAX_LISTED = 1000
MAX_FOLLOWED = 64
MAX_LAYERS = 64

_ENVELOPE = "application/vnd.dsse.envelope.v1+json"
_BUNDLE = re.compile(r"application/vnd\.dev\.sigstore\.bundle(\.v\d+\.\d+\+json|\+json;\s*version=\d+\.\d+)")
_FOLLOWED = frozenset(
    {_ENVELOPE, "application/vnd.in-toto+json", "application/vnd.dev.cosign.artifact.att.v1+json"}
)
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next\b')
_PREDICATES = ("dev.sigstore.bundle.predicateType", "predicateType", "in-toto.io/predicate-type")


@dataclass(slots=True)
class Finder:
    """Looks for the attestations of one digest, and keeps what it found even if it is broken off."""

    session: Session
    digest: str
    items: list[FoundAttestation] = field(default_factory=list)
    problems: list[RegistryProblem] = field(default_factory=list)
    complete: bool = True
    _seen: set[str] = field(default_factory=set)

    async def find(self) -> None:
        """Look everywhere; raise OutboundError where the registry cannot be asked at all."""
        listed, place = await self._listed()
        followed = [entry for entry in listed if _is_attestation(entry.artifact_type)]
        if len(followed) > MAX_FOLLOWED:
            self._left_out(place, f"{len(followed)} attestations are attached; {MAX_FOLLOWED} were read")
        for entry in followed[:MAX_FOLLOWED]:
            await self._follow(entry, place)
        await self._cosign_tag()

    async def _listed(self) -> tuple[list[Descriptor], AttestationPlace]:
        """Return what refers to the digest."""
        path = f"referrers/{self.digest}"
        answer = await self.session.get(path, most=MAX_MANIFEST, accept=(INDEX,))
        if answer.status == 404:
            return await self._listed_by_tag(), AttestationPlace.REFERRERS_TAG
        found: list[Descriptor] = []
        start = f"{self.session.access.origin}/v2/{self.session.repository}/"
        for _ in range(MAX_PAGES):
            found += self._entries(answer, path, AttestationPlace.REFERRERS)
            following = _NEXT.search(answer.headers.get("link", ""))
            if following is None:
                return found[:MAX_LISTED], AttestationPlace.REFERRERS
            if len(found) > MAX_LISTED:
                break
            url = urljoin(f"{start}{path}", following[1])
            if not url.startswith(f"{start}referrers/"):
                self._left_out(AttestationPlace.REFERRERS, "the list goes on outside of the repository")
                return found, AttestationPlace.REFERRERS
            answer = await self.session.get_url(url, most=MAX_MANIFEST, accept=(INDEX,))
        self._left_out(AttestationPlace.REFERRERS, "the list is longer than is read")
        return found[:MAX_LISTED], AttestationPlace.REFERRERS

    async def _listed_by_tag(self) -> list[Descriptor]:
        path = f"manifests/{self.digest.replace(':', '-')}"
        answer = await self.session.get(path, most=MAX_MANIFEST, accept=(INDEX,))
        return self._entries(answer, path, AttestationPlace.REFERRERS_TAG)[:MAX_LISTED]

    def _entries(self, answer: HTTPResponse, path: str, place: AttestationPlace) -> list[Descriptor]:
        if answer.status == 404:
            return []
        try:
            index = read_manifest(answer.body)
        except ManifestInvalid as error:
            self._left_out(place, f"{path} is no index: {error}")
            return []
        if index.unusable:
            self._left_out(place, f"{index.unusable} entries of {path} name nothing that can be read")
        return list(index.manifests)

    async def _follow(self, entry: Descriptor, place: AttestationPlace) -> None:
        """Read one attestation that refers to the digest."""
        if entry.digest in self._seen:
            return
        self._seen.add(entry.digest)
        manifest = await self._manifest(entry)
        if manifest is None:
            return
        if manifest.subject != self.digest:
            self._problem(entry.digest, "it is listed for this image and says that it is about another one")
            return
        predicate = _predicate(entry)
        await self._layers(manifest.layers, place, predicate)

    async def _manifest(self, entry: Descriptor) -> Manifest | None:
        if entry.size > MAX_MANIFEST:
            self._left_out(entry.digest, f"a manifest of {entry.size} bytes is not read")
            return None
        try:
            raw = await self.session.blob("manifests", entry.digest, most=MAX_MANIFEST, accept=(MANIFEST,))
            return read_manifest(raw)
        except ManifestInvalid as error:
            self._problem(entry.digest, f"it is no manifest: {error}")
        except OutboundError as error:
            self._left_out(entry.digest, error.message)
        return None

    async def _cosign_tag(self) -> None:
        """Read the envelopes that cosign 2 attaches by a tag of its own."""
        tag = f"{self.digest.replace(':', '-')}.att"
        answer = await self.session.get(f"manifests/{tag}", most=MAX_MANIFEST, accept=(MANIFEST,))
        if answer.status == 404:
            return
        try:
            manifest = read_manifest(answer.body)
        except ManifestInvalid as error:
            self._problem(tag, f"it is no manifest: {error}")
            return
        if manifest.unusable:
            self._left_out(
                AttestationPlace.COSIGN_TAG, f"{manifest.unusable} entries name nothing that can be read"
            )
        await self._layers(manifest.layers, AttestationPlace.COSIGN_TAG, "")

    async def _layers(self, layers: Sequence[Descriptor], place: AttestationPlace, predicate: str) -> None:
        if len(layers) > MAX_LAYERS:
            self._left_out(place, f"{len(layers)} envelopes are in one manifest; {MAX_LAYERS} were read")
        for layer in layers[:MAX_LAYERS]:
            is_bundle = _BUNDLE.fullmatch(layer.media_type) is not None
            if not (is_bundle or layer.media_type == _ENVELOPE):
                continue
            body = await self._blob(layer)
            if body is not None:
                self.items.append(_found(layer, body, place, predicate, is_bundle=is_bundle))

    async def _blob(self, layer: Descriptor) -> bytes | None:
        if layer.digest in self._seen:
            return None
        if layer.size > MAX_ATTESTATION:
            self._left_out(layer.digest, f"an attestation of {layer.size} bytes is not read")
            return None
        try:
            body = await self.session.blob("blobs", layer.digest, most=MAX_ATTESTATION)
        except OutboundError as error:
            self._left_out(layer.digest, error.message)
            return None
        self._seen.add(layer.digest)
        return body

    def _problem(self, where: str, text: str) -> None:
        self.problems.append(RegistryProblem(where, text))

    def _left_out(self, where: str, text: str) -> None:
        """Note that there is more than was looked at."""
        self.complete = False
        self._problem(where, text)


def _found(
    layer: Descriptor, body: bytes, place: AttestationPlace, predicate: str, *, is_bundle: bool
) -> FoundAttestation:
    predicate = predicate or _predicate(layer)
    if is_bundle:
        return FoundAttestation(body, AttestationForm.BUNDLE, place, layer.digest, predicate)
    rebuilt = bundle_of(body, layer.annotations)
    form = AttestationForm.ENVELOPE if rebuilt is None else AttestationForm.BUNDLE
    return FoundAttestation(rebuilt or body, form, place, digest_of(body), predicate)


def _predicate(entry: Descriptor) -> str:
    return next((entry.annotations[key] for key in _PREDICATES if key in entry.annotations), "")


def _is_attestation(artifact_type: str) -> bool:
    return artifact_type in _FOLLOWED or _BUNDLE.fullmatch(artifact_type) is not None
