"""Reads the profile of the AWS tools: ``~/.aws/credentials`` and ``~/.aws/config``."""

from __future__ import annotations

import configparser
import os
from pathlib import Path


def profile() -> dict[str, str]:
    """Return the settings of the profile that ``AWS_PROFILE`` names, or of ``default``; empty where there is none."""
    name = os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or "default"
    config = _section("AWS_CONFIG_FILE", "config", name if name == "default" else f"profile {name}")
    return config | _section("AWS_SHARED_CREDENTIALS_FILE", "credentials", name)


def _section(variable: str, file_name: str, section: str) -> dict[str, str]:
    path = Path(os.environ.get(variable) or Path("~/.aws", file_name)).expanduser()
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    return dict(parser[section]) if parser.has_section(section) else {}
