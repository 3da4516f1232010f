"""Modbus RTU units on a pseudo terminal that answer as exactly as the machine allows, and watch the silences.

The codec is written from the Modbus specifications and shares nothing with the product. Arguments: bits a
second and bits a character. A pseudo terminal has no speed: a request is taken to begin when it comes and to
last as long as its characters; 3.5 characters later the answer begins, and it is written when its last
character would have gone. The process does not sleep when something is about to happen.

Prints the path of the terminal, a line with the first request, and when its input ends what it saw, as JSON.
"""
import gc
import json
import os
import pty
import select
import struct
import sys
import time
import tty

BAUD, BITS = int(sys.argv[1]), int(sys.argv[2])
CHARACTER = BITS / BAUD
SILENCE = 0.00175 if BAUD > 19200 else 3.5 * CHARACTER
REQUEST = 8
# Seconds around the moment at which something is due that it looks for it without sleeping.
AWAKE = 0.0005
LONGEST_WAKE = 0.002


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def answer_to(raw):
    """Registers hold their own address."""
    unit, function, address, count = struct.unpack(">BBHH", raw[:6])
    words = [(address + n) & 0xFFFF for n in range(count)]
    data = struct.pack(f">BBB{count}H", unit, function, 2 * count, *words)
    return data + crc(data)


def ready(fds, until, awake):
    """Those that can be read, at `until` at the latest; without sleeping in the last `awake` seconds."""
    while True:
        left = until - time.monotonic()
        found = select.select(fds, [], [], max(0.0, left - awake))[0]
        if found or left <= 0:
            return found


def main():
    fd, held = pty.openpty()
    tty.setraw(held)
    print(os.ttyname(held), flush=True)
    gc.disable()
    # One entry a request: ms at which it came, of silence before it, by which its answer was late.
    seen, junk, early = [], 0, 0
    raw, came, free = b"", 0.0, time.monotonic()
    while True:
        found = ready([fd, 0], free + SILENCE + LONGEST_WAKE, AWAKE + LONGEST_WAKE)
        found = found or select.select([fd, 0], [], [])[0]
        if 0 in found:
            break
        came = came if raw else time.monotonic()
        raw += os.read(fd, 256)
        if len(raw) < REQUEST:
            continue
        if len(raw) > REQUEST or crc(raw[:-2]) != raw[-2:]:
            raw, junk = b"", junk + 1
            continue
        if not seen:
            print("asked", flush=True)
        answer, raw = answer_to(raw), b""
        at = came + (REQUEST + len(answer)) * CHARACTER + SILENCE
        if ready([fd], at, AWAKE):
            # Somebody speaks into the answer.
            early += 1
            ready([], at, AWAKE)
        seen.append([1000 * came, 1000 * (came - free), 0])
        # Before the write: however long that takes, a silence is not found shorter than it was kept.
        free = time.monotonic()
        os.write(fd, answer)
        seen[-1][2] = 1000 * (free - at)
    print(json.dumps({"requests": seen, "junk": junk, "early": early}), flush=True)


main()
