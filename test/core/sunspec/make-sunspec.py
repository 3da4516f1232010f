"""Register images of SunSpec models from their published definitions, not from this repository's tables.

Run once: git clone https://github.com/sunspec/models && python3 make-sunspec.py models/json > sunspec.json
Each value has words of its own; `none` are the words by which a device says that it has none of it.
"""
import json
import struct
import sys
from decimal import Decimal
from pathlib import Path

MODELS = [1, 101, 102, 103, 111, 112, 113, 201, 202, 203, 204]
NONE = {"int16": "8000", "uint16": "ffff", "enum16": "ffff", "sunssf": "8000", "acc32": "0000 0000",
        "bitfield32": "ffff ffff", "float32": "7fc0 0000", "pad": "8000"}


def words(data):
    return " ".join(data[i:i + 2].hex() for i in range(0, len(data), 2))


def raw_of(point, offset, sfs):
    kind, size, name = point["type"], point["size"], point["name"]
    if kind == "string":
        return f"{name} text", words(f"{name} text".encode().ljust(2 * size, b"\0"))
    if kind == "float32":
        return offset + 0.5, words(struct.pack(">f", offset + 0.5))
    if kind == "enum16":
        raw = 4 if name == "St" else 300 + offset
        return raw, words(struct.pack(">H", raw))
    if kind == "bitfield32":
        return 1 << (offset % 31), words(struct.pack(">I", 1 << (offset % 31)))
    raw = {"int16": -1000 - offset, "uint16": 1000 + offset, "acc32": 1_000_003 * offset}[kind]
    packed = struct.pack({"int16": ">h", "uint16": ">H", "acc32": ">I"}[kind], raw)
    return float(Decimal(raw).scaleb(sfs[point["sf"]])), words(packed)


def image_of(number, folder):
    points = json.loads((folder / f"model_{number}.json").read_text())["group"]["points"]
    length = sum(point["size"] for point in points) - 2
    sfs = {}
    for point in points:
        if point["type"] == "sunssf":
            sfs[point["name"]] = (len(sfs) % 6) - 3
    some, none, values, offset = [], [], {}, 0
    for point in points:
        kind = point["type"]
        if point["name"] in ("ID", "L"):
            text = "%04x" % (number if point["name"] == "ID" else length)
            some.append(text)
            none.append(text)
        else:
            none.append(NONE.get(kind) or " ".join(["0000"] * point["size"]))
            if kind == "sunssf":
                some.append(words(struct.pack(">h", sfs[point["name"]])))
            elif kind == "pad" or point["name"] == "DA":
                some.append("8000" if kind == "pad" else "0001")
            else:
                value, text = raw_of(point, offset, sfs)
                values[point["name"]] = [value, point.get("units")]
                some.append(text)
        offset += point["size"]
    return {"id": number, "length": length, "words": " ".join(some), "none": " ".join(none), "values": values}


folder = Path(sys.argv[1])
print('{\n  "source": "github.com/sunspec/models at 7abdf89, json/model_*.json; words by make-sunspec.py",\n  "models": [')
print(",\n".join("    " + json.dumps(image_of(number, folder)) for number in MODELS))
print("  ]\n}")
