"""Keys are rotated and given up under a running server: new decisions have new keys, and old ones still hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from release_passport.client import Client
from support.cli_process import Shell
from support.server_process import ServerProcess, passport_server, served

