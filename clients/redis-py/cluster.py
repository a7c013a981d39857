"""shardlab run -- python cluster.py"""

import os

from redis.cluster import RedisCluster

from story import live_through_a_failover

with RedisCluster.from_url(os.environ["REDIS_URL"], decode_responses=True) as client:
    live_through_a_failover(client, "n2")
