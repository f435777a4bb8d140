"""Which listeners are databases: by their program, by their port where anything may be behind it.

The catalogue of programs makes an answer better, never cleaner: whatever listens at a usual port of
databases is one until more is known.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from collector.facts.data.database_access import ALWAYS_ASK
from collector.facts.data.database_access_read import ENGINES
from collector.facts.firewall.exposure import Exposure

PUBLISHERS = ("docker-proxy", "rootlessport", "conmon", "kube-proxy", "")
# Of these it is not known here whether they ask; the kernel keeps 15 bytes of a program's name.
_OTHERS: Mapping[str, str] = {
    "influxd": "influxdb",
    "influxdb3": "influxdb",
    "etcd": "etcd",
    "clickhouse": "clickhouse",
    "clickhouse-serv": "clickhouse",
    "mongos": "mongos",
    "keydb-server": "keydb",
    "dragonfly": "dragonfly",
    "kvrocks": "kvrocks",
    "tarantool": "tarantool",
    "arangod": "arangodb",
    "cockroach": "cockroachdb",
    "tidb-server": "tidb",
    "tikv-server": "tikv",
    "pd-server": "tidb pd",
    "taosd": "tdengine",
    "observer": "oceanbase",
    "rethinkdb": "rethinkdb",
    "asd": "aerospike",
    "qdrant": "qdrant",
    "milvus": "milvus",
    "weaviate": "weaviate",
    "meilisearch": "meilisearch",
    "typesense-serve": "typesense",
    "firebird": "firebird",
    "db2sysc": "db2",
    "oninit": "informix",
    "victoria-metric": "victoriametrics",
}
# They let in by rules of their own whoever asks for the databases behind them, which may listen for
# this host alone. Of their settings nothing is read here.
POOLERS: Mapping[str, str] = {
    name: name
    for name in (
        "pgbouncer", "odyssey", "pgpool", "pgcat", "pgagroal", "proxysql", "maxscale",
        "mysqlrouter", "mysql-proxy", "obproxy", "nutcracker", "predixy", "codis-proxy",
        "mcrouter",
    )
}  # fmt: skip
# what only its port tells: one runtime runs many
_BY_PORT: Mapping[str, Mapping[int, str]] = {
    "java": {
        9200: "elasticsearch", 9300: "elasticsearch", 9042: "cassandra", 9160: "cassandra",
        7474: "neo4j", 7687: "neo4j", 2181: "zookeeper", 9092: "kafka", 8983: "solr",
        61616: "activemq", 10800: "ignite", 5701: "hazelcast",
    },
    "beam.smp": {5984: "couchdb", 6984: "couchdb", 5672: "rabbitmq", 5671: "rabbitmq",
                 15672: "rabbitmq", 8087: "riak", 8098: "riak", 8091: "couchbase"},
}  # fmt: skip


def database_of(exposure: Exposure, ports: Collection[int]) -> str:
    """The engine behind a socket, `port N` for what listens at one of the `ports`, or nothing."""
    process, port = exposure.listener.process, exposure.listener.port
    known = ENGINES.get(process) or _OTHERS.get(process) or POOLERS.get(process)
    known = known or _BY_PORT.get(process, {}).get(port)
    if known:
        return known
    if process in ALWAYS_ASK:
        return process
    if port not in ports:
        return ""
    published = exposure.targets or process in PUBLISHERS
    return f"port {port}" if published else f"port {port}, {process}"
