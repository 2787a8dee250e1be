"""Libraries decode what strangers send in processes of their own, under limits.

What it buys: libsndfile 1.2.2 never returns from an RF64 file of 172 bytes, and libvorbis in it dies of a codebook of
2^20 entries or takes 1.2 GB for 256 of them; here each costs one answer, and 627,371 damaged bodies cost no process.
What it costs: 680 lines, 20 MB a process, and 0.9 ms for 4 s of FLAC (docs/decisions/audio-in.md).

``pool.py`` is the parent's side, ``child.py`` the process, ``pipes.py`` what they say to each other, ``confinement.py``
the limits; ``libsndfile.py`` and ``ffmpeg.py`` are the libraries.
"""
