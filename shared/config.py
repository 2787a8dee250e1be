"""Settings: read once from the environment, typed, immutable. ``docs/settings.md`` is checked against this module."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.domain.recording_url import HOSTS_RULE, RecordingHosts
from shared.storage.backend.account import StorageAccount


class ConfigInvalid(Exception):
    """The service cannot start; every missing or wrong setting is named."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("Settings: " + "; ".join(problems))


@dataclass(frozen=True)
class Config:
    storage: StorageAccount
    key_encryption: str = field(repr=False)
    model: str
    previous_model: str | None
    strict_audio: bool
    activation: bool
    public_url: str | None
    own_host: str | None
    allowed_hosts: frozenset[str]
    allowed_origins: frozenset[str]
    trusted_hops: int
    recording_hosts: RecordingHosts
    gallery_megabytes: int
    at_once: int
    waiting: int
    wait_seconds: float
    requests_per_second: float | None
    local_subscription_key: str | None = field(repr=False)


@dataclass(frozen=True)
class Setting:
    """A setting's name as it stands in the environment, and what it is for (the text of ``docs/settings.md``)."""

    name: str
    default: str | None
    meaning: str
    secret: bool = False


STORAGE = Setting("VOICE_STORAGE", None, "Connection string of the storage account for voice data (development).", True)
TABLE_URI = Setting("VOICE_STORAGE__tableServiceUri", None, "Table endpoint, reached with a managed identity.")
BLOB_URI = Setting("VOICE_STORAGE__blobServiceUri", None, "Blob endpoint, reached with a managed identity.")
CLIENT_ID = Setting("VOICE_STORAGE__clientId", None, "Client id of the user-assigned identity; none for the system's.")
KEY_ENCRYPTION = Setting(
    "TIMBRE_KEY_ENCRYPTION",
    None,
    "The key that wraps each subscription's data key: `local:<32 bytes in base64>` or `vault:<key URL>`.",
    True,
)
MODEL = Setting("TIMBRE_MODEL", "campplus-channels-1", "The speaker model, a name in `models/catalogue.json`.")
PREVIOUS_MODEL = Setting(
    "TIMBRE_PREVIOUS_MODEL",
    "ge2e-1",
    "The model that `TIMBRE_MODEL` replaces. It serves its profiles until they are migrated. `none` or empty: no model;"
    " so is the default where `TIMBRE_MODEL` is not `campplus-channels-1`.",
)
NO_MODEL = "none"
"""Says what an empty value says, which not every way of setting a variable lets through."""
STRICT_AUDIO = Setting("TIMBRE_STRICT_AUDIO", "false", "`true` accepts 16 kHz 16-bit mono PCM WAV only, as Azure did.")
ACTIVATION = Setting(
    "TIMBRE_ACTIVATION",
    "false",
    "`true` asks for the activation phrase in the first enrollment of a text-independent profile.",
)
PUBLIC_URL = Setting(
    "TIMBRE_PUBLIC_URL", None, "Base URL of every link in an answer, behind a gateway; default: the request's own."
)
ALLOWED_HOSTS = Setting(
    "TIMBRE_ALLOWED_HOSTS",
    None,
    "Own domain names, a comma list. A link repeats a request's Host only if it is listed, Azure's name or a loopback.",
)
ALLOWED_ORIGINS = Setting(
    "TIMBRE_ALLOWED_ORIGINS",
    "*",
    "Origins whose pages may read answers, a comma list as `https://app.example.com`; `*`: every page.",
)
TRUSTED_HOPS = Setting(
    "TIMBRE_TRUSTED_HOPS",
    "1",
    "Whose word counts for a caller's address: that entry of `X-Forwarded-For`, from the right.",
)
RECORDING_HOSTS = Setting(
    "TIMBRE_RECORDING_HOSTS",
    None,
    "Hosts that [long recordings](turns.md#long-recordings) may be read from, a comma list: `host`, `host:port`,"
    " `*.suffix`.",
)
CONSOLE = Setting(
    "TIMBRE_CONSOLE", "false", "`true` serves [the console](console.md), a page for people, at `/console`."
)
OWN_HOST = Setting("WEBSITE_HOSTNAME", None, "Set by Azure: the app's own name, for links to requests of another Host.")
GALLERY_MEGABYTES = Setting(
    "TIMBRE_GALLERY_MEGABYTES",
    "512",
    "Memory that an instance gives to the signatures of identify among everyone: about 1.1 MB for 1,000.",
)
AT_ONCE = Setting(
    "TIMBRE_AT_ONCE",
    None,
    "Recognitions and enrolls that a process works on at once; default: twice its share of the processors.",
)
WAITING = Setting(
    "TIMBRE_WAITING", None, "How many more may wait for their turn; default: twice as many. Beyond that 503."
)
WAIT_SECONDS = Setting("TIMBRE_WAIT_SECONDS", "1.5", "How long a request waits for its turn, then 503.")
THREADS = Setting(
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "20",
    "Threads that work on requests; most wait for storage. A request that waits for its turn or its body holds none.",
)
REQUESTS_PER_SECOND = Setting(
    "TIMBRE_REQUESTS_PER_SECOND",
    "20",
    "Requests per second, in each worker process, of a subscription without a number of its own; 0: no limit.",
)
LOCAL_KEY = Setting(
    "TIMBRE_LOCAL_SUBSCRIPTION_KEY",
    None,
    "Development only: a subscription `local` with this key is made at start.",
    True,
)
SETTINGS = tuple(setting for setting in tuple(globals().values()) if isinstance(setting, Setting))
"""All of the above, in their order."""

