import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs Apache Kafka's own command-line tools one after the other in one JVM, as each start costs
 * about a second.
 *
 * <p>The script has one run per line, its fields separated by tabs: a name, the tool's main class,
 * its arguments. What a run prints goes to NAME.out and NAME.err in the output folder; standard
 * output gets `NAME EXIT-STATUS`.
 */
public final class KafkaTools {
    /** Thrown where a tool would end the process. */
    private static final class Exited extends RuntimeException {
        Exited() {
            super(null, null, false, false);
        }
    }

    /** Standard output or error: libraries keep the stream they saw first, so it is this one, and it is redirected. */
    private static final class Redirected extends OutputStream {
        private OutputStream to = OutputStream.nullOutputStream();

        @Override
        public synchronized void write(int b) throws IOException {
            to.write(b);
        }

        @Override
        public synchronized void write(byte[] bytes, int from, int count) throws IOException {
            to.write(bytes, from, count);
        }

        @Override
        public synchronized void flush() throws IOException {
            to.flush();
        }

        synchronized void redirect(OutputStream next) throws IOException {
            to.close();
            to = next;
        }
    }

    private static final Redirected OUT = new Redirected();
    private static final Redirected ERR = new Redirected();
    private static final PrintStream OUT_PRINTER = new PrintStream(OUT);
    private static final PrintStream ERR_PRINTER = new PrintStream(ERR);

    /** Some tools catch what ends them and exit once more: the first status counts, and nothing printed after it. */
    private static Integer exitStatus;

    private KafkaTools() {}

    public static void main(String[] args) throws Exception {
        PrintStream report = System.out;
        System.setOut(OUT_PRINTER);
        System.setErr(ERR_PRINTER);
        Exit.setExitProcedure((status, message) -> {
            ended(status);
            throw new Exited();
        });
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            List<String> field = Arrays.asList(line.split("\t", -1));
            redirect(file(args[1], field.get(0) + ".out"), file(args[1], field.get(0) + ".err"));
            exitStatus = null;
            run(field.get(1), field.subList(2, field.size()).toArray(String[]::new));
            ended(0);
            report.println(field.get(0) + "\t" + exitStatus);
            report.flush();
        }
        Runtime.getRuntime().halt(0);
    }

    private static void run(String main, String[] args) {
        try {
            Class.forName(main).getMethod("main", String[].class).invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            if (exitStatus == null) {
                e.getCause().printStackTrace();
                ended(1);
            }
        } catch (ReflectiveOperationException e) {
            e.printStackTrace();
            ended(1);
        }
    }

    private static void ended(int status) {
        if (exitStatus == null) {
            exitStatus = status;
            redirect(OutputStream.nullOutputStream(), OutputStream.nullOutputStream());
        }
    }

    private static void redirect(OutputStream out, OutputStream err) {
        OUT_PRINTER.flush();
        ERR_PRINTER.flush();
        try {
            OUT.redirect(out);
            ERR.redirect(err);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static OutputStream file(String folder, String name) throws IOException {
        return new BufferedOutputStream(Files.newOutputStream(Path.of(folder, name)), 1 << 16);
    }
}
