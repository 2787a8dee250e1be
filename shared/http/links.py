"""Where links in answers lead: a request's own Host is repeated only when it is known to be ours."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from shared.config import ALLOWED_HOSTS, Config
from shared.domain.errors import HostNotAllowed

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def base_url(url: str, config: Config) -> str:
    """Scheme and host that the client can reach.

    Parameters
    ----------
    url
        Of the request, with the Host that the client sent.

    Raises
    ------
    HostNotAllowed
        The Host is not known, and no other name is.
    """
    if config.public_url:
        return config.public_url
    here = urlsplit(url)
    try:
        name, port = (here.hostname or "").lower(), here.port
    except ValueError:  # a port that is no number
        name, port = "", None
    known = {*_LOOPBACK, *config.allowed_hosts, (config.own_host or "").lower()} - {""}
    if name in known or f"{name}:{port}" in known:
        host = f"[{name}]" if ":" in name else name
        return f"{here.scheme}://{host}" + (f":{port}" if port is not None else "")
    if config.own_host:
        return f"https://{config.own_host}"
    raise HostNotAllowed(here.netloc, ALLOWED_HOSTS.name)
