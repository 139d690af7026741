import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.zip.CRC32;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** The corpus file and the canonical lines: see corpus.rs for both formats. */
final class Corpus {
    /** One record to write. */
    record Entry(byte[] key, byte[] value, long timestamp, List<Header> headers) {}

    private static final HexFormat HEX = HexFormat.of();
    private static final int SHOWN_BYTES_MAX = 256;

    private Corpus() {}

    static List<Entry> read(String path) throws IOException {
        List<Entry> entries = new ArrayList<>();
        try (BufferedReader in = Files.newBufferedReader(Path.of(path))) {
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                String[] field = line.split("\t", -1);
                entries.add(new Entry(bytes(field[0]), bytes(field[1]), Long.parseLong(field[2]), headers(field[3])));
            }
        }
        return entries;
    }

    static String line(ConsumerRecord<byte[], byte[]> record) {
        StringBuilder out = new StringBuilder();
        out.append(record.topic()).append('\t').append(record.offset());
        out.append('\t').append(shown(record.key())).append('\t').append(shown(record.value()));
        out.append('\t').append(record.timestamp()).append('\t');
        String separator = "";
        for (Header header : record.headers()) {
            out.append(separator).append(HEX.formatHex(header.key().getBytes(StandardCharsets.UTF_8)));
            out.append('=').append(shown(header.value()));
            separator = ",";
        }
        return out.append('\n').toString();
    }

    private static List<Header> headers(String field) {
        List<Header> headers = new ArrayList<>();
        if (!field.isEmpty()) {
            for (String header : field.split(",")) {
                String[] part = header.split("=", -1);
                headers.add(new RecordHeader(new String(bytes(part[0]), StandardCharsets.UTF_8), bytes(part[1])));
            }
        }
        return headers;
    }

    private static byte[] bytes(String hex) {
        return hex.equals("-") ? null : HEX.parseHex(hex);
    }

    private static String shown(byte[] bytes) {
        if (bytes == null) {
            return "-";
        }
        if (bytes.length <= SHOWN_BYTES_MAX) {
            return HEX.formatHex(bytes);
        }
        CRC32 crc = new CRC32();
        crc.update(bytes);
        return String.format("#%d:%08x", bytes.length, crc.getValue());
    }
}
