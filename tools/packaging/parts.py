"""Whose the package's parts are: the licence of each Python package, and the libraries that its wheel brings along.

Metadata says the first, in many spellings. Nobody but the wheel's makers say the second, each in a place of its own;
``PARTS`` collects it. What is not known here stops the build of the package, so that nothing goes along unnamed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from tools.packaging.failure import CannotPackage


@dataclass(frozen=True)
class Part:
    """A library inside a wheel.

    ``licence`` in SPDX's words. ``source``: where its source code is, for licences that want it said. ``files``: the
    shared libraries that it is, as globs from the folder of packages; without any it is linked into another.
    """

    name: str
    licence: str
    source: str = ""
    files: tuple[str, ...] = ()


HERE: Final = "tools/packaging/parts.py"
LGPL: Final = "LGPL-2.1-or-later"
GCC: Final = "https://gcc.gnu.org/git/gcc.git"

PARTS: Final[Mapping[str, Sequence[Part]]] = {
    "soundfile": (  # its licensing/license_notes.md
        Part("libsndfile", LGPL, "https://github.com/libsndfile/libsndfile", ("_soundfile_data/libsndfile*.so",)),
        Part("FLAC", "BSD-3-Clause"),
        Part("Ogg", "BSD-3-Clause"),
        Part("Vorbis", "BSD-3-Clause"),
        Part("Opus", "BSD-3-Clause"),
        Part("mpg123", "LGPL-2.1-only", "https://sourceforge.net/p/mpg123/code"),
        Part("LAME", "LGPL-2.0-or-later", "https://sourceforge.net/p/lame/svn"),
    ),
    "soxr": (  # its licence files
        Part("libsoxr", LGPL, "https://github.com/chirlu/soxr"),
        Part("PFFFT", "NCL"),
        Part("nanobind", "BSD-3-Clause"),
    ),
    "numpy": (  # its LICENSE.txt
        Part("OpenBLAS", "BSD-3-Clause", files=("numpy.libs/libscipy_openblas64_*.so",)),
        Part("LAPACK", "BSD-3-Clause-Open-MPI"),
        Part("libgfortran", "GPL-3.0-or-later WITH GCC-exception-3.1", GCC, ("numpy.libs/libgfortran-*.so*",)),
        Part("libquadmath", LGPL, GCC, ("numpy.libs/libquadmath-*.so*",)),
    ),
    "onnxruntime": (  # its ThirdPartyNotices.txt, as far as the library's own strings name it
        Part("ONNX Runtime's core", "MIT", files=("onnxruntime/capi/libonnxruntime*.so*",)),
        Part("abseil", "Apache-2.0"),
        Part("Boost", "BSL-1.0"),
        Part("cpuinfo", "BSD-2-Clause"),
        Part("Eigen", "MPL-2.0", "https://gitlab.com/libeigen/eigen"),
        Part("FlatBuffers", "Apache-2.0"),
        Part("JSON for Modern C++", "MIT"),
        Part("ONNX", "Apache-2.0"),
        Part("Protocol Buffers", "BSD-3-Clause"),
        Part("pybind11", "BSD-3-Clause"),
        Part("RE2", "BSD-3-Clause"),
        Part("SafeInt", "MIT"),
    ),
    "cryptography": (Part("OpenSSL", "Apache-2.0"),),  # with the crates that its own bill of materials lists
    "cffi": (Part("libffi", "MIT"),),
    "av": (
        Part(
            "FFmpeg",
            "LGPL-3.0-or-later",
            "https://git.ffmpeg.org/ffmpeg.git",
            ("av.libs/lib[as]v*.so*", "av.libs/libsw*.so*"),
        ),
        Part("x264", "GPL-2.0-or-later", "https://code.videolan.org/videolan/x264.git", ("av.libs/libx264-*",)),
        Part("x265", "GPL-2.0-or-later", "https://bitbucket.org/multicoreware/x265_git.git", ("av.libs/libx265-*",)),
        Part("LAME", "LGPL-2.0-or-later", "https://sourceforge.net/p/lame/svn", ("av.libs/libmp3lame-*",)),
        Part("GMP", "LGPL-3.0-or-later OR GPL-2.0-or-later", "https://gmplib.org/repo/gmp", ("av.libs/libgmp-*",)),
        Part("GnuTLS", LGPL, "https://gitlab.com/gnutls/gnutls", ("av.libs/libgnutls-*",)),
        Part(
            "Nettle",
            "LGPL-3.0-or-later OR GPL-2.0-or-later",
            "https://git.lysator.liu.se/nettle/nettle",
            ("av.libs/libnettle-*", "av.libs/libhogweed-*"),
        ),
        Part(
            "libunistring",
            "LGPL-3.0-or-later OR GPL-2.0-or-later",
            "https://git.savannah.gnu.org/git/libunistring.git",
            ("av.libs/libunistring-*",),
        ),
        Part("ALSA", LGPL, "https://git.alsa-project.org", ("av.libs/libasound-*",)),
        Part("OpenCORE AMR", "Apache-2.0", files=("av.libs/libopencore-amr*",)),
        Part("Opus", "BSD-3-Clause", files=("av.libs/libopus-*",)),
        Part("SVT-AV1", "BSD-3-Clause-Clear", files=("av.libs/libSvtAv1Enc-*",)),
        Part("dav1d", "BSD-2-Clause", files=("av.libs/libdav1d-*",)),
        Part("libvpl", "MIT", files=("av.libs/libvpl-*",)),
        Part("libvpx", "BSD-3-Clause", files=("av.libs/libvpx-*",)),
        Part("WebP", "BSD-3-Clause", files=("av.libs/libwebp*", "av.libs/libsharpyuv-*")),
        Part("libdrm", "MIT", files=("av.libs/libdrm-*",)),
        Part("XCB and Xau", "MIT", files=("av.libs/libxcb*", "av.libs/libXau-*")),
    ),
}
"""By wheel, in the place that the comment names."""

SPELLED: Final[Mapping[str, str]] = {
    "MIT License": "MIT",
    "Apache 2.0": "Apache-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
}
"""Words of metadata that are not SPDX's."""

