"""What the service itself cannot do now, or must not do."""

from __future__ import annotations

from shared.domain.errors.root import TimbreError


class TryLater(TimbreError):
    """``retry_after_seconds`` are whole, at least 1."""

    def __init__(self, retry_after_seconds: int, sentence: str) -> None:
        self.retry_after_seconds = retry_after_seconds
        unit = "second" if retry_after_seconds == 1 else "seconds"
        super().__init__(f"{sentence} Try again in {retry_after_seconds} {unit}.")


class StorageUnavailable(TryLater):
    """Storage did not answer, or answered that it is busy. Nothing was half-written."""

    def __init__(self, retry_after_seconds: int = 5) -> None:
        super().__init__(retry_after_seconds, "Storage is not available right now.")


class ServiceBusy(TryLater):
    """Refused before any work was done."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds, "The service has as much work as it can do.")


class RateExceeded(TryLater):
    """Refused before any work was done."""

    def __init__(self, retry_after_seconds: int = 1) -> None:
        super().__init__(retry_after_seconds, "Rate limit is exceeded.")


class SealBroken(TimbreError):
    """A ciphertext does not authenticate against where it stands: changed, swapped or of another key."""

    def __init__(self) -> None:
        super().__init__("Stored data failed its integrity check and was not used.")
