import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** Runs one operation of the Java client. Parameters are a JSON argument, messages come on standard input, the answer goes out as JSON. */
public class CompatClient {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    public static void main(String[] args) throws Exception {
        JsonNode parameters = args.length > 1 ? JSON.readTree(args[1]) : JSON.createObjectNode();
        Object answer = switch (args[0]) {
            case "version" -> AppInfoParser.getVersion();
            case "createTopic" -> createTopic(parameters);
            case "deleteTopic" -> deleteTopic(parameters);
            case "listTopics" -> listTopics(parameters);
            case "produce" -> produce(parameters, JSON.readTree(System.in));
            case "transact" -> transact(parameters, JSON.readTree(System.in));
            case "fetch" -> fetch(parameters);
            case "member" -> member(parameters);
            default -> throw new IllegalArgumentException(args[0]);
        };
        System.out.println(JSON.writeValueAsString(answer));
    }

    private static Object createTopic(JsonNode parameters) throws Exception {
        try (Admin admin = Admin.create(common(parameters))) {
            NewTopic topic = new NewTopic(text(parameters, "topic"), parameters.get("partitions").asInt(), (short) 1);
            admin.createTopics(List.of(topic)).all().get();
        }
        return "created";
    }

    private static Object deleteTopic(JsonNode parameters) throws Exception {
        try (Admin admin = Admin.create(common(parameters))) {
            admin.deleteTopics(List.of(text(parameters, "topic"))).all().get();
        }
        return "deleted";
    }

    private static Object listTopics(JsonNode parameters) throws Exception {
        try (Admin admin = Admin.create(common(parameters))) {
            return admin.listTopics().names().get();
        }
    }

    private static Object produce(JsonNode parameters, JsonNode messages) throws Exception {
        Properties properties = common(parameters);
        properties.put("acks", "all");
        properties.put("compression.type", text(parameters, "codec"));
        properties.put("enable.idempotence", parameters.get("isIdempotent").asBoolean());
        try (KafkaProducer<String, String> producer = producer(properties)) {
            sendAll(producer, text(parameters, "topic"), messages);
        }
        return "sent";
    }

    private static Object transact(JsonNode parameters, JsonNode steps) throws Exception {
        Properties properties = common(parameters);
        properties.put("transactional.id", text(parameters, "transactionalId"));
        try (KafkaProducer<String, String> producer = producer(properties)) {
            producer.initTransactions();
            for (JsonNode step : steps) {
                producer.beginTransaction();
                sendAll(producer, text(step, "topic"), step.get("messages"));
                JsonNode position = step.get("position");
                if (position != null) {
                    TopicPartition partition = new TopicPartition(text(position, "topic"), position.get("partition").asInt());
                    producer.sendOffsetsToTransaction(
                        Map.of(partition, new OffsetAndMetadata(position.get("offset").asLong())),
                        new ConsumerGroupMetadata(text(position, "group")));
                }
                switch (text(step, "outcome")) {
                    case "commit" -> producer.commitTransaction();
                    case "abort" -> producer.abortTransaction();
                    default -> {
                        commitFenced(producer, properties);
                        return "done";
                    }
                }
            }
        }
        return "done";
    }

    private static void commitFenced(KafkaProducer<String, String> producer, Properties properties) {
        producer.flush();
        try (KafkaProducer<String, String> other = producer(properties)) {
            other.initTransactions();
        }
        try {
            producer.commitTransaction();
        } catch (ProducerFencedException expected) {
            return;
        }
        throw new IllegalStateException("a fenced producer committed");
    }

