"""Says why a signature that fits does not count, in words."""

from __future__ import annotations

from collections.abc import Sequence

from release_passport.signatures.envelope import OpenedEnvelope
from release_passport.signatures.key_set import Evidence, KeyRefusal, PublishedKey, key_refusal

_WHY = {
    KeyRefusal.OTHER_PURPOSE: "is not for decisions",
    KeyRefusal.NOT_YET_VALID: "was not valid yet at the time of the decision",
    KeyRefusal.NO_LONGER_VALID: "was not valid any more at the time of the decision",
    KeyRefusal.RETIRED_WITHOUT_LOG: "is retired, and no checkpoint from before its end shows the decision",
    KeyRefusal.COMPROMISED: "is compromised, and no checkpoint that the reader kept from before shows the decision",
    KeyRefusal.UNKNOWN_STATE: "is in a state that is not known here",
}


def why_refused(opened: OpenedEnvelope, keys: Sequence[PublishedKey], evidence: Evidence) -> str | None:
    """Return why no signature of an envelope counts, None where one does."""
    said = ""
    for one in keys:
        if one.key in opened.keys:
            why = key_refusal(one, "DECISION", evidence)
            if why is None:
                return None
            said = f"the key {one.key.key_id} {_WHY[why]} ({why.value})"
    return said or "no key that is trusted signed it"
