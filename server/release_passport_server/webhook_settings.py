"""Settings of what people are told of."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from release_passport_server.evidence_settings import Section


class NotificationSettings(Section):
    """How far the channels go that tenants make."""

    internal_origins: str = Field(
        default="",
        pattern="^[\\x20-\\x7e]{0,4000}$",
        description="Origins with commas between, such as `https://chat.internal.example`, that channels may name "
        "although they are at private addresses, or without TLS.",
    )
    ca_file: Path | None = Field(
        default=None,
        description="Certificates in PEM that receivers' own are checked against, in place of the system's.",
    )
    timeout_seconds: float = Field(
        default=10,
        gt=0,
        le=60,
        description="Seconds for one message, from the name to the answer's last byte.",
    )


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
