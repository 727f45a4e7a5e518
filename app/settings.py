"""Settings: `DIGITPAD_*` in the environment or in a `.env` file of the working directory."""

from pathlib import Path
from typing import Annotated

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT = Path(__file__).resolve().parent.parent
SHIPPED_MODELS = PROJECT / "model_store"


def _default_home() -> Path:
    in_checkout = (PROJECT / "pyproject.toml").is_file()
    return SHIPPED_MODELS if in_checkout else user_data_path("digitpad")


class Settings(BaseSettings):
    """Everything a server or a command can be told from outside."""

    model_config = SettingsConfigDict(env_prefix="DIGITPAD_", env_file=".env", extra="ignore", frozen=True)

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    home: Path = Field(default_factory=_default_home)
    """Where models and the database are kept."""
    data_dir: Path | None = None
    """Where data sets are looked for first."""
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("digitpad"))
    """Where data sets are kept that were downloaded or made."""
    database_url: str = ""
    """SQLAlchemy's URL of the log; empty means an SQLite file in `home`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """How many runs train at once."""

    @field_validator("data_dir", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("home", "data_dir", "cache_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else path.expanduser().resolve()

    blas_kernel: Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")] = "auto"
    """Which of OpenBLAS's kernels trainings use: "auto", "environment", or its name for one."""

    @property
    def log_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'digitpad.sqlite3'}"
