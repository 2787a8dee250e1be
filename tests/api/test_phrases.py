"""The phrases that may be said, and what is said of a wrong locale."""

from __future__ import annotations

import pytest

from shared.domain.passphrase import EN_US_PASSPHRASES
from tests.api.client import Client


@pytest.mark.parametrize("locale", ["en-US", "en-us", "enus"])
def test_the_ten_phrases_come_as_a_bare_array_in_order(api: Client, locale: str) -> None:
    answer = api.get(f"/verificationPhrases?locale={locale}")
    assert answer.status == 200
    assert answer.json == [{"phrase": phrase} for phrase in EN_US_PASSPHRASES]


def test_a_locale_is_required(api: Client) -> None:
    assert api.get("/verificationPhrases").error == (400, "BadRequest", "Locale parameter is missing.")


def test_a_locale_without_phrases_is_named(api: Client) -> None:
    assert api.get("/verificationPhrases?locale=de-DE").error == (
        400,
        "BadRequest",
        'Invalid locale value. Supported locales are en-US. Received "de-DE".',
    )
