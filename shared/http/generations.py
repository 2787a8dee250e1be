"""The generations of the API that are served."""

from shared.http.api import Api
from shared.http.v1 import V1
from shared.http.v2 import V2
from shared.http.v2021 import V2021

GENERATIONS: tuple[Api, ...] = (V1(), V2(), V2021())