_FLAGS = ("true", "false")
_KEY_ENCRYPTION = re.compile(r"local:[A-Za-z0-9+/]{43}=(,[A-Za-z0-9+/]{43}=)*|vault:https://[^/\s]+/keys/[^\s]+")
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?|https?://\[[0-9a-f:]+\](:[0-9]{1,5})?")
_MOST_THREADS = 1_000


def read(environment: Mapping[str, str]) -> Config:
    """Raises ``ConfigInvalid`` with everything that is wrong, not only the first."""
    problems: list[str] = []

    def value(setting: Setting) -> str | None:
        return environment.get(setting.name, "").strip() or setting.default

    storage = None
    try:
        storage = StorageAccount(
            value(STORAGE) or "", value(TABLE_URI) or "", value(BLOB_URI) or "", value(CLIENT_ID) or ""
        )
    except ValueError:
        problems.append(f"either {STORAGE.name}, or {TABLE_URI.name} and {BLOB_URI.name}, must be set")
    key_encryption = value(KEY_ENCRYPTION) or ""
    if not _KEY_ENCRYPTION.fullmatch(key_encryption):
        rule = "local:<32 bytes in base64>, with earlier keys behind commas, or vault:https://<vault>/keys/<name>"
        problems.append(f"{KEY_ENCRYPTION.name} must be {rule}")
    flags = {setting: (value(setting) or "").lower() for setting in (STRICT_AUDIO, ACTIVATION, CONSOLE)}
    problems += [f"{setting.name} must be true or false" for setting, flag in flags.items() if flag not in _FLAGS]
    public_url = value(PUBLIC_URL)
    if public_url and not public_url.startswith(("http://", "https://")):
        problems.append(f"{PUBLIC_URL.name} must start with http:// or https://")
    allowed_origins = origins(environment)
    if allowed_origins != {"*"} and not all(map(_ORIGIN.fullmatch, allowed_origins)):
        problems.append(f"{ALLOWED_ORIGINS.name} must be * alone, or origins as https://app.example.com")
    recording_hosts = _recording_hosts(value(RECORDING_HOSTS) or "")
    model = value(MODEL) or ""
    previous_model = _previous_model(environment, model)
    if previous_model == model:
        problems.append(f"{PREVIOUS_MODEL.name} must be another model than {MODEL.name}, or not set")
    megabytes = _whole(value(GALLERY_MEGABYTES) or "", 1, 1_000_000)
    processes = _whole(environment.get("FUNCTIONS_WORKER_PROCESS_COUNT", ""), 1, 64) or 1
    share = 2 * max(1, (os.cpu_count() or 1) // processes)
    at_once = _whole(value(AT_ONCE) or str(share), 1, 1_000)
    waiting = _whole(value(WAITING) or str(2 * (at_once or 1)), 0, 10_000)
    wait_seconds, requests = _number(value(WAIT_SECONDS), 60.0), _number(value(REQUESTS_PER_SECOND), 100_000.0)
    hops = _whole(value(TRUSTED_HOPS) or "", 1, 10)
    problems += [
        f"{setting.name} must be {rule}"
        for setting, number, rule in (
            (GALLERY_MEGABYTES, megabytes, "a whole number from 1 to 1000000"),
            (AT_ONCE, at_once, "a whole number from 1 to 1000"),
            (WAITING, waiting, "a whole number from 0 to 10000"),
            (THREADS, _threads(environment), f"a whole number from 1 to {_MOST_THREADS}"),
            (WAIT_SECONDS, wait_seconds, "a number of seconds from 0 to 60"),
            (REQUESTS_PER_SECOND, requests, "a number from 0 to 100000"),
            (TRUSTED_HOPS, hops, "a whole number from 1 to 10"),
            (RECORDING_HOSTS, recording_hosts, HOSTS_RULE),
        )
        if number is None
    ]
    if problems or storage is None:
        raise ConfigInvalid(problems)
    return Config(
        storage=storage,
        key_encryption=key_encryption,
        model=model,
        previous_model=previous_model,
        strict_audio=flags[STRICT_AUDIO] == "true",
        activation=flags[ACTIVATION] == "true",
        public_url=public_url.rstrip("/") if public_url else None,
        own_host=value(OWN_HOST),
        allowed_hosts=_listed(value(ALLOWED_HOSTS)),
        allowed_origins=allowed_origins,
        trusted_hops=hops or 1,
        recording_hosts=recording_hosts or RecordingHosts(),
        gallery_megabytes=megabytes or 0,
        at_once=at_once or 1,
        waiting=waiting or 0,
        wait_seconds=wait_seconds or 0.0,
        requests_per_second=requests or None,
        local_subscription_key=value(LOCAL_KEY),
    )


def _previous_model(environment: Mapping[str, str], model: str) -> str | None:
    """Unset, the default model's predecessor serves beside it, so that an upgrade loses nobody."""
    default = PREVIOUS_MODEL.default if model == MODEL.default else None
    name = (environment.get(PREVIOUS_MODEL.name, default) or "").strip()
    return None if name in ("", NO_MODEL) else name


def threads(environment: Mapping[str, str]) -> int:
    """The setting that is needed before anything else; ``read`` refuses a wrong one by name."""
    return _threads(environment) or int(THREADS.default or 0)


def origins(environment: Mapping[str, str]) -> frozenset[str]:
    """The other one, for answers that are given before the services are there."""
    return _listed(environment.get(ALLOWED_ORIGINS.name, "").strip() or ALLOWED_ORIGINS.default)


def console(environment: Mapping[str, str]) -> bool:
    """Whether there is a console, which is answered without the services."""
    return environment.get(CONSOLE.name, "").strip().lower() == "true"


def _recording_hosts(text: str) -> RecordingHosts | None:
    try:
        return RecordingHosts.parse(text)
    except ValueError:
        return None


def recordings(environment: Mapping[str, str]) -> bool:
    """Whether long recordings are read, which decides about a timer."""
    return bool(environment.get(RECORDING_HOSTS.name, "").strip())


def _listed(text: str | None) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in (text or "").split(",") if name.strip())


def _threads(environment: Mapping[str, str]) -> int | None:
    return _whole(environment.get(THREADS.name, "").strip() or THREADS.default or "", 1, _MOST_THREADS)


def _whole(text: str, least: int, most: int) -> int | None:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1
    return number if least <= number <= most else None


def _number(text: str | None, most: float) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and 0.0 <= number <= most else None
