"""Settings of what people are told of."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from release_passport_server.evidence_settings import Section


class WebhookSettings(Section):
    """Where people are told of approvals that are asked for, waivers, overrides and freezes."""

    url: str = Field(
        default="",
        pattern="^(https?://[\\x21-\\x7e]{1,1000})?$",
        description="Where messages are posted, signed by the rules of Standard Webhooks; empty: nowhere.",
    )
    secret_file: Path | None = Field(
        default=None, description="File that holds the secret, `whsec_` and 24 bytes or more in base64."
    )
    internal: bool = Field(
        default=False, description="Whether the host may be at a private address or on this machine."
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates in PEM that its own is checked against, in place of the system's.",
    )

    @model_validator(mode="after")
    def _complete(self) -> WebhookSettings:
        if bool(self.url) != (self.secret_file is not None):
            raise ValueError("url and secret_file are set together or not at all")
        return self
