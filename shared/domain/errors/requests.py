"""A request that cannot be understood."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.errors.root import TimbreError, shown


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


class BodyTooLarge(TimbreError):
    def __init__(self, received_bytes: int, maximum_bytes: int) -> None:
        self.received_bytes, self.maximum_bytes = received_bytes, maximum_bytes
        super().__init__(f"The request body may have {maximum_bytes:,} bytes. Received {received_bytes:,}.")
