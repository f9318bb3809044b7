"""Where things are and how much they may use: read once from `LAKEHOUSE_*`."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """One process's settings; every field can be set by `LAKEHOUSE_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="LAKEHOUSE_", frozen=True, extra="ignore")

    home: Path = Field(default=Path(".lakehouse"), description="all data the tool writes")
    warehouse: str = Field(
        default="", description="tables; a path or a URI, default <home>/warehouse"
    )
    landing: Path = Field(default=Path(), description="source files, default <home>/landing")
    contracts: Path = Field(default=PROJECT / "contracts", description="contract files")
    dbt_project: Path = Field(default=PROJECT / "dbt_project", description="dbt project")
    tools: Path = Field(default=PROJECT / ".tools", description="jars and the class archive")
    retention_days: int = Field(
        default=30, ge=1, description="days for which each version can be read and returned to"
    )
    alert_reminder_hours: float = Field(
        default=24, gt=0, description="a breach that stands alerts again after so many hours"
    )
    seal_key: SecretStr = Field(
        default=SecretStr(""), description="32 bytes as base64; default: <home>/keys/seal.key"
    )
    spark_master: str = Field(default="local[*]")
    driver_memory: str = Field(default="4g", pattern=r"^\d+[kmgt]$")
    inference: str = Field(default="cpu", description="cpu, cuda, or the URL of a server")

    @field_validator("home", "contracts", "dbt_project", "tools")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @model_validator(mode="before")
    @classmethod
    def _below_home(cls, values: dict[str, Any]) -> dict[str, Any]:
        home = Path(values.get("home") or ".lakehouse").expanduser().absolute()
        values.setdefault("warehouse", str(home / "warehouse"))
        values.setdefault("landing", home / "landing")
        return values


@lru_cache(maxsize=1)
def settings() -> Settings:
    """Return the settings of this process, read from the environment at the first call."""
    return Settings()
