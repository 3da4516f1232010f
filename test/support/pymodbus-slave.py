"""A slave from another code base (pymodbus): prints its port and serves until its input ends.

Holding register n is 1000 + n, input register n is 2000 + n, coil n is set when n is even,
discrete input n when n is a multiple of three; unit 7, addresses 0 to 199. Unit 8 has holding
registers 0 to 3, 8 to 11 and 20 only, which hold their own address, and refuses all others.
"""
import asyncio
import sys
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
from pymodbus.server.async_io import ModbusTcpServer


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
    context = ModbusServerContext(slaves={7: unit, 8: holes}, single=False)
    identity = ModbusDeviceIdentification(
        info={0: "Pymodbus", 1: "PM", 2: "1.2.3", 3: "http://example.org", 4: "Slave for tests", 5: "7"}
    )
    server = ModbusTcpServer(context, identity=identity, address=("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()


asyncio.run(main())
