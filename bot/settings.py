"""What is set from the environment (and `.env`)? No secret has a default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.errors import Misconfigured

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


_HTTP = re.compile(r"https?://[^\s/?#]+[^\s?#]*")
_ADDRESSES = (
    "public_base_url", "line_api_base_url", "line_data_api_base_url", "line_link_page", "slack_api_base_url",
    "openai_base_url",
)  # fmt: skip
_SECRETS = (
    "yorisoi_ingest_key", "yorisoi_webhook_secret", "line_channel_secret", "line_channel_access_token",
    "slack_bot_token", "slack_signing_secret", "slack_app_token", "openai_api_key",
)  # fmt: skip


class Settings(BaseSettings):
    """Every setting; names are the environment's, lower-cased. Empty text counts as not set."""

    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: SecretStr | None = None
    """PostgreSQL, as `postgresql://…`. Not set: embedded, under `yorisoi_data_dir`."""
    yorisoi_data_dir: Path = Path(".yorisoi")
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_base_url: str | None = None
    """Where customers' phones reach this program (tracked links). Not set: http://HOST:PORT."""
    yorisoi_tick_seconds: float = Field(default=60.0, gt=0, le=3600)
    yorisoi_policy: Path | None = None
    yorisoi_rules: Path | None = None
    yorisoi_templates: Path | None = None
    """A folder of replies that staff may start from (`*.yaml`), in place of the shipped ones."""
    yorisoi_sources: Path | None = None
    """sources.yaml: which of the product's own databases are read."""
    yorisoi_ingest_key: SecretStr | None = None
    yorisoi_webhook_secret: SecretStr | None = None
    """For systems that sign what they send (Standard Webhooks); two, separated by a comma, for a change."""
    line_channel_secret: SecretStr | None = None
    line_channel_access_token: SecretStr | None = None
    line_api_base_url: str | None = None
    line_data_api_base_url: str | None = None
    line_link_page: str | None = None
    """The product's page that signs a customer in and finishes LINE's account-link dialog."""
    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_base_url: str | None = None
    slack_leads_channel: str | None = None
    slack_alerts_channel: str | None = None
    slack_digest_channel: str | None = None
    slack_sales_group: str | None = None
    slack_support_leads_group: str | None = None
    slack_language: Literal["ja", "en"] = "ja"
    """What cards, threads and alerts are written in; what only one person sees is in their own language."""
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str = "gpt-6-luna"
    openai_embedding_model: str | None = None
    """Not set: knowledge is searched by its words alone."""
    log_level: str = "INFO"

    @field_validator("log_level")
    @classmethod
    def _is_level(cls, value: str) -> str:
        if value.upper() not in LOG_LEVELS:
            raise ValueError(f"{value[:40]!r} is not one of {', '.join(LOG_LEVELS)}")
        return value.upper()

    @field_validator(*_ADDRESSES)
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        if value is not None and not _HTTP.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is not an address like https://bot.example.com")
        return value

    @field_validator(*_SECRETS)
    @classmethod
    def _is_sendable(cls, value: SecretStr | None) -> SecretStr | None:
        text = value.get_secret_value() if value is not None else "x"
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValueError("holds a space, a line end or a character that is not ASCII (copy it again)")
        return value

    def check_for_running(self) -> None:
        """See that what belongs together is set together.

        Raises:
            Misconfigured: something is missing; the message names it.
        """
        for name, present, partner in (
            ("LINE_CHANNEL_SECRET", self.line_channel_secret, "LINE_CHANNEL_ACCESS_TOKEN"),
            ("LINE_CHANNEL_ACCESS_TOKEN", self.line_channel_access_token, "LINE_CHANNEL_SECRET"),
            ("SLACK_SIGNING_SECRET", self.slack_signing_secret, "SLACK_BOT_TOKEN"),
            ("SLACK_APP_TOKEN", self.slack_app_token, "SLACK_BOT_TOKEN"),
        ):
            if present is not None and getattr(self, partner.lower()) is None:
                raise Misconfigured(f"{name} is set and {partner} is not: set both, or neither.")
        if self.slack_bot_token is not None and not (self.slack_signing_secret or self.slack_app_token):
            raise Misconfigured(
                "SLACK_BOT_TOKEN is set, but nothing can come from Slack: set SLACK_SIGNING_SECRET (HTTP), or"
                " SLACK_APP_TOKEN (Socket Mode)."
            )

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """Settings from these values only, whatever the environment says."""
        return _Explicit(_env_file=None, **values)

    @property
    def slack_signing_secrets(self) -> tuple[str, ...]:
        """One, or the old and the new one while they are being exchanged; none: nothing comes over HTTP."""
        text = self.slack_signing_secret.get_secret_value() if self.slack_signing_secret else ""
        return tuple(secret for each in text.split(",") if (secret := each.strip()))

    @property
    def base_url(self) -> str:
        """The address that tracked links begin with, no trailing slash."""
        return (self.public_base_url or f"http://{self.host}:{self.port}").rstrip("/")


class _Explicit(Settings):
    """Settings that read nothing but what they are given."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only the arguments."""
        return (init_settings,)
