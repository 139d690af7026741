import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** One member of a group: reads until SIGTERM, commits what it read, and writes down all that happens. */
final class GroupMember {
    private static final Map<String, String> ASSIGNORS = Map.of(
        "range", "RangeAssignor",
        "roundrobin", "RoundRobinAssignor",
        "sticky", "StickyAssignor",
        "cooperative-sticky", "CooperativeStickyAssignor");

    private final PrintWriter events;
    private final TreeSet<Integer> assigned = new TreeSet<>();
    private final Map<TopicPartition, OffsetAndMetadata> uncommitted = new HashMap<>();
    private volatile boolean stopping;

    private GroupMember(PrintWriter events) {
        this.events = events;
    }

    /** `TOPIC GROUP ASSIGNOR INSTANCE EVENTS`; the instance is `-` for a member that has none. */
    static void run(String bootstrap, String[] args) throws Exception {
        Map<String, Object> config = new HashMap<>();
        config.put("bootstrap.servers", bootstrap);
        config.put("group.id", args[1]);
        config.put("partition.assignment.strategy",
            "org.apache.kafka.clients.consumer." + ASSIGNORS.get(args[2]));
        if (!args[3].equals("-")) {
            config.put("group.instance.id", args[3]);
        }
        config.put("auto.offset.reset", "earliest");
        config.put("enable.auto.commit", false);
        config.put("session.timeout.ms", Integer.parseInt(args[5]));
        config.put("heartbeat.interval.ms", 500);
        try (PrintWriter events = new PrintWriter(Files.newBufferedWriter(Path.of(args[4])));
             KafkaConsumer<byte[], byte[]> consumer =
                 new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            new GroupMember(events).read(consumer, args[0]);
        }
    }

    private void read(KafkaConsumer<byte[], byte[]> consumer, String topic) throws IOException {
        Thread reader = Thread.currentThread();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            stopping = true;
            consumer.wakeup();
            try {
                reader.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        consumer.subscribe(List.of(topic), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                partitions.forEach(partition -> assigned.add(partition.partition()));
                note("assigned", assigned.stream().map(String::valueOf).collect(Collectors.joining(",")));
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                partitions.forEach(partition -> assigned.remove(partition.partition()));
                uncommitted.keySet().removeAll(partitions);
                note("revoked", assigned.stream().map(String::valueOf).collect(Collectors.joining(",")));
            }
        });
        try {
            while (!stopping) {
                ConsumerRecords<byte[], byte[]> records = consumer.poll(Duration.ofMillis(200));
                for (ConsumerRecord<byte[], byte[]> record : records) {
                    note("record", record.partition(), record.offset(), new String(record.value()));
                }
                uncommitted.putAll(records.nextOffsets());
                commit(consumer);
            }
        } catch (WakeupException stopped) {
            // SIGTERM.
        }
    }

    private void commit(KafkaConsumer<byte[], byte[]> consumer) {
        if (uncommitted.isEmpty()) {
            return;
        }
        try {
            consumer.commitSync(uncommitted);
            uncommitted.forEach((partition, next) -> note("committed", partition.partition(), next.offset()));
            uncommitted.clear();
        } catch (RebalanceInProgressException | CommitFailedException e) {
            // The next poll joins again; what stays with this member is committed after it.
        }
    }

    private void note(Object... fields) {
        StringBuilder line = new StringBuilder().append(System.currentTimeMillis());
        for (Object field : fields) {
            line.append('\t').append(field);
        }
        events.println(line);
        events.flush();
    }
}
