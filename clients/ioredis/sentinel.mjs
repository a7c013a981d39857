// shardlab run --topology sentinel -- node sentinel.mjs

import { Redis } from "ioredis";

import { liveThroughAFailover } from "./story.mjs";

const sentinels = process.env.REDIS_SENTINELS.split(",").map((address) => {
  const [host, port] = address.split(":");
  return { host, port };
});
const name = process.env.REDIS_SENTINEL_MASTER;
const password = process.env.SHARDLAB_PASSWORD;

const client = new Redis({ sentinels, name, password, sentinelPassword: password, commandTimeout: 5_000 });
try {
  await liveThroughAFailover(client, "n1");
} finally {
  client.disconnect();
}
