"""Which smart plug answers at an address, as a source of telemetry."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from http.client import HTTPException, HTTPMessage
from typing import IO, Any

from orchestrator.domain import InferometerError

KINDS = ("shelly", "tasmota")
_DEADLINE_S = 2.0
_LIMIT_BYTES = 1 << 16


def source_of(meter: str) -> str:
    """``shelly=http://...`` or ``tasmota=http://...``; an address alone is asked which it is.

    Raises InferometerError for what is no address, and where no plug that we know answers.
    """
    kind, equals, address = meter.partition("=")
    if kind not in KINDS or not equals:
        kind, address = "", meter
    if not address.startswith("http://") or "," in address or len(address) == len("http://"):
        raise InferometerError(
            f"--meter: {meter!r} is no address of a plug; write http://192.168.1.5, or shelly=http://192.168.1.5"
        )
    found = kind or _kind(address)
    if not found:
        raise InferometerError(
            f"--meter: no Shelly or Tasmota plug answers at {address}; look at the address, "
            f"or name the kind: --meter shelly={address}"
        )
    return f"{found}={address}"


def _kind(address: str) -> str | None:
    """Asks what both say without a password; None where neither answers."""
    base = address.partition("?")[0].rstrip("/")
    found = _ask(f"{base}/shelly")
    if "mac" in found and found.keys() & {"gen", "type"}:  # generation 2 and later, generation 1
        return "shelly"
    if {"StatusSNS", "WARNING"} & _ask(f"{base}/cm?cmnd=Status%208").keys():
        return "tasmota"
    return None


def _ask(url: str) -> dict[str, Any]:
    """The object that answers; empty where there is none."""
    # Straight there: a plug is on the local network, and a proxy would answer in its place.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay())
    try:
        with opener.open(url, timeout=_DEADLINE_S) as answer:
            found = json.loads(answer.read(_LIMIT_BYTES))
    except urllib.error.HTTPError as problem:
        with problem:
            return _refusal(problem)
    except (OSError, HTTPException, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(problem: urllib.error.HTTPError) -> dict[str, Any]:
    """Tasmota names itself where it wants a password."""
    try:
        body = problem.read(_LIMIT_BYTES)
    except (OSError, HTTPException):
        return {}
    return {"WARNING": "401"} if problem.code == 401 and b"WARNING" in body else {}


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        """No plug redirects; a login page does."""
