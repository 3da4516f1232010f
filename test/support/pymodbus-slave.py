"""A slave from another code base (pymodbus): prints its port and serves until its input ends.

Arguments, all may be left out: the path of a terminal, which RTU frames then come over instead of
Modbus TCP (the port is that of RTU over TCP), JSON with further units:
{"3": {"holding": {"0": 1}, "input": {...}}}, and files with a certificate and its key, for Modbus TCP over TLS.

Holding register n is 1000 + n, input register n is 2000 + n, coil n is set when n is even,
discrete input n when n is a multiple of three; unit 7, addresses 0 to 199. Unit 8 has holding
registers 0 to 3, 8 to 11 and 20 only, which hold their own address, and refuses all others.
"""
import asyncio
import json
import os
import pty
import sys
import tty
import types

# pymodbus asks for the serial libraries even where only TCP is used.
sys.modules.setdefault("serial", types.ModuleType("serial"))
if "serial_asyncio" not in sys.modules:
    serial_asyncio = types.ModuleType("serial_asyncio")
    serial_asyncio.create_serial_connection = None
    sys.modules["serial_asyncio"] = serial_asyncio

from pymodbus.datastore import ModbusSequentialDataBlock, ModbusServerContext, ModbusSlaveContext
from pymodbus.datastore import ModbusSparseDataBlock
from pymodbus.device import ModbusDeviceIdentification
from pymodbus.server.async_io import ModbusTcpServer, ModbusTlsServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer

TERMINAL = sys.argv[1] if len(sys.argv) > 1 else ""
UNITS = json.loads(sys.argv[2]) if len(sys.argv) > 2 else {}
CERTIFICATE = {"certfile": sys.argv[3], "keyfile": sys.argv[4]} if len(sys.argv) > 4 else {}


def sparse(words):
    """Without any registers it has one that nobody asks for: an empty block can't be made."""
    return ModbusSparseDataBlock({int(n): word for n, word in words.items()} or {65535: 0})


async def serve_terminal(port):
    """Pumps bytes between a terminal, which stays open here, and the server."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    master, held = pty.openpty()
    tty.setraw(held)
    os.symlink(os.ttyname(held), TERMINAL)
    asyncio.get_running_loop().add_reader(master, lambda: writer.write(os.read(master, 512)))
    while data := await reader.read(512):
        os.write(master, data)


async def main():
    size = range(200)
    unit = ModbusSlaveContext(
        co=ModbusSequentialDataBlock(0, [n % 2 == 0 for n in size]),
        di=ModbusSequentialDataBlock(0, [n % 3 == 0 for n in size]),
        hr=ModbusSequentialDataBlock(0, [1000 + n for n in size]),
        ir=ModbusSequentialDataBlock(0, [2000 + n for n in size]),
        zero_mode=True,
    )
    holes = ModbusSlaveContext(
        hr=ModbusSparseDataBlock({n: n for n in [*range(4), *range(8, 12), 20]}),
        zero_mode=True,
    )
    others = {
        int(n): ModbusSlaveContext(
            hr=sparse(tables.get("holding", {})), ir=sparse(tables.get("input", {})), zero_mode=True
        )
        for n, tables in UNITS.items()
    }
    context = ModbusServerContext(slaves={7: unit, 8: holes, **others}, single=False)
    identity = ModbusDeviceIdentification(
        info={0: "Pymodbus", 1: "PM", 2: "1.2.3", 3: "http://example.org", 4: "Slave for tests", 5: "7"}
    )
    framer = ModbusRtuFramer if TERMINAL else ModbusSocketFramer
    kind = ModbusTlsServer if CERTIFICATE else ModbusTcpServer
    server = kind(context, framer=framer, identity=identity, address=("127.0.0.1", 0), **CERTIFICATE)
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    port = server.server.sockets[0].getsockname()[1]
    if TERMINAL:
        pump = asyncio.create_task(serve_terminal(port))
        while not os.path.lexists(TERMINAL) and not pump.done():
            await asyncio.sleep(0.01)
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()


asyncio.run(main())
