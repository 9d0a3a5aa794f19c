"""Asks the management API for its status, so many times a second, until its input ends.

Arguments: port, requests a second. Reads the token from its first line of input; says `ready`,
and at the end how many a second it had answered.
"""

import http.client
import json
import select
import sys
import time

port, per_s = int(sys.argv[1]), int(sys.argv[2])
headers = {"Authorization": f"Bearer {sys.stdin.readline().strip()}"}
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)


def ask() -> None:
    connection.request("GET", "/api/v1/status", headers=headers)
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200


ask()
print("ready", flush=True)
began = due = time.monotonic()
count = 0
while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
    ask()
    count += 1
    due = max(due + 1 / per_s, time.monotonic() - 0.1)
print(json.dumps({"per_s": count / (time.monotonic() - began)}), flush=True)
