"""The Python clients of the interoperability suite: `client.py LIBRARY produce|consume|group ARGS`."""

import importlib
import signal
import sys
import threading
import traceback

import corpus
import events


def main(library_name, command, bootstrap, *rest):
    library = importlib.import_module("with_" + library_name.replace("-", "_"))
    print(f"version\t{library.VERSION}")
    if command == "produce":
        produce_all(library, bootstrap, *rest)
    elif command == "consume":
        consume_all(library, bootstrap, *rest)
    elif command == "group":
        be_a_member(library, bootstrap, *rest)
    elif command != "version":
        raise ValueError(command)


def produce_all(library, bootstrap, corpus_path, prefix, codecs):
    entries = corpus.read(corpus_path)
    for codec in codecs.split(","):
        scenario(
            f"produce {codec}",
            lambda codec=codec: library.produce(bootstrap, f"{prefix}-{codec}", codec, entries),
        )
    scenario(
        "auto-create a topic",
        lambda: library.produce(bootstrap, f"{prefix}-auto", "none", entries[:10]),
    )


def consume_all(library, bootstrap, topics, times, out_path):
    topics = topics.split(",")
    times = [int(time) for time in times.split(",")]

    def consume(suffix, fetch_bytes_max):
        with open(out_path + suffix, "w", encoding="ascii") as out:
            library.consume(bootstrap, topics, fetch_bytes_max, out)

    def look_up():
        with open(out_path + ".times", "w", encoding="ascii") as out:
            for topic, time, offset in library.offsets_for_times(bootstrap, topics, times):
                out.write(f"{topic}\t{time}\t{'-' if offset is None else offset}\n")

    scenario("consume", lambda: consume("", 8 << 20))
    scenario("consume in small fetches", lambda: consume(".small", 4096))
    scenario("offsets for times", look_up)


def be_a_member(library, bootstrap, topic, group, assignor, instance, path, session_ms):
    """Reads as one of the group until SIGTERM, commits what was read, and writes down all that happens."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with open(path, "w", encoding="ascii") as out:
        library.be_a_member(
            bootstrap,
            topic,
            group,
            assignor,
            None if instance == "-" else instance,
            int(session_ms),
            events.Events(out),
            stopping,
        )


def scenario(name, body):
    """Runs one scenario and prints `ok NAME` or `fail NAME WHY`; the suite reads these lines."""
    try:
        body()
        print(f"ok\t{name}")
    except Exception as failure:  # Whatever a library raises is the scenario's result.
        traceback.print_exc()
        reason = f"{type(failure).__name__}: {failure}".replace("\n", " ")
        print(f"fail\t{name}\t{reason}")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
