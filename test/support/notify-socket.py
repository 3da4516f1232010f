"""A service manager as far as a process tells it how it fares: a Unix datagram socket; each message is a line of JSON."""

import json
import socket
import sys
import time

listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind(sys.argv[1])
print("{}", flush=True)
while True:
    words = listener.recv(4096).decode().split("\n")
    print(json.dumps({"at": time.time() * 1000, "words": words}), flush=True)
