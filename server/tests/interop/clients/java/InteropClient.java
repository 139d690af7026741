import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.LogTruncationException;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.apache.kafka.common.utils.AppInfoParser;

/** The Java client of the interoperability suite; every client has the commands of this one's main. */
public final class InteropClient {
    private final String bootstrap;

    private InteropClient(String bootstrap) {
        this.bootstrap = bootstrap;
    }

    public static void main(String[] args) throws Exception {
        InteropClient client = new InteropClient(args[1]);
        System.out.println("version\t" + AppInfoParser.getVersion());
        switch (args[0]) {
            case "produce" -> client.produceAll(Corpus.read(args[2]), args[3], args[4].split(","));
            case "consume" -> client.consumeAll(args[2].split(","), args[3], args[4]);
            case "lost-tail" -> client.lostTail(args[2], Long.parseLong(args[3]), Long.parseLong(args[4]));
            case "version" -> { }
            case "group" -> GroupMember.run(args[1], java.util.Arrays.copyOfRange(args, 2, args.length));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private void produceAll(List<Corpus.Entry> corpus, String prefix, String[] codecs) {
        for (String codec : codecs) {
            scenario("produce " + codec.replace(".", " at "), () -> {
                try (KafkaProducer<byte[], byte[]> producer = producer(codec)) {
                    produce(producer, corpus, prefix + "-" + codec);
                }
            });
        }
        scenario("auto-create a topic", () -> {
            try (KafkaProducer<byte[], byte[]> producer = producer("none")) {
                produce(producer, corpus.subList(0, 10), prefix + "-auto");
            }
        });
        scenario("follow a topic that is deleted and made again", () -> recreate(prefix + "-recreated"));
        scenario("assign with a group id and no position", () -> assignWithGroup(prefix + "-none"));
    }

    /** Sends the corpus in order and checks that the acknowledged offsets are 0, 1, 2 ... */
    private static void produce(KafkaProducer<byte[], byte[]> producer, List<Corpus.Entry> corpus, String topic)
            throws Exception {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        for (Corpus.Entry entry : corpus) {
            sent.add(producer.send(new ProducerRecord<>(
                topic, 0, entry.timestamp(), entry.key(), entry.value(), entry.headers())));
        }
        for (int i = 0; i < sent.size(); i++) {
            expect(sent.get(i).get().offset() == i, "record " + i + " has offset " + sent.get(i).get().offset());
        }
    }

    /** A consumer past the end of a topic's first life must read all of its second life and nothing of the first. */
    private void recreate(String topic) throws Exception {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
             KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
            create(admin, topic);
            try (KafkaProducer<byte[], byte[]> producer = producer("none")) {
                for (int i = 0; i < 9; i++) {
                    producer.send(new ProducerRecord<>(topic, 0, null, bytes("first " + i)));
                }
            }
            consumer.assign(Set.of(new TopicPartition(topic, 0)));
            expect(read(consumer, 9).size() == 9, "the first life has 9 records");
            admin.deleteTopics(Set.of(topic)).all().get();
            create(admin, topic);
            try (KafkaProducer<byte[], byte[]> producer = producer("none")) {
                for (int i = 0; i < 4; i++) {
                    producer.send(new ProducerRecord<>(topic, 0, null, bytes("second " + i)));
                }
            }
            List<String> second = read(consumer, 4);
            expect(second.equals(List.of("second 0", "second 1", "second 2", "second 3")), "read " + second);
        }
    }

    private static void create(Admin admin, String topic) throws Exception {
        for (int attempt = 0; ; attempt++) {
            try {
                admin.createTopics(Set.of(new NewTopic(topic, 1, (short) 1))).all().get();
                return;
            } catch (ExecutionException e) {
                if (attempt == 50) {
                    throw e;
                }
                Thread.sleep(100);
            }
        }
    }

    private static List<String> read(KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<String> values = new ArrayList<>();
        long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
        while (values.size() < count && System.nanoTime() < deadline) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
                values.add(record.value() == null ? null : new String(record.value()));
            }
        }
        return values;
    }

    /** A group that has committed nothing: the consumer asks its coordinator, and reads from where it is told to. */
    private void assignWithGroup(String topic) {
        long started = System.nanoTime();
        try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("group.id", "interop"))) {
            consumer.assign(Set.of(new TopicPartition(topic, 0)));
            expect(!read(consumer, 1).isEmpty(), "nothing was read");
        }
        long seconds = Duration.ofNanos(System.nanoTime() - started).toSeconds();
        expect(seconds < 45, "took " + seconds + " s");
    }

    /** The consumer has read up to `read` in epoch 0; of that the log kept what is before `left`. */
    private void lostTail(String topic, long read, long left) {
        TopicPartition partition = new TopicPartition(topic, 0);
        OffsetAndMetadata position = new OffsetAndMetadata(read, Optional.of(0), "");
        scenario("hear of a lost tail", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of("auto.offset.reset", "none"))) {
                consumer.assign(Set.of(partition));
                consumer.seek(partition, position);
                List<String> values = read(consumer, 1);
                throw new IllegalStateException("read on as if nothing was lost: " + values);
            } catch (LogTruncationException truncated) {
                long end = truncated.divergentOffsets().get(partition).offset();
                expect(end == left, "the logs part at " + end);
            }
        });
        scenario("go on where the tail was lost", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
                consumer.assign(Set.of(partition));
                consumer.seek(partition, position);
                List<String> values = read(consumer, 3);
                expect(values.size() >= 3 && values.subList(0, 3).equals(List.of("second 0", "second 1", "second 2")),
                    "read " + values);
            }
        });
    }

    private void consumeAll(String[] topics, String times, String out) throws Exception {
        try (BufferedWriter lines = Files.newBufferedWriter(Path.of(out))) {
            scenario("consume", () -> {
                try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of())) {
                    consume(consumer, topics, lines);
                }
            });
        }
        scenario("consume in small fetches", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of(
                    "max.partition.fetch.bytes", 4096, "fetch.max.bytes", 20000));
                 BufferedWriter lines = Files.newBufferedWriter(Path.of(out + ".small"))) {
                consume(consumer, topics, lines);
            }
        });
        scenario("offsets for times", () -> {
            try (KafkaConsumer<byte[], byte[]> consumer = consumer(Map.of());
                 BufferedWriter lines = Files.newBufferedWriter(Path.of(out + ".times"))) {
                for (String topic : topics) {
                    times(consumer, topic, times.split(","), lines);
                }
            }
        });
    }

    private static void consume(KafkaConsumer<byte[], byte[]> consumer, String[] topics, BufferedWriter lines)
            throws Exception {
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : topics) {
            partitions.add(new TopicPartition(topic, 0));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
        long deadline = System.nanoTime() + Duration.ofSeconds(180).toNanos();
        Set<TopicPartition> left = new java.util.HashSet<>(partitions);
        while (!left.isEmpty()) {
            expect(System.nanoTime() < deadline, "not at the end in time: " + left);
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(500))) {
                lines.write(Corpus.line(record));
            }
            left.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
        }
    }

    private static void times(
            KafkaConsumer<byte[], byte[]> consumer, String topic, String[] times, BufferedWriter lines)
            throws Exception {
        TopicPartition partition = new TopicPartition(topic, 0);
        for (String time : times) {
            Map<TopicPartition, Long> query = Map.of(partition, Long.parseLong(time));
            OffsetAndTimestamp found = consumer.offsetsForTimes(query).get(partition);
            lines.write(topic + "\t" + time + "\t" + (found == null ? "-" : found.offset()) + "\n");
        }
    }

    /** Writes in a codec, or at one of its levels: `CODEC.LEVEL`. */
    private KafkaProducer<byte[], byte[]> producer(String coding) {
        String[] codec = coding.split("\\.");
        Properties config = new Properties();
        config.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, codec[0]);
        if (codec.length > 1) {
            config.put("compression." + codec[0] + ".level", codec[1]);
        }
        config.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 4 << 20);
        config.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, 180_000);
        config.put(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 180_000);
        config.put(ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, 20_000);
        return new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
    }

    private KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(more);
        config.put(ConsumerConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        config.putIfAbsent(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
        config.put(ConsumerConfig.CHECK_CRCS_CONFIG, true);
        config.put(ConsumerConfig.METADATA_MAX_AGE_CONFIG, 2000);
        return new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private static byte[] bytes(String text) {
        return text.getBytes();
    }

    private static void expect(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalStateException(otherwise);
        }
    }

    private interface Scenario {
        void run() throws Exception;
    }

    /** Runs one scenario and prints `ok NAME` or `fail NAME WHY`; the suite reads these lines. */
    private static void scenario(String name, Scenario scenario) {
        try {
            scenario.run();
            System.out.println("ok\t" + name);
        } catch (Exception e) {
            System.out.println("fail\t" + name + "\t" + e.toString().replace('\n', ' '));
        }
    }
}
