"""What a look at a rollout says of the exposure of a release's images, as controllers tell it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from release_passport.v1.evidence_pb2 import RolloutStatus
from release_passport_server.domain.evidence import EvidenceItem, Subject
from release_passport_server.domain.kind import SubjectType
from release_passport_server.wire.messages import WireMessages

OURS, OTHERS = "sha256:" + "a" * 64, "sha256:" + "b" * 64
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def looked(status: RolloutStatus) -> tuple[bool | None, bool | None]:
    """Return whether our images are exposed, and whether they take traffic."""
    subject = Subject(SubjectType.WORKLOAD, "shop/prod")
    item = EvidenceItem(
        "e", "rollout_status", "o", subject, "sa:x", status, "sha256:0", observe_time=NOW, receive_time=NOW
    )
    look = WireMessages().look(item, frozenset({OURS}))
    assert look is not None
    return look.exposed, look.serving


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (RolloutStatus(weight=5, canary_image_digests=[OURS]), (True, True)),
        (RolloutStatus(canary_ready_replicas=1, canary_image_digests=[OURS]), (True, True)),
        (RolloutStatus(weight=0, canary_image_digests=[OURS]), (False, False)),
        # A test by headers: the controller tells no weight.
        (RolloutStatus(canary_image_digests=[OURS]), (None, None)),
        (RolloutStatus(weight=5, canary_image_digests=[OTHERS]), (False, False)),
        (RolloutStatus(weight=5), (None, None)),
        (RolloutStatus(weight=5, complete=True), (False, False)),
        # A newer one is on its way while ours is stable.
        (RolloutStatus(weight=5, canary_image_digests=[OTHERS], stable_image_digests=[OURS]), (False, True)),
        # The same images with other manifests: that the stable ones run says nothing until they are the new ones.
        (
            RolloutStatus(weight=0, canary_image_digests=[OURS], stable_image_digests=[OURS]),
            (False, False),
        ),
        (
            RolloutStatus(
                weight=0,
                canary_image_digests=[OURS],
                stable_image_digests=[OURS],
                canary_revision="7",
                stable_revision="7",
            ),
            (False, True),
        ),
    ],
)
def test_a_look_tells_of_exposure_what_the_controller_told(
    status: RolloutStatus, told: tuple[bool | None, bool | None]
) -> None:
    assert looked(status) == told
