"""The server behind HTTP streams."""

from __future__ import annotations

import socket

from shared.http.streams import WebApp, WebServer


def test_an_answers_body_does_not_wait_for_the_acknowledgement_of_its_head() -> None:
    """Both are written one after the other: with Nagle's algorithm the second waits 40 ms for the other side."""
    server = WebServer("127.0.0.1", 0, WebApp())
    with server._socket as listening, socket.create_connection(listening.getsockname()):
        connection, _ = listening.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
