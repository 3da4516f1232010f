"""A master from another code base (pymodbus) that reads, writes and asks who a device is.

Arguments: `tcp PORT` or `rtu PATH BAUD PARITY`; prints what it saw of unit 1 as JSON.
"""
import json
import sys
import types

# pymodbus asks for what it needs for asynchronous serial lines even where there are none.
if "serial_asyncio" not in sys.modules:
    serial_asyncio = types.ModuleType("serial_asyncio")
    serial_asyncio.create_serial_connection = None
    sys.modules["serial_asyncio"] = serial_asyncio

from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.mei_message import ReadDeviceInformationRequest

mode, place, *line = sys.argv[1:]
if mode == "tcp":
    client = ModbusTcpClient("127.0.0.1", port=int(place), timeout=10)
else:
    baud, parity = line
    client = ModbusSerialClient(port=place, baudrate=int(baud), parity=parity[0].upper(), timeout=10)
client.connect()

writes = [
    client.write_coil(3, True, slave=1),
    client.write_coils(4, [True, False, True], slave=1),
    client.write_register(5, 4711, slave=1),
    client.write_registers(6, [1, 2, 65535], slave=1),
]
identity = client.execute(ReadDeviceInformationRequest(read_code=2, object_id=0, unit=1))
print(json.dumps({
    "writes": [write.isError() for write in writes],
    "coils": client.read_coils(0, 8, slave=1).bits,
    "discrete": len(client.read_discrete_inputs(0, 16, slave=1).bits),
    "holding": client.read_holding_registers(0, 10, slave=1).registers,
    "input": client.read_input_registers(0, 2, slave=1).registers,
    "beyond": client.read_holding_registers(60, 10, slave=1).exception_code,
    "unwritable": client.write_register(64, 1, slave=1).exception_code,
    "identity": {str(key): value.decode() for key, value in identity.information.items()},
}))
client.close()
