"""From the body of a request to an utterance: ``listener.py`` goes the whole way, in this order.

``sniff.py`` names the kind of file by its bytes, ``media_type.py`` what samples without a header are. ``decode.py``
turns either into samples: ``containers/`` parses files, ``decoder/`` runs libraries in processes of their own, and
``reader.py`` bounds, resamples and finds clipping. ``channels.py`` finds the voice, ``voice_activity.py`` its speech,
``quality.py`` measures it. ``flac.py`` writes what is kept.
"""
