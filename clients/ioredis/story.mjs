// What every program here does with its client: write, read, and live through the failure of a master.

import assert from "node:assert";
import { execFile } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const KEYS = 1000;
const PATIENCE = 60_000; // ms that one command may fail before we give up
const LIMIT = 180_000; // ms that all of it may take: a command that waits for a connection has no deadline of its own
const PAUSE = 1; // ms between two writes, as of an application at work

/**
 * Goes on writing while `master` is killed and a replica takes over; throws if a write that was
 * acknowledged cannot be read in the end.
 */
export async function liveThroughAFailover(client, master) {
  setTimeout(() => assert.fail(`not done after ${LIMIT / 1000} s`), LIMIT).unref();
  // Emitted while the client reconnects; what matters is what becomes of the commands.
  client.on("error", () => {});

  for (let number = 0; number < KEYS; number++) {
    await client.set(`key:${number}`, number);
  }
  await readBack(client, KEYS);
  console.log(`wrote and read ${KEYS} keys`);

  const seconds = [];
  async function writeOn() {
    const number = KEYS + seconds.length;
    const asked = performance.now();
    await insist(() => client.set(`key:${number}`, number));
    seconds.push((performance.now() - asked) / 1000);
    await sleep(PAUSE);
  }

  let dead = false;
  const kill = promisify(execFile)("shardlab", ["kill", master]).finally(() => (dead = true));
  while (!dead) {
    await writeOn();
  }
  await kill;
  // So many keys are spread over all slots: they cannot be written before the dead node is replaced.
  for (let count = 0; count < KEYS; count++) {
    await writeOn();
  }

  await readBack(client, KEYS + seconds.length);
  const slowest = Math.max(...seconds).toFixed(1);
  console.log(`wrote ${seconds.length} keys around the death of \`${master}\`, the slowest in ${slowest} s; all can be read`);
}

/** Every key has the value that was written to it. */
async function readBack(client, count) {
  for (let number = 0; number < count; number++) {
    const value = await insist(() => client.get(`key:${number}`));
    assert.equal(value, String(number), `key:${number} was acknowledged and is ${value} now`);
  }
}

/** Tries again while the shard has no master, which the client's own retries may be too few for. */
async function insist(command) {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      return await command();
    } catch (error) {
      if (performance.now() > deadline) {
        throw new Error(`nothing works for ${PATIENCE / 1000} s`, { cause: error });
      }
      await sleep(100);
    }
  }
}
