"""Modbus RTU units on a pseudo terminal, or behind a TCP port, with faults on demand.

The codec is written from the Modbus specifications and shares nothing with the product; line-slave.ts
starts and steers the process. Arguments: `pty PATH` (a link to the terminal is made there) or `tcp`,
the file that everything seen is appended to, and bits a second and bits a character. A pseudo terminal
has no speed: the time that characters take is modelled here. Without a speed they take none.

Registers hold their own address, but 0 and 1, which hold the number of the request.
"""
import heapq
import json
import os
import pty
import random
import select
import socket
import struct
import sys
import time
import tty

MODE, PLACE, LOG = sys.argv[1], sys.argv[2], sys.argv[3]
BAUD, BITS = int(sys.argv[4]), int(sys.argv[5])
CHARACTER = BITS / BAUD if BAUD else 0.0
SILENCE = (0.00175 if BAUD > 19200 else 3.5 * CHARACTER) if BAUD else 0.0
REQUEST = 8

log_file = open(LOG, "a", buffering=1)


def log(**fields):
    log_file.write(json.dumps({"t": time.monotonic_ns(), **fields}) + "\n")


def crc(data):
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return struct.pack("<H", value)


def frame(*parts):
    data = b"".join(bytes([p]) if isinstance(p, int) else p for p in parts)
    return data + crc(data)


