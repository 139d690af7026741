//! Logmill's own keys: shards, memory, limits, the write path and the fetch path.

use crate::config::key::{Key, boolean, int, long, string};

/// Broker keys.
pub const KEYS: &[Key] = &[
    int("logmill.shards", Some("0"))
        .between(0, 1024)
        .honoured("Shards; each owns a core, its connections and its partitions; 0 is one a core."),
    boolean("logmill.shards.pin", Some("true")).honoured("Pins each shard to its core."),
    long("logmill.memory.bytes", Some("-1"))
        .at_least(-1)
        .bytes()
        .memory("this is the budget itself")
        .honoured("Most memory that the broker may take; -1 is a quarter of what the host allows."),
    long("logmill.log.memory.bytes", Some("-1"))
        .at_least(-1)
        .bytes()
        .memory("its value")
        .honoured("Memory for unwritten tails and recent batches; -1 is 40 % of the budget."),
    int("logmill.partitions.max", Some("-1"))
        .at_least(-1)
        .memory("2 KiB each")
        .honoured("Partitions this broker holds; -1 is 100,000 or what 4 % of the budget allows."),
    int("logmill.connection.requests.max", Some("5"))
        .between(1, 64)
        .honoured("Requests of one connection in flight before reading from it stops."),
    long("logmill.connection.replies.max.bytes", Some("8388608"))
        .at_least(65_536)
        .bytes()
        .honoured("Replies queued on one connection before reading from it stops."),
    int("logmill.connection.handshake.timeout.ms", Some("10000"))
        .at_least(100)
        .ms()
        .honoured("How long a new connection may take to send its first whole request."),
    int("logmill.connection.frame.timeout.ms", Some("30000"))
        .at_least(100)
        .ms()
        .honoured("A begun frame that gets no byte for so long closes its connection."),
    int("logmill.mailbox.slots", Some("1024"))
        .between(64, 1_048_576)
        .memory("128 bytes each, for every pair of shards")
        .honoured("Messages one shard may have under way to another."),
    int("logmill.open.files.max", Some("-1"))
        .at_least(-1)
        .honoured("Files kept open at once; -1 is what the descriptor limit leaves free."),
    long("logmill.log.min.free.bytes", Some("67108864"))
        .at_least(0)
        .bytes()
        .honoured(
            "Room that produce leaves in each log directory, besides what is taken and not in \
            segments yet; where there is less it is refused.",
        ),
    string("logmill.validation", Some("auto"))
        .one_of(&["auto", "kafka"])
        .honoured("How far produced batches are checked; kafka opens every compressed one."),
    string("logmill.durability", Some("synced"))
        .one_of(&["synced", "written"])
        .honoured("What acks=all and visibility wait for; a topic may say otherwise."),
    long("logmill.journal.file.bytes", Some("67108864"))
        .between(4_194_304, 4_294_967_296)
        .bytes()
        .honoured("Size of a journal file."),
    int("logmill.journal.files", Some("4"))
        .between(2, 64)
        .honoured("Journal files of each shard in each directory."),
    int("logmill.journal.sync.max.ms", Some("1000"))
        .between(1, 60_000)
        .ms()
        .honoured("Longest time the journal stays unsynced when nobody waits."),
    long("logmill.journal.sync.max.bytes", Some("67108864"))
        .at_least(1_048_576)
        .bytes()
        .honoured("Most bytes the journal leaves unsynced when nobody waits."),
    string("fetch.path", Some("auto"))
        .one_of(&["auto", "memory", "sendfile", "splice", "copy"])
        .honoured(
            "How fetched records reach the socket: memory reads segments past the page \
            cache; all but auto are for experiments.",
        ),
];

/// Topic keys.
pub const TOPIC_KEYS: &[Key] = &[string("logmill.durability", Some("synced"))
    .one_of(&["synced", "written"])
    .synonym("logmill.durability")
    .honoured("What acks=all and visibility wait for.")];
