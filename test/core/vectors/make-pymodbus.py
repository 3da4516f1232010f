"""Words of values as pymodbus builds them; run once: python3 make-pymodbus.py > pymodbus.json"""
import json
from pymodbus.version import version
from pymodbus.constants import Endian
from pymodbus.payload import BinaryPayloadBuilder
ORDERS = {"ABCD": (Endian.Big, Endian.Big), "CDAB": (Endian.Big, Endian.Little), "BADC": (Endian.Little, Endian.Big), "DCBA": (Endian.Little, Endian.Little)}
VALUES = {
 "int16": ("add_16bit_int", [0, -2, 32767, -32768, 4660]),
 "uint16": ("add_16bit_uint", [0, 4660, 65535]),
 "int32": ("add_32bit_int", [-123456, 2147483647, -2147483648, 305419896]),
 "uint32": ("add_32bit_uint", [4294967295, 305419896]),
 "int64": ("add_64bit_int", [-1, 9223372036854775807, -9223372036854775808, 81985529216486895]),
 "uint64": ("add_64bit_uint", [18446744073709551615, 81985529216486895, 9007199254740993]),
 "float16": ("add_16bit_float", [2.56, -0.25, 65504.0, 6e-8]),
 "float32": ("add_32bit_float", [22.34, -0.1, 123456.0, 1e-40, 3.4e38]),
 "float64": ("add_64bit_float", [-123.45, 1e300, 5e-324, 0.1]),
}
rows = []
for order, (byte, word) in ORDERS.items():
    for type_, (method, values) in VALUES.items():
        for value in values:
            builder = BinaryPayloadBuilder(byteorder=byte, wordorder=word)
            getattr(builder, method)(value)
            words = " ".join("%04x" % w for w in builder.to_registers())
            rows.append([type_, order, words, str(value) if "64" in type_ and "int" in type_ else value])
b = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=Endian.Big); b.add_string("abcdefgh")
rows.append(["string", "ABCD", " ".join("%04x" % w for w in b.to_registers()), "abcdefgh"])
b = BinaryPayloadBuilder(byteorder=Endian.Big, wordorder=Endian.Big); b.add_8bit_uint(0x12); b.add_8bit_int(-2)
rows.append(["uint8 high", "ABCD", " ".join("%04x" % w for w in b.to_registers()), 0x12])
rows.append(["int8 low", "ABCD", " ".join("%04x" % w for w in b.to_registers()), -2])
source = "BinaryPayloadBuilder of pymodbus %s; byteorder and wordorder Big and Big are ABCD, Big and Little CDAB, Little and Big BADC, Little and Little DCBA" % version.short()
print('{\n  "source": ' + json.dumps(source) + ',\n  "columns": ["type", "order", "words", "value"],\n  "rows": [')
print(",\n".join("    " + json.dumps(r) for r in rows))
print("  ]\n}")
