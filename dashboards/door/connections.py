"""One connection of the server, which knows who is at its other end."""

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

from dashboards.door.peers import Peer


class Connection(H11Protocol):
    """uvicorn's connection; each of its requests has `peer` in its state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin with a connection that the server has accepted."""
        super().connection_made(transport)
        far, near = (transport.get_extra_info(end)[:2] for end in ("peername", "sockname"))
        self.app_state = {**self.app_state, "peer": Peer(far, near)}
