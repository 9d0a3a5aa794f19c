"""A host that brings one session up and then does nothing, for tests that kill it.

`python host_stand_in.py PLAN_FILE`: the plan as a message, prints `PID ready` or `PID busy`.
"""

import asyncio
import socket
import sys
from pathlib import Path

from punktfunk.session import messages
from punktfunk.session.supervisor import Worker


async def main() -> None:
    plan = messages.decode(Path(sys.argv[1]).read_bytes()).plan
    worker = await Worker.spawn()
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(3)]
    for sock in sockets:
        sock.bind(("127.0.0.1", 0))
    print(worker.pid, flush=True)
    await worker.prepare(plan)
    print("ready", flush=True)
    await asyncio.sleep(300)


asyncio.run(main())
