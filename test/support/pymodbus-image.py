"""A device of given holding registers, from another code base (pymodbus): prints its port, serves until its input ends.

Arguments: unit, a JSON object of words in hexadecimal by the address of the first, and how many registers
one request may take. Whatever else is asked for is answered with exception 2.
"""
import asyncio
import json
import logging
import sys
import types

# pymodbus asks for the serial libraries even where only TCP is used.
sys.modules.setdefault("serial", types.ModuleType("serial"))
if "serial_asyncio" not in sys.modules:
    serial_asyncio = types.ModuleType("serial_asyncio")
    serial_asyncio.create_serial_connection = None
    sys.modules["serial_asyncio"] = serial_asyncio

from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext, ModbusSparseDataBlock
from pymodbus.server.async_io import ModbusTcpServer


# It tells of each exception and of each connection that ends.
logging.disable(logging.CRITICAL)


class Registers(ModbusSparseDataBlock):
    most = 125

    def validate(self, address, count=1):
        return count <= self.most and super().validate(address, count)


async def main():
    unit, image, most = int(sys.argv[1]), json.loads(sys.argv[2]), int(sys.argv[3])
    values = {}
    for first, text in image.items():
        for n, word in enumerate(text.split()):
            values[int(first) + n] = int(word, 16)
    registers = Registers(values)
    registers.most = most
    context = ModbusServerContext(slaves={unit: ModbusSlaveContext(hr=registers, zero_mode=True)}, single=False)
    server = ModbusTcpServer(context, address=("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve_forever())
    await server.serving
    print(server.server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    serving.cancel()


asyncio.run(main())
