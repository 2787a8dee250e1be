"""The generations of the API that are served."""

from shared.http.v1 import V1
from shared.http.wire import WireFormat

GENERATIONS: tuple[WireFormat, ...] = (V1(),)
