"""Spent tokens as rows: each is what the timer has to do, which is to take it away when the token is over."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from shared.domain.errors import SubscriptionUnknown
from shared.domain.token import Token
from shared.storage.backend.erasing import remove_silently
from shared.storage.backend.ports import Insert, RowExists, Rows
from shared.storage.layout import TOKEN, due_row

KEPT: Final = timedelta(minutes=10)
"""How much longer than the token: another instance may think that it is earlier."""


class RowSpentTokens:
    """Implements ``SpentTokens``. ``voices`` is the table of voice data."""

    def __init__(self, voices: Rows) -> None:
        self._voices = voices

    def add(self, token: Token, request_id: str) -> None:
        key = _row(token)
        try:
            self._voices.apply(token.subscription_id, [Insert(key, {"request_id": request_id})])
        except RowExists:
            # It may be this very write, come twice.
            row = self._voices.get(token.subscription_id, key)
            if row is None or row.get("request_id", str) != request_id:
                raise SubscriptionUnknown from None

    def take_back(self, token: Token) -> None:
        remove_silently(self._voices, token.subscription_id, _row(token))


def _row(token: Token) -> str:
    return due_row(token.expires_at + KEPT, TOKEN, token.token_id)
