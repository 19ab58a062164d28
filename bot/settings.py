"""What is set from the environment (and `.env`)? No secret has a default."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict


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
    yorisoi_ingest_key: SecretStr | None = None
    line_channel_secret: SecretStr | None = None
    line_channel_access_token: SecretStr | None = None
    line_api_base_url: str | None = None
    line_data_api_base_url: str | None = None
    slack_bot_token: SecretStr | None = None
    slack_signing_secret: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_api_base_url: str | None = None
    slack_leads_channel: str | None = None
    slack_alerts_channel: str | None = None
    slack_digest_channel: str | None = None
    slack_sales_group: str | None = None
    slack_support_leads_group: str | None = None
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_model: str = "gpt-6-luna"
    log_level: str = "INFO"

    @classmethod
    def of(cls, **values: Any) -> Settings:
        """Settings from these values only, whatever the environment says."""
        return _Explicit(_env_file=None, **values)

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
