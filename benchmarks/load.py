"""A load of so many clients, each asking again as soon as it was answered, over connections that stay open.

    python -m benchmarks.load HOST:PORT PATH BODIES CLIENTS SECONDS [RATE]

BODIES is a file with one JSON body a line. With RATE (requests a second, all clients together) each client keeps to its
share of it. Prints one line of JSON: requests a second, statuses, errors, and quantiles of the milliseconds.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np


async def main(lines: list[bytes]) -> None:
    place, path, _, clients, seconds, *rate = sys.argv[1:]
    host, _, port = place.partition(":")
    load = Load(host, int(port), path.encode(), lines, pause=int(clients) / float(rate[0]) if rate else 0.0)
    load.stop = time.perf_counter() + float(seconds)
    began = time.perf_counter()
    await asyncio.gather(*(load.client(number, int(clients)) for number in range(int(clients))))
    took = time.perf_counter() - began
    times = np.array(load.times or [float("nan")]) * 1000
    quantiles = {f"p{share}": round(float(np.percentile(times, share)), 3) for share in (50, 95, 99)}
    print(json.dumps({"rate": round(len(load.times) / took, 1), "statuses": load.statuses, "errors": load.errors,
                      **quantiles}))  # fmt: skip


class Load:
    """What all clients share."""

    def __init__(self, host: str, port: int, path: bytes, bodies: list[bytes], *, pause: float) -> None:
        self.host, self.port, self.path, self.bodies, self.pause = host, port, path, bodies, pause
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.errors = 0
        self.stop = 0.0

    async def client(self, number: int, step: int) -> None:
        """Ask until the time is over; a connection that breaks is an error and is opened again."""
        place = number
        due = time.perf_counter() + self.pause * number / step
        while time.perf_counter() < self.stop:
            try:
                reader, writer = await asyncio.open_connection(self.host, self.port)
            except OSError:
                self.errors += 1
                await asyncio.sleep(0.05)
                continue
            try:
                while time.perf_counter() < self.stop:
                    if self.pause:
                        await asyncio.sleep(max(0.0, due - time.perf_counter()))
                        due += self.pause
                    await self.ask(reader, writer, self.bodies[place % len(self.bodies)])
                    place += step
            except (OSError, asyncio.IncompleteReadError):
                self.errors += 1
            writer.close()

    async def ask(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, body: bytes) -> None:
        """Ask once and read the whole answer."""
        start = time.perf_counter()
        head = b"POST %s HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % (self.path, len(body)) + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        self.statuses[int(answer[9:12])] += 1
        self.times.append(time.perf_counter() - start)
        if b"connection: close" in answer.lower():
            raise ConnectionResetError


if __name__ == "__main__":
    content = Path(sys.argv[3]).read_bytes().splitlines()
    try:
        import uvloop

        uvloop.run(main(content))
    except ImportError:
        asyncio.run(main(content))
