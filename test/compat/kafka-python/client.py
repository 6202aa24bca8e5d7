"""Runs one operation of kafka-python. The parameters come as JSON on standard input, the answer goes out as JSON."""

import json
import signal
import sys
import uuid

import kafka
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import NewTopic
from kafka.errors import InvalidProducerEpochError, ProducerFencedError
from kafka.structs import OffsetAndMetadata

TIMEOUT_S = 20
# Not shorter: kafka-python 3.0.12 forgets what it was assigned when a poll times out between the answers of JoinGroup and SyncGroup
# (its `need_rejoin` looks at a snapshot that is taken before the second), and receives nothing from then on. With 100 ms that is
# 1 of 20 starts against Apache Kafka: its first metadata come after 98 ms.
POLL_MS = 1000


def version(_parameters):
    return {"binding": kafka.__version__}


def create_topic(parameters):
    with_admin(
        parameters,
        lambda admin: admin.create_topics(
            [NewTopic(parameters["topic"], parameters["partitions"], 1)]
        ),
    )


def delete_topic(parameters):
    with_admin(parameters, lambda admin: admin.delete_topics([parameters["topic"]]))


def list_topics(parameters):
    return list(with_admin(parameters, lambda admin: admin.list_topics()))


def with_admin(parameters, use):
    admin = KafkaAdminClient(**common(parameters))
    try:
        return use(admin)
    finally:
        admin.close()


def produce(parameters):
    codec = parameters["codec"]
    producer = KafkaProducer(
        **common(parameters),
        acks="all",
        compression_type=None if codec == "none" else codec,
        enable_idempotence=parameters["isIdempotent"],
        max_block_ms=TIMEOUT_S * 1000,
    )
    send_all(producer, parameters["topic"], parameters["messages"])
    producer.close()


def send_all(producer, topic, messages):
    sent = [
        producer.send(
            topic,
            key=None if message["key"] is None else message["key"].encode(),
            value=message["value"].encode(),
            headers=[(k, v.encode()) for k, v in message.get("headers", {}).items()],
        )
        for message in messages
    ]
    producer.flush(TIMEOUT_S)
    for future in sent:
        future.get(TIMEOUT_S)


def transact(parameters):
    settings = {**common(parameters), "transactional_id": parameters["transactionalId"]}
    producer = KafkaProducer(**settings)
    producer.init_transactions()
    for step in parameters["steps"]:
        producer.begin_transaction()
        send_all(producer, step["topic"], step["messages"])
        position = step.get("position")
        if position:
            partition = TopicPartition(position["topic"], position["partition"])
            offsets = {partition: OffsetAndMetadata(position["offset"], "", -1)}
            producer.send_offsets_to_transaction(offsets, position["group"])
        if step["outcome"] == "commit":
            producer.commit_transaction()
        elif step["outcome"] == "abort":
            producer.abort_transaction()
        else:
            return commit_fenced(producer, settings)
    producer.close()


def commit_fenced(producer, settings):
    producer.flush()
    other = KafkaProducer(**settings)
    other.init_transactions()
    other.close()
    try:
        producer.commit_transaction()
    except (ProducerFencedError, InvalidProducerEpochError):
        return
    raise SystemExit("a fenced producer committed")


def fetch(parameters):
    consumer = KafkaConsumer(
        **common(parameters),
        group_id=None,
        isolation_level=parameters.get("isolation", "read_uncommitted"),
        consumer_timeout_ms=TIMEOUT_S * 1000,
    )
    partition = TopicPartition(parameters["topic"], parameters["partition"])
    consumer.assign([partition])
    start = parameters["from"]
    if start == "beginning":
        consumer.seek_to_beginning(partition)
    elif "offset" in start:
        consumer.seek(partition, start["offset"])
    else:
        found = consumer.offsets_for_times({partition: start["timestampMs"]})
        consumer.seek(partition, found[partition].offset)
    received = []
    for message in consumer:
        received.append(describe(message))
        if len(received) == parameters["count"]:
            break
    consumer.close()
    if len(received) < parameters["count"]:
        raise SystemExit(f"only {len(received)} messages came")
    return received


def member(parameters):
    """Prints a line per message until SIGTERM; closing commits what was received."""
    is_running = True

    def stop(_signal, _frame):
        nonlocal is_running
        is_running = False

    signal.signal(signal.SIGTERM, stop)
    settings = {
        "group_id": parameters["group"],
        "auto_offset_reset": "earliest",
        "session_timeout_ms": 6000,
        "heartbeat_interval_ms": 500,
    }
    if parameters.get("instanceId"):
        settings["group_instance_id"] = parameters["instanceId"]
    consumer = KafkaConsumer(parameters["topic"], **common(parameters), **settings)
    while is_running:
        for messages in consumer.poll(timeout_ms=POLL_MS).values():
            for message in messages:
                print(json.dumps(describe(message)), flush=True)
    consumer.close()


def common(parameters):
    settings = {
        "bootstrap_servers": parameters["bootstrap"],
        "client_id": f"compat-{uuid.uuid4()}",
    }
    login = parameters.get("login")
    if login is None:
        return settings
    sasl, ca_file = login["sasl"], login["caFile"]
    settings["security_protocol"] = ("SASL_" if sasl else "") + ("SSL" if ca_file else "PLAINTEXT")
    if ca_file:
        settings["ssl_cafile"] = ca_file
    if sasl:
        settings["sasl_mechanism"] = sasl["mechanism"]
        settings["sasl_plain_username"] = sasl["username"]
        settings["sasl_plain_password"] = sasl["password"]
    return settings


def describe(message):
    return {
        "partition": message.partition,
        "offset": message.offset,
        "key": None if message.key is None else message.key.decode(),
        "value": message.value.decode(),
        "headers": {name: value.decode() for name, value in message.headers or []},
    }


operation = sys.argv[1]
if operation == "member":
    member(json.loads(sys.argv[2]))
else:
    functions = [version, create_topic, delete_topic, list_topics, produce, fetch, transact]
    function = {function.__name__: function for function in functions}[operation]
    print(json.dumps(function({} if function is version else json.load(sys.stdin))))
