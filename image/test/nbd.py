"""A disk for QEMU with a write cache that is lost when the power is cut: an NBD server over a Unix socket. Writes since
the last flush are kept aside; at the cut a random part of them reaches the disk, some torn, the rest is lost.
"""
import os
import random
import socket
import struct
import threading
from pathlib import Path

SECTOR = 512
# What a card keeps in its cache at most before it writes by itself, in bytes.
CACHE = 32 << 20
READ, WRITE, DISCONNECT, FLUSH = range(4)
FORCE = 1
MAGIC, ANSWER, OPTION_ANSWER = 0x25609513, 0x67446698, 0x3E889045565A9
GO, ABORT = 7, 2
# Has flags; knows flush; knows forced writes.
FLAGS = 1 | 4 | 8


class Disk:
    """A file with a volatile cache in front of it."""

    def __init__(self, path: Path, chance: random.Random, last: int = 0):
        """Power is gone with write number `last`, if it isn't 0."""
        self.file = os.open(path, os.O_RDWR)
        self.size = os.fstat(self.file).st_size
        self.chance = chance
        self.lock = threading.Lock()
        self.waiting: list[tuple[int, bytes]] = []
        self.sectors: dict[int, bytes] = {}
        self.held = self.writes = self.flushes = 0
        self.dead = False
        self.last = last
        self.lost = (0, 0, 0)

    def write(self, at: int, data: bytes) -> None:
        with self.lock:
            if self.dead:
                return
            self.writes += 1
            self.waiting.append((at, data))
            self.held += len(data)
            for offset in range(0, len(data), SECTOR):
                self.sectors[(at + offset) // SECTOR] = data[offset : offset + SECTOR]
            if self.writes == self.last:
                self._lose()
            elif self.held > CACHE:
                self._settle()

    def _settle(self) -> None:
        for at, data in self.waiting:
            os.pwrite(self.file, data, at)
        self.waiting, self.sectors, self.held = [], {}, 0

    def flush(self) -> None:
        with self.lock:
            if not self.dead:
                self.flushes += 1
                self._settle()

    def read(self, at: int, length: int) -> bytes:
        with self.lock:
            data = bytearray(os.pread(self.file, length, at))
            data += bytes(length - len(data))
            if self.sectors:
                for offset in range(0, length, SECTOR):
                    newer = self.sectors.get((at + offset) // SECTOR)
                    if newer:
                        data[offset : offset + SECTOR] = newer
            return bytes(data)

    def cut(self) -> tuple[int, int, int]:
        """Power is gone: how many writes were waiting, how many reached the disk, how many of these torn."""
        with self.lock:
            if not self.dead:
                self._lose()
            os.close(self.file)
            return self.lost

    def _lose(self) -> None:
        self.dead = True
        reached = torn = 0
        part = self.chance.choice([0, 0.2, 0.5, 0.8, 1])
        for at, data in self.waiting:
            if self.chance.random() >= part:
                continue
            if len(data) > SECTOR and self.chance.random() < 0.15:
                data = data[: SECTOR * self.chance.randrange(1, len(data) // SECTOR)]
                torn += 1
            os.pwrite(self.file, data, at)
            reached += 1
        self.lost = (len(self.waiting), reached, torn)


def _exactly(peer: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        piece = peer.recv(length - len(data))
        if not piece:
            raise EOFError
        data += piece
    return data


def _greet(peer: socket.socket, disk: Disk) -> bool:
    peer.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    _exactly(peer, 4)
    while True:
        _, option, length = struct.unpack(">8sII", _exactly(peer, 16))
        _exactly(peer, length)

        def reply(kind: int, data: bytes = b"", to: int = option) -> None:
            peer.sendall(struct.pack(">QIII", OPTION_ANSWER, to, kind, len(data)) + data)

        if option == GO:
            reply(3, struct.pack(">HQH", 0, disk.size, FLAGS))
            reply(1)
            return True
        reply(1 if option == ABORT else 0x80000001)
        if option == ABORT:
            return False


def _serve(peer: socket.socket, disk: Disk) -> None:
    try:
        if not _greet(peer, disk):
            return
        while True:
            magic, flags, kind, handle, at, length = struct.unpack(">IHHQQI", _exactly(peer, 28))
            done = struct.pack(">IIQ", ANSWER, 0, handle)
            if magic != MAGIC or kind == DISCONNECT:
                return
            if kind == READ:
                done += disk.read(at, length)
            elif kind == WRITE:
                disk.write(at, _exactly(peer, length))
                if flags & FORCE:
                    disk.flush()
            elif kind == FLUSH:
                disk.flush()
            else:
                done = struct.pack(">IIQ", ANSWER, 22, handle)
            peer.sendall(done)
    except (EOFError, OSError):
        pass


class Server:
    """Serves a disk at a socket until closed. `drive` is what QEMU is told."""

    def __init__(self, disk: Disk, path: Path):
        path.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen(2)
        self.drive = f"file=nbd+unix:///?socket={path},if=none,id=disk,format=raw,cache=none"
        threading.Thread(target=self._accept, args=(disk,), daemon=True).start()

    def _accept(self, disk: Disk) -> None:
        try:
            while True:
                peer, _ = self.listener.accept()
                threading.Thread(target=_serve, args=(peer, disk), daemon=True).start()
        except OSError:
            pass

    def close(self) -> None:
        self.listener.close()
