"""References to images in registries."""

from __future__ import annotations

import pytest

from release_passport_server.domain.image import Image, ImageInvalid, usual_access

DIGEST = "sha256:" + "ab" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"registry.example/team/app@{DIGEST}", ("registry.example", "team/app")),
        (f"registry.example:5000/app:1.2@{DIGEST}", ("registry.example:5000", "app")),
        (f"localhost/app@{DIGEST}", ("localhost", "app")),
        (f"docker.io/nginx@{DIGEST}", ("registry-1.docker.io", "library/nginx")),
        (f"docker.io/team/app:x@{DIGEST}", ("registry-1.docker.io", "team/app")),
        (f"GHCR.io/team/a__b-c.d@{DIGEST}", ("ghcr.io", "team/a__b-c.d")),
    ],
)
def test_a_reference_names_registry_repository_and_digest(text: str, expected: tuple[str, str]) -> None:
    image = Image.parse(text)
    assert (image.registry, image.repository, image.digest) == (*expected, DIGEST)
    assert Image.parse(str(image)) == image


@pytest.mark.parametrize(
    "text",
    [
        "registry.example/team/app",
        "registry.example/team/app:1.0",
        f"nginx@{DIGEST}",
        f"team/app@{DIGEST}",
        f"registry.example/app@{DIGEST.upper()}",
        "registry.example/app@sha512:" + "ab" * 64,
        f"registry.example/Team/app@{DIGEST}",
        f"registry.example/../app@{DIGEST}",
        f"registry.example/a//b@{DIGEST}",
        f"registry.example/a?b@{DIGEST}",
        f"registry.example/{'a' * 256}@{DIGEST}",
        f"user:pass@registry.example/app@{DIGEST}",
        f"127.1/app@{DIGEST}",
        f"registry.example:0/app@{DIGEST}",
        f"https://registry.example/app@{DIGEST}",
    ],
)
def test_what_names_no_image_is_refused(text: str) -> None:
    with pytest.raises(ImageInvalid):
        Image.parse(text)


def test_docker_hub_gives_out_its_tokens_elsewhere() -> None:
    access = usual_access(Image.parse(f"docker.io/nginx@{DIGEST}"))
    assert [str(origin) for origin in (access.origin, *access.others)] == [
        "https://registry-1.docker.io",
        "https://auth.docker.io",
    ]
    assert usual_access(Image.parse(f"ghcr.io/team/app@{DIGEST}")).others == ()