READ: Final[Mapping[str, str]] = {
    "isodate": "BSD-3-Clause",
}
"""Licences of packages whose metadata has none, or has its text: read in the wheel."""

EXTENSION: Final = re.compile(r"\.(?:cpython-\w+(?:-\w+)*|abi3)\.so$")
"""A Python module, of the package itself."""


def licence_of(package: Distribution) -> str:
    """In SPDX's words. ``CannotPackage`` when neither metadata nor ``READ`` says it."""
    name = canonicalize_name(package.metadata["Name"])
    fields = ("License-Expression", "License")
    said = next((word for field in fields for word in package.metadata.get_all(field) or ()), "")
    licence = READ.get(name) or SPELLED.get(said, said)
    if not re.fullmatch(r"[\w.+-]+(?: (?:AND|OR|WITH) [\w.+-]+)*", licence):
        raise CannotPackage(f"The licence of {name} is not known: read it in the wheel and name it in {HERE}.")
    return licence


def require_known(packages: Path, names: Iterable[str]) -> None:
    """``CannotPackage`` when the folder has a shared library that no part of the named wheels is."""
    parts = [part for name in names for part in PARTS.get(name, ())]
    known = {file for part in parts for file in files_of(part, packages)}
    libraries = (path for path in packages.rglob("*.so*") if not EXTENSION.search(path.name))
    for unknown in sorted(set(libraries) - known):
        raise CannotPackage(f"Whose is {unknown.relative_to(packages)}? Name it with its licence in {HERE}.")


def files_of(part: Part, packages: Path) -> list[Path]:
    return sorted(path for pattern in part.files for path in packages.glob(pattern))
