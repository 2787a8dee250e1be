"""The generations of the API that are served."""

from shared.http.v1 import V1
from shared.http.v2 import V2
from shared.http.v2021 import V2021
from shared.http.wire import WireFormat

GENERATIONS: tuple[WireFormat, ...] = (V1(), V2(), V2021())
