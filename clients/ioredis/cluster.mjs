// shardlab run -- node cluster.mjs

import { Cluster } from "ioredis";

import { liveThroughAFailover } from "./story.mjs";

const nodes = process.env.REDIS_CLUSTER_NODES.split(",");
const password = process.env.SHARDLAB_PASSWORD;

const client = new Cluster(nodes, { redisOptions: { password, commandTimeout: 5_000 } });
try {
  await liveThroughAFailover(client, "n2");
} finally {
  client.disconnect();
}
