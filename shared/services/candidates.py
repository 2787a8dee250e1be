"""Whom a recognition chooses from, read from where voices are kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np

from shared.domain.errors import LocalesDiffer, NobodyEnrolled, TooManyCandidates
from shared.domain.group import Candidates, Everyone, InGroup
from shared.domain.profile import Profile, ProfileKey, ProfileKind, Signature
from shared.domain.recording import Numbers, Vector
from shared.domain.subscription import Subscription
from shared.services.comparison import SpeakerModels
from shared.services.ports.keeping import Galleries, GroupStore, ProfileStore, Ranked, Scorer
from shared.services.profiles import canonical_locale


@dataclass(frozen=True)
class CandidateStores:
    profiles: ProfileStore
    galleries: Galleries
    groups: GroupStore

    def choice(
        self, subscription: Subscription, candidates: Candidates, models: SpeakerModels, same_locale: bool = False
    ) -> Choice:
        """What a recognised voice is then compared with. Of everyone only those count whose model runs.

        Of a list all must be enrolled; ``same_locale`` refuses profiles of different ones.

        Raises
        ------
        TooManyCandidates, ProfileNotFound, LocalesDiffer, ProfileNotEnrolled, ModelDiffers
            In a list.
        GroupNotFound
            Otherwise.
        """
        if isinstance(candidates, Everyone | InGroup):
            group = candidates.name if isinstance(candidates, InGroup) else None
            members = None if group is None else self.groups.all_members(subscription.subscription_id, group)
            gallery = self.galleries.up_to_date(subscription.subscription_id)
            running = {model.model_id for model in models.running} & set(gallery.models)
            return Choice(partial(gallery.best, only=members), running, group)
        keys = distinct_keys(subscription, candidates)
        profiles = self.profiles.get_many_with_signatures(keys)
        if same_locale:
            _require_same_locale([profile for profile, _ in profiles])
        listed = [(key.profile_id, models.require_comparable(*read)) for key, read in zip(keys, profiles, strict=True)]
        return Choice(partial(_best_listed, listed), {signature.model_id for _, signature in listed})


class Best(Protocol):
    def __call__(self, scorers: Mapping[str, Scorer], most: int) -> Ranked: ...


@dataclass(frozen=True)
class Choice:
    """Candidates as of one moment. ``best`` ranks them by scorers of the models that made their signatures.

    ``group`` is whose members they are; ``None``: a list, or everyone.
    """

    best: Best
    model_ids: Collection[str]
    group: str | None = None

    def require_somebody(self) -> None:
        """Raises ``NobodyEnrolled``, as identify does, but before anything is heard."""
        if not self.best(dict.fromkeys(self.model_ids, _unlike), 1).best:
            raise NobodyEnrolled(self.group)


def _best_listed(listed: Sequence[tuple[str, Signature]], scorers: Mapping[str, Scorer], most: int) -> Ranked:
    scored = [
        (profile_id, float(score), model_id)
        for model_id, scorer in scorers.items()
        for own in [[(profile_id, made) for profile_id, made in listed if made.model_id == model_id]]
        if own
        for (profile_id, _), score in zip(own, _scores([made for _, made in own], scorer), strict=True)
    ]
    return Ranked.of(scored, most, len(listed))


def _scores(signatures: Sequence[Signature], scorer: Scorer) -> Numbers:
    directions = np.stack([signature.direction for signature in signatures])
    return scorer(directions, np.array([signature.speech_seconds for signature in signatures]))


def _unlike(_: Vector, seconds: Numbers) -> Numbers:
    """Nobody's score: to learn whether there are candidates at all."""
    return np.zeros(len(seconds))


def distinct_keys(subscription: Subscription, profile_ids: Sequence[str]) -> list[ProfileKey]:
    """Each once. Raises ``TooManyCandidates``."""
    distinct, maximum = list(dict.fromkeys(profile_ids)), subscription.settings.max_candidates
    if len(distinct) > maximum:
        raise TooManyCandidates(len(distinct), maximum)
    return [key_of(subscription, profile_id) for profile_id in distinct]


def key_of(subscription: Subscription, profile_id: str) -> ProfileKey:
    return ProfileKey(subscription.subscription_id, ProfileKind.IDENTIFICATION, profile_id)


def _require_same_locale(profiles: Sequence[Profile]) -> None:
    """Raises ``LocalesDiffer``."""
    locales = dict.fromkeys(canonical_locale(profile.locale) for profile in profiles)
    if len(locales) > 1:
        raise LocalesDiffer(list(locales))
