"""What Timbre adds to the retired service's API: names, parameters and error codes are those of 2021-09-05."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from shared.http.reply import Reply
from shared.http.v2 import FAMILY, MODE
from shared.http.v2021 import V2021

PROFILE: Final = f"profiles/{FAMILY}/{MODE}/{{profileId}}"
"""Family and mode are those of 2021-09-05, whichever generation the profile is used with."""


class Extension(V2021):
    """Its routes are given where its functions are registered."""

    suffix = ""
    routes: MappingProxyType[str, str] = MappingProxyType({})

    def refused(self, refusal: Reply) -> Reply:
        """No client of old knows these calls: the plain body is enough."""
        return refusal


EXTENSION = Extension()
