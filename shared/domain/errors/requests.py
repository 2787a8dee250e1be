"""A request that cannot be understood."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.errors.root import TimbreError, shown
from shared.domain.limits import MIN_UPLOAD_BYTES_PER_SECOND, UPLOAD_RATE_SECONDS, UPLOAD_STALL_SECONDS


class RequestInvalid(TimbreError):
    """The request cannot be understood."""


class IdMalformed(RequestInvalid):
    def __init__(self, received: str) -> None:
        self.received = received
        super().__init__(
            f"Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx). "
            f"Received {shown(received)}."
        )


class LocaleMissing(RequestInvalid):
    def __init__(self) -> None:
        super().__init__("Locale parameter is missing.")


class LocaleUnsupported(RequestInvalid):
    def __init__(self, received: str, supported: Sequence[str]) -> None:
        self.received, self.supported = received, tuple(supported)
        super().__init__(
            f"Invalid locale value. Supported locales are {', '.join(supported)}. Received {shown(received)}."
        )


class ParameterMissing(RequestInvalid):
    """``rule`` is a sentence that says what is valid, where the name alone does not."""

    def __init__(self, name: str, rule: str = "") -> None:
        self.name, self.rule = name, rule
        super().__init__(f"{name} parameter is missing. {rule}".rstrip())


class ParameterInvalid(RequestInvalid):
    """``rule`` is a sentence that says what is valid."""

    def __init__(self, name: str, received: str, rule: str) -> None:
        self.name, self.received, self.rule = name, received, rule
        super().__init__(f"Invalid {name} parameter value. {rule} Received {shown(received)}.")


class BodyMissing(RequestInvalid):
    def __init__(self) -> None:
        super().__init__("Request body is missing.")


class BodyNotUnderstood(RequestInvalid):
    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class PassphraseUnpronounceable(RequestInvalid):
    """``words`` are those that the pronouncing dictionary of the locale does not have."""

    def __init__(self, locale: str, words: Sequence[str]) -> None:
        self.locale, self.words = locale, tuple(words)
        listed = ", ".join(shown(word) for word in words[:10])
        super().__init__(
            f"Invalid passphrases.{locale} parameter value. Words without a known pronunciation: {listed}."
        )


class BodyCutShort(RequestInvalid):
    """``announced_bytes`` is None where the body came in chunks of no announced length."""

    def __init__(self, received_bytes: int, announced_bytes: int | None) -> None:
        self.received_bytes, self.announced_bytes = received_bytes, announced_bytes
        super().__init__(f"The request body ended early. Received {_progress(received_bytes, announced_bytes)}.")


class BodyTooSlow(TimbreError):
    """The rest of the body did not come in time."""

    def __init__(self, received_bytes: int, announced_bytes: int | None) -> None:
        self.received_bytes, self.announced_bytes = received_bytes, announced_bytes
        super().__init__(
            f"The request body comes too slowly: {UPLOAD_STALL_SECONDS:.0f} seconds without a byte, or less than "
            f"{MIN_UPLOAD_BYTES_PER_SECOND:,} bytes a second over {UPLOAD_RATE_SECONDS:.0f} seconds. "
            f"Received {_progress(received_bytes, announced_bytes)}."
        )


class BodyTooLarge(TimbreError):
    """``at_least``: more was on its way when reading stopped."""

    def __init__(self, received_bytes: int, maximum_bytes: int, *, at_least: bool = False) -> None:
        self.received_bytes, self.maximum_bytes, self.at_least = received_bytes, maximum_bytes, at_least
        received = f"at least {received_bytes:,}" if at_least else f"{received_bytes:,}"
        super().__init__(f"The request body may have {maximum_bytes:,} bytes. Received {received}.")


def _progress(received_bytes: int, announced_bytes: int | None) -> str:
    announced = "" if announced_bytes is None else f" of {announced_bytes:,}"
    return f"{received_bytes:,}{announced} bytes"
