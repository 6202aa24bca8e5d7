"""Runs one operation of confluent-kafka. The parameters come as JSON on standard input, the answer goes out as JSON."""

import json
import signal
import sys

import confluent_kafka
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

TIMEOUT_S = 20


def version(_parameters):
    return {"binding": confluent_kafka.__version__, "library": confluent_kafka.libversion()[0]}


def create_topic(parameters):
    topic = NewTopic(parameters["topic"], parameters["partitions"], 1)
    # The client must outlive its futures.
    admin = AdminClient(common(parameters))
    wait(admin.create_topics([topic]))


def delete_topic(parameters):
    admin = AdminClient(common(parameters))
    wait(admin.delete_topics([parameters["topic"]]))


def list_topics(parameters):
    return list(AdminClient(common(parameters)).list_topics(timeout=TIMEOUT_S).topics)


def produce(parameters):
    producer = Producer(
        {
            **common(parameters),
            "acks": "all",
            "compression.codec": parameters["codec"],
            "enable.idempotence": parameters["isIdempotent"],
        }
    )
    failures = []

    def on_delivery(error, _message):
        if error is not None:
            failures.append(str(error))

    for message in parameters["messages"]:
        producer.produce(
            parameters["topic"],
            key=message["key"],
            value=message["value"],
            headers=list(message.get("headers", {}).items()),
            on_delivery=on_delivery,
        )
        producer.poll(0)
    unsent = producer.flush(TIMEOUT_S)
    if failures or unsent:
        raise SystemExit(f"{unsent} messages were not sent; {failures[:3]}")


def fetch(parameters):
    consumer = Consumer(
        {
            **common(parameters),
            "group.id": "unused",
            "enable.auto.commit": False,
            "isolation.level": parameters.get("isolation", "read_uncommitted"),
        }
    )
    consumer.assign([start_of(consumer, parameters)])
    received = []
    while len(received) < parameters["count"]:
        message = consumer.poll(TIMEOUT_S)
        if message is None:
            raise SystemExit(f"only {len(received)} messages came")
        if message.error():
            raise SystemExit(str(message.error()))
        received.append(describe(message))
    consumer.close()
    return received


def transact(parameters):
    settings = {**common(parameters), "transactional.id": parameters["transactionalId"]}
    producer = Producer(settings)
    producer.init_transactions(TIMEOUT_S)
    for step in parameters["steps"]:
        producer.begin_transaction()
        for message in step["messages"]:
            producer.produce(step["topic"], key=message["key"], value=message["value"])
        if step.get("position"):
            send_position(producer, parameters, step["position"])
        if step["outcome"] == "commit":
            producer.commit_transaction(TIMEOUT_S)
        elif step["outcome"] == "abort":
            producer.flush(TIMEOUT_S)
            producer.abort_transaction(TIMEOUT_S)
        else:
            producer.flush(TIMEOUT_S)
            commit_fenced(producer, settings)


def commit_fenced(producer, settings):
    Producer(settings).init_transactions(TIMEOUT_S)
    try:
        producer.commit_transaction(TIMEOUT_S)
    except confluent_kafka.KafkaException as failure:
        error = failure.args[0]
        if error.fatal() and error.code() == confluent_kafka.KafkaError._FENCED:
            return
        raise
    raise SystemExit("a fenced producer committed")


def send_position(producer, parameters, position):
    consumer = Consumer({**common(parameters), "group.id": position["group"]})
    offset = TopicPartition(position["topic"], position["partition"], position["offset"])
    group = consumer.consumer_group_metadata()
    producer.send_offsets_to_transaction([offset], group, TIMEOUT_S)
    consumer.close()


def start_of(consumer, parameters):
    position = TopicPartition(parameters["topic"], parameters["partition"])
    start = parameters["from"]
    if start == "beginning":
        position.offset = confluent_kafka.OFFSET_BEGINNING
    elif "offset" in start:
        position.offset = start["offset"]
    else:
        position.offset = start["timestampMs"]
        position = consumer.offsets_for_times([position], timeout=TIMEOUT_S)[0]
    return position


def member(parameters):
    """Prints a line per message until SIGTERM; closing commits what was received."""
    is_running = True

    def stop(_signal, _frame):
        nonlocal is_running
        is_running = False

    signal.signal(signal.SIGTERM, stop)
    settings = {"group.id": parameters["group"], "auto.offset.reset": "earliest"}
    if parameters.get("instanceId"):
        settings["group.instance.id"] = parameters["instanceId"]
    if parameters.get("protocol") == "consumer":
        settings["group.protocol"] = "consumer"
    else:
        settings["session.timeout.ms"] = 6000
    consumer = Consumer({**common(parameters), **settings})
    consumer.subscribe([parameters["topic"]])
    while is_running:
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise SystemExit(str(message.error()))
        print(json.dumps(describe(message)), flush=True)
    consumer.close()


def common(parameters):
    settings = {"bootstrap.servers": parameters["bootstrap"]}
    login = parameters.get("login")
    if login is None:
        return settings
    sasl, ca_file = login["sasl"], login["caFile"]
    settings["security.protocol"] = ("sasl_" if sasl else "") + ("ssl" if ca_file else "plaintext")
    if ca_file:
        settings["ssl.ca.location"] = ca_file
    if sasl:
        settings["sasl.mechanism"] = sasl["mechanism"]
        settings["sasl.username"] = sasl["username"]
        settings["sasl.password"] = sasl["password"]
    return settings


def wait(futures):
    for future in futures.values():
        future.result(TIMEOUT_S)


def describe(message):
    key = message.key()
    return {
        "partition": message.partition(),
        "offset": message.offset(),
        "key": None if key is None else key.decode(),
        "value": message.value().decode(),
        "headers": {name: value.decode() for name, value in message.headers() or []},
    }


operation = sys.argv[1]
if operation == "member":
    member(json.loads(sys.argv[2]))
else:
    functions = [version, create_topic, delete_topic, list_topics, produce, fetch, transact]
    function = {function.__name__: function for function in functions}[operation]
    print(json.dumps(function({} if function is version else json.load(sys.stdin))))
