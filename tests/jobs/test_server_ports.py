"""Ports of servers that the program starts: none is one that the kernel may give to a client meanwhile."""

from __future__ import annotations

import pytest

from imgstore_tui.jobs.servers.catalogue import all_recipes, recipe
from imgstore_tui.jobs.servers.probes import free_ports

_FIRST_OF_CLIENTS = 32_768
"""Linux hands out ports from here on, unless net.ipv4.ip_local_port_range says otherwise."""


@pytest.mark.parametrize("name", all_recipes())
def test_no_port_of_a_server_is_one_of_the_ports_of_clients(name: str) -> None:
    kind = recipe(name)
    for _ in range(50):
        ports = free_ports(kind.ports, kind.port_offsets)
        listened = {port + offset for port in ports.values() for offset in (0, *kind.port_offsets)}
        assert len(listened) == len(ports) * (1 + len(kind.port_offsets))
        assert min(listened) > 1024
        assert max(listened) < _FIRST_OF_CLIENTS
