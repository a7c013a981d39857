"""shardlab run --topology sentinel -- python sentinel.py"""

import os

from redis.sentinel import Sentinel

from story import live_through_a_failover

sentinels = [address.rsplit(":", 1) for address in os.environ["REDIS_SENTINELS"].split(",")]
password = os.environ.get("SHARDLAB_PASSWORD")

with Sentinel(sentinels, sentinel_kwargs={"password": password}) as sentinel:
    name = os.environ["REDIS_SENTINEL_MASTER"]
    with sentinel.master_for(name, password=password, decode_responses=True) as client:
        live_through_a_failover(client, "n1")
