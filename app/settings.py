"""Settings: `DIGITPAD_*` in the environment or in a `.env` file of the working directory."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal

from platformdirs import user_cache_path, user_data_path
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.resources import bundled, is_installed

PROJECT = Path(__file__).resolve().parent.parent
"""The folder with `app`: the checkout, or that of installed packages."""
SHIPPED_MODELS = bundled("model_store")

TOKEN_LENGTH = 1024
"""The most characters of a token."""

ROOT_PATH_LENGTH = 200
_ROOT_PATH = re.compile(r"(/(?!\.{1,2}(/|$))[A-Za-z0-9._~@+-]+)*", re.ASCII)


class SettingError(ValueError):
    """The server cannot start with a setting, although it is well-formed; the message names it."""


def parse_root_path(text: str) -> str:
    """The root path, such as "/pad" or "/a/b", or "" for "/" and "". Raises ValueError for anything else."""
    if text == "/":
        return ""
    if len(text) > ROOT_PATH_LENGTH or not _ROOT_PATH.fullmatch(text):
        raise ValueError(
            'expected a path such as "/pad", without a slash at its end: at most '
            f"{ROOT_PATH_LENGTH} letters of ASCII, digits and any of -._~@+ between slashes"
        )
    return text


def _default_home() -> Path:
    return user_data_path("digitpad") if is_installed() else SHIPPED_MODELS


class Settings(BaseSettings):
    """The settings of the server and of the commands."""

    model_config = SettingsConfigDict(
        env_prefix="DIGITPAD_", env_file=".env", extra="ignore", frozen=True, use_attribute_docstrings=True
    )

    host: str = "127.0.0.1"
    """The address to listen on; "0.0.0.0" is all of this machine's. On any but loopback a token is needed."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8000
    """The port to listen on; 0 takes a free one."""
    home: Path = Field(default_factory=_default_home)
    """The folder of models and the database."""
    data_dir: Path | None = None
    """The folder where data sets are searched first."""
    cache_dir: Path = Field(default_factory=lambda: user_cache_path("digitpad"))
    """The folder for downloaded and generated data sets."""
    database_url: str = ""
    """SQLAlchemy's URL of the log; empty means an SQLite file in `home`."""
    workers: Annotated[int, Field(ge=1, le=64)] = 1
    """The number of runs that train at the same time."""
    lease_seconds: Annotated[float, Field(ge=1, le=3600)] = 15.0
    """The seconds without a sign of life after which another process takes over a run."""

    token: SecretStr | None = None
    """The token for full access. Required where other machines can reach the server."""
    predict_token: SecretStr | None = None
    """The token for predictions only."""
    allowed_hosts: Annotated[tuple[str, ...], NoDecode] = ()
    """Additional host names and addresses of the server, separated by commas."""
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Other sites whose pages may use the server, as `https://host:port`, separated by commas."""
    root_path: str = ""
    """The path under which a proxy shows the server, such as `/pad`; the proxy may strip it or keep it."""
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = (
        IPv4Network("127.0.0.0/8"),
        IPv6Network("::1/128"),
    )
    """Addresses and networks of the proxies whose `X-Forwarded-*` headers are believed, separated by commas."""

    @field_validator("root_path")
    @classmethod
    def _root(cls, path: str) -> str:
        return parse_root_path(path)

    @field_validator("token", "predict_token")
    @classmethod
    def _sendable(cls, token: SecretStr | None) -> SecretStr | None:
        text = token.get_secret_value() if token else ""
        if len(text) > TOKEN_LENGTH or not all("!" <= character <= "~" for character in text):
            raise ValueError(f"expected up to {TOKEN_LENGTH} printable ASCII characters without blanks")
        return token if text else None

    @field_validator("allowed_hosts", "allowed_origins", mode="before")
    @classmethod
    def _by_commas(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: object) -> object:
        try:
            return tuple(ip_network(part, strict=False) for part in cls._by_commas(value))
        except ValueError:
            raise ValueError("expected addresses or networks, such as 10.0.0.1 or 172.16.0.0/12") from None

    @field_validator("database_url")
    @classmethod
    def _for_all_processes(cls, url: str) -> str:
        if not url.startswith("sqlite"):
            return url
        prefix, _, path = url.partition(":///")
        file = path.partition("?")[0]
        if not file or file == ":memory:":
            raise ValueError("expected a file: trainings are separate processes and cannot see a database in memory")
        return f"{prefix}:///{cls._absolute(Path(file))}{path[len(file) :]}"

    @field_validator("data_dir", "tensorboard_dir", "mlflow_uri", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("home", "data_dir", "cache_dir", "tensorboard_dir")
    @classmethod
    def _absolute(cls, path: Path | None) -> Path | None:
        try:
            return None if path is None else path.expanduser().resolve()
        except RuntimeError:  # an unknown user, or a loop of links
            raise ValueError("expected a valid path") from None

    blas_kernel: Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")] = "auto"
    """The matrix kernels that trainings use: "auto", the fastest that the processor can run, "environment", as
    OPENBLAS_CORETYPE says, or OpenBLAS's name for one, such as "Haswell"."""

    log_format: Literal["text", "json"] = "text"
    """The format of log lines."""
    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """The lowest level of log lines; requests and trainings are logged at "info"."""

    tensorboard_dir: Path | None = None
    """The folder for TensorBoard's event files of all runs, if any."""
    mlflow_uri: SecretStr | None = None
    """MLflow's tracking server or database for all runs, if any."""
    mlflow_experiment: Annotated[str, Field(min_length=1, max_length=200)] = "digitpad"
    """The MLflow experiment of the runs."""

    @property
    def log_url(self) -> str:
        return self.database_url or f"sqlite:///{self.home / 'digitpad.sqlite3'}"