    private static void sendAll(KafkaProducer<String, String> producer, String topic, JsonNode messages) throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (JsonNode message : messages) {
            ProducerRecord<String, String> record =
                new ProducerRecord<>(topic, text(message, "key"), text(message, "value"));
            if (message.has("headers"))
                message.get("headers").fields().forEachRemaining(header ->
                    record.headers().add(header.getKey(), header.getValue().asText().getBytes(StandardCharsets.UTF_8)));
            sent.add(producer.send(record));
        }
        producer.flush();
        for (Future<RecordMetadata> future : sent) future.get();
    }

    private static Object fetch(JsonNode parameters) throws Exception {
        Properties properties = common(parameters);
        properties.put("enable.auto.commit", false);
        if (parameters.has("isolation")) properties.put("isolation.level", text(parameters, "isolation"));
        TopicPartition partition = new TopicPartition(text(parameters, "topic"), parameters.get("partition").asInt());
        int count = parameters.get("count").asInt();
        ArrayNode received = JSON.createArrayNode();
        try (KafkaConsumer<String, String> consumer = consumer(properties)) {
            consumer.assign(List.of(partition));
            JsonNode from = parameters.get("from");
            if (from.has("offset")) consumer.seek(partition, from.get("offset").asLong());
            else if (from.has("timestampMs"))
                consumer.seek(partition, consumer.offsetsForTimes(Map.of(partition, from.get("timestampMs").asLong())).get(partition).offset());
            else consumer.seekToBeginning(List.of(partition));
            long deadline = System.nanoTime() + TIMEOUT.toNanos();
            while (received.size() < count && System.nanoTime() < deadline)
                for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200)))
                    if (received.size() < count) received.add(describe(record));
        }
        if (received.size() < count) throw new IllegalStateException("only " + received.size() + " messages came");
        return received;
    }

    /** Prints a line per message until SIGTERM; closing commits what was received. */
    private static Object member(JsonNode parameters) throws Exception {
        Properties properties = common(parameters);
        properties.put("group.id", text(parameters, "group"));
        properties.put("auto.offset.reset", "earliest");
        if (parameters.has("instanceId")) properties.put("group.instance.id", text(parameters, "instanceId"));
        if (parameters.has("protocol") && text(parameters, "protocol").equals("consumer"))
            properties.put("group.protocol", "consumer");
        else {
            properties.put("session.timeout.ms", 6000);
            properties.put("heartbeat.interval.ms", 500);
        }
        KafkaConsumer<String, String> consumer = consumer(properties);
        AtomicBoolean isRunning = new AtomicBoolean(true);
        Thread main = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            isRunning.set(false);
            try {
                main.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        consumer.subscribe(List.of(text(parameters, "topic")));
        while (isRunning.get())
            for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100)))
                System.out.println(JSON.writeValueAsString(describe(record)));
        consumer.close();
        return null;
    }

    private static KafkaProducer<String, String> producer(Properties properties) {
        return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
    }

    private static KafkaConsumer<String, String> consumer(Properties properties) {
        return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    }

    private static Properties common(JsonNode parameters) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", text(parameters, "bootstrap"));
        JsonNode login = parameters.get("login");
        if (login == null) return properties;
        JsonNode sasl = login.get("sasl");
        boolean isTls = !login.get("caFile").isNull();
        properties.put("security.protocol", (sasl.isNull() ? "" : "SASL_") + (isTls ? "SSL" : "PLAINTEXT"));
        if (isTls) {
            properties.put("ssl.truststore.type", "PEM");
            properties.put("ssl.truststore.location", text(login, "caFile"));
        }
        if (!sasl.isNull()) {
            String mechanism = text(sasl, "mechanism");
            String module = mechanism.equals("PLAIN") ? "plain.PlainLoginModule" : "scram.ScramLoginModule";
            properties.put("sasl.mechanism", mechanism);
            properties.put("sasl.jaas.config", String.format(
                "org.apache.kafka.common.security.%s required username=\"%s\" password=\"%s\";",
                module, text(sasl, "username"), text(sasl, "password")));
        }
        return properties;
    }

    private static String text(JsonNode node, String field) {
        JsonNode value = node.get(field);
        return value == null || value.isNull() ? null : value.asText();
    }

    private static ObjectNode describe(ConsumerRecord<String, String> record) {
        ObjectNode message = JSON.createObjectNode();
        message.put("partition", record.partition()).put("offset", record.offset());
        message.put("key", record.key()).put("value", record.value());
        ObjectNode headers = message.putObject("headers");
        record.headers().forEach(header -> headers.put(header.key(), new String(header.value(), StandardCharsets.UTF_8)));
        return message;
    }
}
