"""Ports are free when they are chosen."""

from __future__ import annotations

import socket

from world.ports import free_port, free_rtp_range


def test_a_free_port_can_be_listened_at() -> None:
    port = free_port("127.0.9.1")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.9.1", port))


def test_a_range_that_is_in_use_is_passed_over() -> None:
    start, end = free_rtp_range("127.0.0.1", 3, size=80)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", start))
        other, _ = free_rtp_range("127.0.0.1", 3, size=80)
    assert end - start == 79
    assert other > start
