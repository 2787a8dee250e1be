"""What the app is like once it is imported, seen in a process of its own."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.process import ARENAS

ROOT = Path(__file__).parents[2]


def native_threads_after(imports: str, environment: dict[str, str]) -> int:
    program = f"{imports}; import os; print(len(os.listdir('/proc/self/task')))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="threads are counted in /proc, which is Linux's")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="BLAS has no further threads on one processor")
def test_the_app_brings_no_threads_of_its_own_for_arithmetic() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    assert native_threads_after("import numpy", environment) > 1, "or there would be nothing to hold back"
    held_back = {**environment, "OPENBLAS_NUM_THREADS": "1"}
    own = native_threads_after("import onnxruntime", held_back)  # its import starts a thread, which sleeps
    assert native_threads_after("import function_app, numpy", environment) == own


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="bounds glibc's heaps; this is another C library")
def test_threads_share_a_few_heaps() -> None:
    assert heaps_after_threads("from shared import process; process.settle()") == ARENAS
    assert heaps_after_threads("pass") > ARENAS, "or there would be nothing to bound"


def heaps_after_threads(first: str) -> int:
    """How many heaps glibc has after eight threads asked for memory at the same time."""
    program = f"""
{first}
import ctypes, threading
meet = threading.Barrier(8)
malloc = ctypes.CDLL(None).malloc
def work():
    meet.wait()
    for _ in range(1000): malloc(3000)
    meet.wait()
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads: one.start()
for one in threads: one.join()
libc = ctypes.CDLL(None)
libc.malloc_info.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.fopen.restype = ctypes.c_void_p
file = libc.fopen(b"/dev/stdout", b"w")
libc.malloc_info(0, file)
libc.fflush(ctypes.c_void_p(file))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.count("<heap nr=")


LATE = """
import sys
from pathlib import Path
import function_app
from shared.audio.listener import RecordingListener
from shared.audio.voice_activity import VoiceActivity
from shared.inference.speaker_model import speaker_model
from shared.inference.model_card import CATALOGUE_FILE, read_catalogue
from shared.inference.onnx_network import OnnxNetwork
from shared.services.migrate import ANY_RECORDING
catalogue = read_catalogue()
model, activity = speaker_model(catalogue.speaker_models[0]), catalogue.voice_activity
detector = VoiceActivity(OnnxNetwork(activity))
before = set(sys.modules)
model.embed(RecordingListener(detector).listen(Path("samples/passphrase-1.wav").read_bytes(), None, ANY_RECORDING))
print(*sorted(set(sys.modules) - before))
"""


def test_what_every_recognition_needs_is_imported_with_the_app() -> None:
    """The first one opens the networks; it need not wait for imports too."""
    done = subprocess.run([sys.executable, "-c", LATE], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_what_only_some_requests_need_is_not() -> None:
    program = "import sys, function_app; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert {"numpy", "onnxruntime"} <= set(done.stdout.split())
    assert {"azure.storage.blob", "azure.identity", "azure.keyvault"}.isdisjoint(done.stdout.split())


def test_an_imported_app_leaves_no_bytecode_behind() -> None:
    program = "import sys, function_app; print(sys.dont_write_bytecode)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]