def pdu_of(fc, address, count, serial):
    if fc < 1 or fc > 4:
        return bytes([fc | 0x80, 1])
    if address + count > 0x10000:
        return bytes([fc | 0x80, 2])
    if fc <= 2:
        bits = [(address + n) % (3 if fc == 1 else 5) == 0 for n in range(count)]
        data = bytearray((count + 7) // 8)
        for n, bit in enumerate(bits):
            data[n >> 3] |= bit << (n & 7)
        return bytes([fc, len(data)]) + bytes(data)
    special = {0: serial >> 16, 1: serial & 0xFFFF}
    words = [special.get(address + n, address + n) for n in range(count)]
    return bytes([fc, 2 * count]) + struct.pack(f">{count}H", *words)


class Script:
    """A sequence of faults under way; the format is that of src/core/fault.ts."""

    def __init__(self, command):
        self.unit = command.get("unit")
        self.registers = command.get("registers")
        self.repeat = command.get("repeat", False)
        self.all = command["steps"]
        self.enter(list(self.all), time.monotonic())

    def enter(self, steps, now):
        self.steps, self.began = steps, now
        self.left = steps[0].get("requests", -1) if steps else -1

    def next(self, now):
        rest = self.steps[1:]
        self.enter(list(self.all) if self.repeat and not rest else rest, now)
        line.release()

    def fits(self, unit, fc, address, count):
        if self.unit is not None and self.unit != unit:
            return False
        if self.registers is None:
            return True
        first = self.registers["address"]
        end = first + self.registers.get("count", 1)
        tables = ["coil", "discrete", "holding", "input"]
        return tables.index(self.registers["table"]) + 1 == fc and first < address + count and address < end

    def take(self):
        now = time.monotonic()
        while self.steps and "for" in self.steps[0] and now - self.began >= self.steps[0]["for"] / 1000:
            self.next(self.began + self.steps[0]["for"] / 1000)
        if self.left == 0:
            self.next(now)
        self.left -= 1
        return self.steps[0] if self.steps else {"kind": "normal"}


class Line:
    """The wire and what is on it."""

    def __init__(self):
        self.fd = self.held = self.listener = self.link = None
        self.rest = b""
        self.serial = 0
        self.scripts = []
        self.outbox = []
        self.order = 0
        self.kept = []
        self.waiting = []
        self.free = 0.0
        self.began = 0.0

    def plug(self, link):
        if MODE == "tcp":
            self.listener = socket.create_server(("127.0.0.1", 0))
            return self.listener.getsockname()[1]
        self.fd, self.held = pty.openpty()
        tty.setraw(self.held)
        name = os.ttyname(self.held)
        self.link = link
        if os.path.lexists(link):
            os.unlink(link)
        os.symlink(name, link)
        return name

    def unplug(self):
        os.unlink(self.link)
        os.close(self.fd)
        os.close(self.held)
        self.fd = self.held = None
        self.rest = b""
        self.outbox.clear()

    def take(self, unit, fc, address, count):
        """The fault of the next request."""
        fitting = [s for s in self.scripts if s.fits(unit, fc, address, count)]
        # One for registers goes before one for a unit, and that before one for all.
        fitting.sort(key=lambda s: (s.registers is None, s.unit is None))
        return fitting[0].take() if fitting else {"kind": "normal"}

    def begin(self, script):
        """One for all units ends those of single units."""
        if script.unit is not None or script.registers is not None:
            same = (script.unit, script.registers)
            self.scripts = [s for s in self.scripts if (s.unit, s.registers) != same]
        else:
            self.scripts.clear()
        self.scripts.append(script)

    def release(self):
        """Sends what was kept until a fault ends."""
        for data in self.kept:
            self.send(data)
        self.kept.clear()

    def received(self, data, now):
        if not self.rest:
            self.began = max(now, self.free)
            self.gap = now - self.free
        self.rest += data
        while len(self.rest) >= REQUEST:
            raw, self.rest = self.rest[:REQUEST], self.rest[REQUEST:]
            if crc(raw[:-2]) != raw[-2:]:
                log(event="junk", raw=(raw + self.rest).hex())
                self.rest = b""
                return
            self.request(raw)

    def request(self, raw):
        unit, fc, address, count = struct.unpack(">BBHH", raw[:6])
        self.serial += 1
        fault = self.take(unit, fc, address, count)
        log(event="request", serial=self.serial, unit=unit, fc=fc, address=address, count=count,
            raw=raw.hex(), fault=fault["kind"], gap=round(1000 * self.gap, 3))
        for waiter in [w for w in self.waiting if w["serial"] <= self.serial]:
            self.waiting.remove(waiter)
            done(waiter)
        ended = self.began + REQUEST * CHARACTER
        self.free = ended
        for ms, data in self.answers(fault, raw, unit, pdu_of(fc, address, count, self.serial)):
            if ms is None:
                self.kept.append(data)
            else:
                # What is written arrives at once: it is written when its last character would.
                at = ended + SILENCE + len(data) * CHARACTER + ms / 1000
                self.order += 1
                heapq.heappush(self.outbox, (at, self.order, data))

    def answers(self, fault, raw, unit, pdu):
        """What comes back and after how many ms; None: when the fault ends."""
        kind, good = fault["kind"], frame(unit, pdu)
        noise = bytes.fromhex(fault.get("hex", "00ff"))
        half = len(good) // 2
        bad = bytes([good[-3] ^ 0x55])
        return {
            "silent": [],
            "delay": [(fault.get("ms", 0) + random.random() * fault.get("jitter", 0), good)],
            "hold": [(None, good)],
            "exception": [(0, frame(unit, pdu[0] | 0x80, fault.get("code", 2)))],
            "garbage": [(0, bytes.fromhex(fault.get("hex", "deadbeefffff01030200")))],
            "bad-crc": [(0, good[:-3] + bad + good[-2:])],
            "noise-before": [(0, noise + good)],
            "noise-inside": [(0, good[:half] + noise + good[half:])],
            "noise-after": [(0, good + noise)],
            "noise-later": [(0, good), (fault.get("ms", 5), noise)],
            "echo": [(0, raw + good)],
            "echo-first": [(0, raw), (fault.get("ms", 5), good)],
            "split": [(n, good[n : n + 1]) for n in range(len(good))],
            "truncated": [(0, good[:half])],
            "duplicate": [(0, good + good)],
            "wrong-unit": [(0, frame(unit + 1, pdu))],
            "wrong-function": [(0, frame(unit, 4 if pdu[0] == 3 else 3, pdu[1:]))],
            "wrong-bytecount": [(0, frame(unit, pdu[0], 2, b"\0\7"))],
            # Another master asks another unit, which answers, in the midst of our own exchange.
            "master": [(0, frame(9, 3, b"\0\5\0\1") + frame(9, 3, 2, b"\0\5")), (20, good)],
        }.get(kind, [(0, good)])

    def send_due(self):
        while self.outbox and self.outbox[0][0] <= time.monotonic():
            _, _, data = heapq.heappop(self.outbox)
            self.send(data)

    def send(self, data):
        self.free = max(self.free, time.monotonic())
        if self.fd is not None:
            try:
                os.write(self.fd, data)
            except OSError:
                pass


line = Line()


def done(command, **fields):
    print(json.dumps({"id": command["id"], **fields}), flush=True)


def obey(command):
    op = command["op"]
    if op == "play":
        line.begin(Script(command))
        line.release()
    elif op == "received" and line.serial < command["serial"]:
        line.waiting.append(command)
        return
    elif op == "send":
        line.send(bytes.fromhex(command["hex"]))
    elif op == "unplug":
        line.unplug()
    elif op == "plug":
        line.plug(command["link"])
    done(command)


def wait():
    """The descriptors to read from, in time for the next answer."""
    fds = [0] + [f for f in (line.fd, line.listener) if f is not None]
    if not line.outbox:
        return select.select(fds, [], [])[0]
    left = line.outbox[0][0] - time.monotonic()
    return select.select(fds, [], [], max(0.0, left))[0]


def main():
    print(json.dumps({"place": line.plug(PLACE)}), flush=True)
    commands = b""
    while True:
        ready = wait()
        now = time.monotonic()
        if line.fd is not None and line.fd in ready:
            try:
                data = os.read(line.fd, 512)
            except OSError:
                data = b""
            if data:
                line.received(data, now)
            elif MODE == "tcp":
                log(event="close")
                os.close(line.fd)
                line.fd = None
        if line.listener in ready:
            connection, _ = line.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            log(event="open")
            if line.fd is not None:
                os.close(line.fd)
            line.fd = connection.detach()
            line.rest = b""
        if 0 in ready:
            text = os.read(0, 65536)
            if not text:
                return
            commands += text
            while b"\n" in commands:
                one, commands = commands.split(b"\n", 1)
                obey(json.loads(one))
        line.send_due()


main()
