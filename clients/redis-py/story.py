"""What every program here does with its client: write, read, and live through the failure of a master."""

import subprocess
import sys
import time

from redis.exceptions import RedisError

KEYS = 1000
PATIENCE = 60  # seconds that one command may fail before we give up
PAUSE = 0.001  # seconds between two writes, as of an application at work


def live_through_a_failover(client, master):
    """Goes on writing while `master` is killed and a replica takes over; ends the program with 1 if a
    write that was acknowledged cannot be read in the end."""
    for number in range(KEYS):
        client.set(f"key:{number}", number)
    read_back(client, KEYS)
    print(f"wrote and read {KEYS} keys")

    seconds = []

    def write_on():
        number = KEYS + len(seconds)
        asked = time.monotonic()
        insist(client.set, f"key:{number}", number)
        seconds.append(time.monotonic() - asked)
        time.sleep(PAUSE)

    kill = subprocess.Popen(["shardlab", "kill", master])
    while kill.poll() is None:
        write_on()
    if kill.returncode != 0:
        sys.exit(f"`{master}` lives: `shardlab kill {master}` ended with {kill.returncode}")
    # So many keys are spread over all slots: they cannot be written before the dead node is replaced.
    for _ in range(KEYS):
        write_on()

    read_back(client, KEYS + len(seconds))
    print(f"wrote {len(seconds)} keys around the death of `{master}`, the slowest in {max(seconds):.1f} s; all can be read")


def read_back(client, count):
    """Every key has the value that was written to it."""
    for number in range(count):
        value = insist(client.get, f"key:{number}")
        if value != str(number):
            sys.exit(f"key:{number} was acknowledged and is {value!r} now")


def insist(command, *arguments):
    """Tries again while the shard has no master, which the client's own retries may be too few for."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return command(*arguments)
        except RedisError as error:
            if time.monotonic() > deadline:
                sys.exit(f"nothing works for {PATIENCE} s: {type(error).__name__}: {error}")
            time.sleep(0.1)
