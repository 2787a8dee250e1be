"""Tokens: read as they were written, and by nobody else; what each is for."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import OutsideToken, SubscriptionUnknown
from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.token import MAX_CHARACTERS, PREFIX, Scope, SignedToken, Token, TokenOperation, fingerprint

KEY, OTHER_KEY = bytes(range(32)), bytes(32)
NOW = datetime(2026, 11, 30, 12, 0, 0, tzinfo=UTC)
MINE, YOURS = "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555"
TOKEN = Token(
    token_id="5f0c6a3e-1c1b-4f0e-9a5e-000000000001",
    subscription_id="acme-1",
    key_name="primary",
    fingerprint=fingerprint("a key"),
    scope=Scope((TokenOperation.VERIFY,), MINE),
    issued_at=NOW,
    expires_at=NOW + timedelta(minutes=10),
)
TEXT = TOKEN.signed(KEY)
PAYLOAD = json.loads(base64.urlsafe_b64decode(TEXT.split(".")[1] + "=="))


def forged(payload: object) -> str:
    """Under the token's own signature."""
    written = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
    return f"{PREFIX}{written}.{TEXT.split('.')[2]}"


def opened(text: str, key: bytes = KEY) -> Token:
    signed = SignedToken.parse(text)
    signed.require_signature(key)
    return signed.token


@pytest.mark.parametrize(
    "token",
    [
        TOKEN,
        replace(TOKEN, once=True),
        replace(TOKEN, scope=Scope(tuple(TokenOperation), MINE, Everyone())),
        replace(TOKEN, scope=Scope((TokenOperation.IDENTIFY,), None, InGroup("night-shift"))),
        replace(TOKEN, scope=Scope((TokenOperation.IDENTIFY,), None, [MINE, YOURS])),
    ],
)
def test_a_token_is_read_as_it_was_written(token: Token) -> None:
    assert opened(token.signed(KEY)) == token


def test_it_names_no_algorithm_and_no_key() -> None:
    prefix, _, signature = TEXT.split(".")
    assert (prefix, len(signature)) == ("timbre1", 43)
    names = "id subscription key fingerprint operations profileId candidates issued expires once"
    assert set(PAYLOAD) == set(names.split())
    assert (PAYLOAD["key"], PAYLOAD["fingerprint"]) == ("primary", "8fa3aab2faa9b79e")


@given(at=st.integers(0, len(TEXT) - 1), other=st.characters(max_codepoint=300))
def test_any_changed_character_makes_it_nobodys(at: int, other: str) -> None:
    if TEXT[at] != other:
        with pytest.raises(SubscriptionUnknown):
            opened(TEXT[:at] + other + TEXT[at + 1 :])


@given(cut=st.integers(0, len(TEXT) - 1), more=st.text(max_size=3))
def test_a_part_of_it_or_more_is_nobodys(cut: int, more: str) -> None:
    for text in (TEXT[:cut] + more, TEXT[cut:] if cut else more, TEXT + more + "=", TEXT + "." + more):
        with pytest.raises(SubscriptionUnknown):
            opened(text)


@given(st.text() | st.text(alphabet="ABCabc012_-.={}[]", max_size=80))
def test_what_is_no_token_is_nobodys(text: str) -> None:
    with pytest.raises(SubscriptionUnknown):
        opened(PREFIX + text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(["id", "subscription", "expires", "operations", "candidates", "once", ""]), value=JSON)
def test_any_payload_is_refused_before_it_is_believed(name: str, value: object) -> None:
    with pytest.raises(SubscriptionUnknown):
        opened(forged({**PAYLOAD, name: value} if name else value))


@pytest.mark.parametrize("name", ["acme/2", "acme 2", "", "x" * 64, "acme\n", "\u00fc", None, 7, ["acme"]])
def test_storage_is_never_asked_by_a_name_that_nobody_has(name: object) -> None:
    with pytest.raises(SubscriptionUnknown):
        SignedToken.parse(forged({**PAYLOAD, "subscription": name}))


def test_another_key_signs_otherwise_and_a_long_text_is_not_looked_at() -> None:
    with pytest.raises(SubscriptionUnknown):
        opened(TEXT, OTHER_KEY)
    long = replace(TOKEN, scope=Scope((TokenOperation.IDENTIFY,), None, [MINE] * 200))
    assert opened(long.signed(KEY)) == long
    with pytest.raises(SubscriptionUnknown):
        SignedToken.parse(PREFIX + "A" * MAX_CHARACTERS)


def test_it_is_for_its_operations_and_its_profile() -> None:
    scope = TOKEN.scope
    scope.require({TokenOperation.READ, TokenOperation.VERIFY})
    scope.require_profile(MINE)
    for refused in ({TokenOperation.ENROLL, TokenOperation.READ}, set()):
        with pytest.raises(OutsideToken, match=r"The token of this request is for verify only\."):
            scope.require(refused)
    for other in (YOURS, None):
        with pytest.raises(OutsideToken, match=f"is for the profile {MINE} only"):
            scope.require_profile(other)
    Scope((TokenOperation.READ,)).require_profile(None)
    Scope((TokenOperation.READ,)).require_profile(YOURS)


@pytest.mark.parametrize(
    ("mine", "asked", "granted"),
    [
        (Everyone(), Everyone(), True),
        (Everyone(), InGroup("a"), True),
        (Everyone(), [YOURS], True),
        (InGroup("a"), InGroup("a"), True),
        (InGroup("a"), InGroup("A"), False),
        (InGroup("a"), Everyone(), False),
        (InGroup("a"), [MINE], False),
        ([MINE, YOURS], [YOURS], True),
        ([MINE], [MINE, MINE], True),
        ([MINE], [MINE, YOURS], False),
        ([MINE], Everyone(), False),
        ([MINE], InGroup("a"), False),
        (None, [MINE], False),
        (None, Everyone(), False),
    ],
)
def test_it_is_for_its_candidates(mine: Candidates | None, asked: Candidates, granted: bool) -> None:
    scope = Scope((TokenOperation.IDENTIFY,), None, mine)
    if granted:
        scope.require_candidates(asked)
    else:
        with pytest.raises(OutsideToken):
            scope.require_candidates(asked)
