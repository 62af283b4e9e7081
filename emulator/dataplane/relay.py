"""The load balancers' data path: one event loop in a thread that listens in public and dials instances."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from threading import Thread
from typing import Any

from emulator.dataplane.plane import Backend, CannotListenError, Frontend

CHUNK = 65_536
BACKLOG = 128
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Locate = Callable[[str, str, int], tuple[str, int] | None]


@dataclass(eq=False)
class Listening:
    """A bound listener; `frontend` changes in place while the socket stays."""

    frontend: Frontend
    door: socket.socket
    turn: int = 0


@dataclass(eq=False)
class Carried:
    """One client connection, where it came from and where it goes."""

    listening: Listening
    client: socket.socket
    task: asyncio.Task[None] | None = None
    backend: Backend | None = None


class Relay:
    """Carries TCP connections from public listeners to backends.

    Args:
        locate: Where the process behind (VPC, address, port) really listens, None if none does.
        connect_timeout: Seconds after which a connection is given up whose packets get lost on the way.
    """

    def __init__(self, locate: Locate, connect_timeout: float = 5.0) -> None:
        self._locate, self._connect_timeout = locate, connect_timeout
        self._listening: dict[tuple[str, int], Listening] = {}
        self._carried: set[Carried] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()

    def publish(self, frontends: Sequence[Frontend]) -> None:
        """Listen for exactly these frontends.

        Raises:
            CannotListenError: If one cannot be bound; all others are.
        """
        self._run(self._publish({(frontend.address, frontend.port): frontend for frontend in frontends}))

    def close(self) -> None:
        """Stop listening and drop every connection; safe to repeat."""
        if self._loop.is_closed():
            return
        self._run(self._shut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _shut(self) -> None:
        await self._publish({})
        await asyncio.gather(*(carried.task for carried in self._carried if carried.task), return_exceptions=True)

    async def _publish(self, wanted: dict[tuple[str, int], Frontend]) -> None:
        for door in set(self._listening) - set(wanted):
            self._withdraw(self._listening.pop(door))
        refused = [problem for frontend in wanted.values() if (problem := self._bind_or_update(frontend))]
        if refused:
            raise CannotListenError("; ".join(refused))

    def _bind_or_update(self, frontend: Frontend) -> str | None:
        address = (frontend.address, frontend.port)
        if standing := self._listening.get(address):
            self._update(standing, frontend)
            return None
        try:
            door = socket.create_server(address, backlog=BACKLOG)
        except OSError as error:
            return f"{frontend.address}:{frontend.port}: {error.strerror}"
        door.setblocking(False)
        listening = self._listening[address] = Listening(frontend, door)
        self._loop.add_reader(door, self._accept, listening)
        return None

    def _accept(self, listening: Listening) -> None:
        # asyncio's own server leaks what it accepts while it is being closed; this way nothing is in between.
        try:
            client, _ = listening.door.accept()
        except OSError:
            return
        client.setblocking(False)
        carried = Carried(listening, client)
        carried.task = self._loop.create_task(self._serve(carried))
        self._carried.add(carried)
        carried.task.add_done_callback(lambda _: self._forget(carried))

    def _forget(self, carried: Carried) -> None:
        self._carried.discard(carried)
        carried.client.close()

    def _withdraw(self, listening: Listening) -> None:
        self._loop.remove_reader(listening.door)
        listening.door.close()
        for carried in self._on(listening):
            drop(carried)

    def _update(self, listening: Listening, frontend: Frontend) -> None:
        """Take the new rules; who is connected stays so, except where the way to the member is gone."""
        listening.frontend = frontend
        passable = {(item.vpc_id, item.ip, item.port) for item in frontend.backends if item.reachable}
        for carried in self._on(listening):
            backend = carried.backend
            if backend and (backend.vpc_id, backend.ip, backend.port) not in passable:
                drop(carried)

    def _on(self, listening: Listening) -> list[Carried]:
        return [carried for carried in self._carried if carried.listening is listening]

    async def _serve(self, carried: Carried) -> None:
        try:
            reader, writer = await asyncio.open_connection(sock=carried.client)
        except OSError:
            return
        try:
            await self._carry(carried, reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # Either side may break a connection, and so may we; the client learns of it below.
        finally:
            if not writer.is_closing():
                reset(writer)

    async def _carry(self, carried: Carried, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        listening = carried.listening
        client: str = writer.get_extra_info("peername")[0]
        if not listening.frontend.admission.admits(client):
            return
        listening.turn += 1
        load = [other.backend for other in self._on(listening)]
        backend = choose(listening.frontend, client, listening.turn, load)
        if backend is None:
            return
        if not backend.reachable:
            await silence(reader, self._connect_timeout)
            return
        address = self._locate(backend.vpc_id, backend.ip, backend.port)
        if address is None:
            return
        carried.backend = backend
        await couple(reader, writer, *await asyncio.open_connection(*address))


def choose(frontend: Frontend, client: str, turn: int, load: Sequence[Backend | None]) -> Backend | None:
    """Pick the backend of a new connection by the pool's algorithm and the members' weights."""
    eligible = [backend for backend in frontend.backends if backend.weight > 0]
    if not eligible:
        return None
    if frontend.algorithm == "LEAST_CONNECTIONS":
        return min(eligible, key=lambda backend: load.count(backend) / backend.weight)
    by_weight = [backend for backend in eligible for _ in range(backend.weight)]
    number = sum(map(int, client.split("."))) if frontend.algorithm == "SOURCE_IP" else turn
    return by_weight[number % len(by_weight)]


async def silence(reader: asyncio.StreamReader, seconds: float) -> None:
    """Answer nothing until the time is over or the client gives up."""
    try:
        async with asyncio.timeout(seconds):
            while await reader.read(CHUNK):
                pass
    except TimeoutError:
        return


async def couple(
    client_reader: asyncio.StreamReader,
    client_writer: asyncio.StreamWriter,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    """Carry bytes both ways until both sides have ended.

    Raises:
        OSError: If one side broke.
    """
    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(pump(client_reader, writer))
            both.create_task(pump(reader, client_writer))
        client_writer.close()
        await client_writer.wait_closed()
    except* OSError as broken:
        raise ConnectionError from broken
    finally:
        writer.transport.abort()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way, then pass the end on."""
    while data := await reader.read(CHUNK):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def drop(carried: Carried) -> None:
    """End a connection from our side."""
    if carried.task:
        carried.task.cancel()


def reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with a TCP reset."""
    connection = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()
