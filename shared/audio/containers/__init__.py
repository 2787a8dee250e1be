"""Containers that are read here, in Python: what browsers and phones write and libsndfile does not read.

WAV gives plain samples. Opus is re-muxed, not decoded: its packets out of WebM, MP4 and CAF are put into Ogg pages,
five minutes in a fraction of a second. FFmpeg would read all of them, but is 102 MB with GPL libraries. What each buys
is told in its module: what libsndfile 1.2.2 makes of the same bodies. Together they cost 750 lines.
"""
