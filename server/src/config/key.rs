//! A row of the configuration table: everything that is known of one key.

/// How a value is written and what DescribeConfigs says of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// Any text.
    String,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 64 bits.
    Long,
    /// A decimal number.
    Double,
    /// Texts separated by commas.
    List,
    /// The name of a Java class.
    Class,
    /// A text that is never shown.
    Password,
}

impl Kind {
    /// The number that DescribeConfigs (version 3 and later) gives the type.
    #[must_use]
    pub const fn code(self) -> i8 {
        match self {
            Self::Boolean => 1,
            Self::String => 2,
            Self::Int => 3,
            Self::Short => 4,
            Self::Long => 5,
            Self::Double => 6,
            Self::List => 7,
            Self::Class => 8,
            Self::Password => 9,
        }
    }

    /// The type in words, for errors and for README's table.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Boolean => "boolean",
            Self::String => "string",
            Self::Int => "int",
            Self::Short => "short",
            Self::Long => "long",
            Self::Double => "double",
            Self::List => "list",
            Self::Class => "class",
            Self::Password => "password",
        }
    }
}

/// Which values of the right type are allowed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// All of them.
    Any,
    /// Any text but the empty one.
    NotEmpty,
    /// This number or a greater one.
    AtLeast(i64),
    /// From the first to the second, both included.
    Between(i64, i64),
    /// -1, or from the first to the second.
    MinusOneOrBetween(i64, i64),
    /// A decimal number from the first to the second.
    Ratio(f64, f64),
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// One of these words, in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// A list of these words.
    EachOf(&'static [&'static str]),
    /// A list of `partition:broker`, or `*`.
    Replicas,
    /// `earliest`, `latest`, or `by_duration:` with a duration of ISO 8601.
    OffsetReset,
}

/// Whether a running broker takes a new value, and for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// Only at start.
    ReadOnly,
    /// For one broker at a time.
    PerBroker,
    /// For one broker or for all of them.
    ClusterWide,
}

/// What Logmill does with a key that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// What it says is done.
    Honoured,
    /// It is accepted and changes nothing; the text says why.
    Inert(&'static str),
    /// It is accepted only at its default; the text says why.
    Refused(&'static str),
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    /// The name in a configuration file.
    pub name: &'static str,
    /// The type of its values.
    pub kind: Kind,
    /// The value where none is set; none at all is `null` in Kafka.
    pub default: Option<&'static str>,
    /// Which values are allowed.
    pub bounds: Bounds,
    /// The unit of a number, empty where it counts things.
    pub unit: &'static str,
    /// Whether it may change while the broker runs.
    pub update: Update,
    /// What Logmill does with it.
    pub state: State,
    /// For a topic's or a group's key: the broker key whose value is its default.
    pub synonym: Option<&'static str>,
    /// Left out of DescribeConfigs, as Kafka leaves out its internal keys.
    pub internal: bool,
    /// What a larger value costs in memory, in words.
    pub memory: Option<&'static str>,
    /// What it is for.
    pub doc: &'static str,
}

impl Key {
    const fn new(name: &'static str, kind: Kind, default: Option<&'static str>) -> Self {
        Self {
            name,
            kind,
            default,
            bounds: Bounds::Any,
            unit: "",
            update: Update::ReadOnly,
            state: State::Honoured,
            synonym: None,
            internal: false,
            memory: None,
            doc: "",
        }
    }

    /// Its value is done as it says.
    pub(crate) const fn honoured(mut self, doc: &'static str) -> Self {
        self.doc = doc;
        self
    }

    /// Its value is accepted and changes nothing.
    pub(crate) const fn inert(mut self, why: &'static str, doc: &'static str) -> Self {
        self.state = State::Inert(why);
        self.doc = doc;
        self
    }

    /// Only its default is accepted.
    pub(crate) const fn refused(mut self, why: &'static str, doc: &'static str) -> Self {
        self.state = State::Refused(why);
        self.doc = doc;
        self
    }

    pub(crate) const fn at_least(mut self, min: i64) -> Self {
        self.bounds = Bounds::AtLeast(min);
        self
    }

    pub(crate) const fn between(mut self, min: i64, max: i64) -> Self {
        self.bounds = Bounds::Between(min, max);
        self
    }

    pub(crate) const fn between_or_minus_one(mut self, min: i64, max: i64) -> Self {
        self.bounds = Bounds::MinusOneOrBetween(min, max);
        self
    }

    pub(crate) const fn ratio(mut self, min: f64, max: f64) -> Self {
        self.bounds = Bounds::Ratio(min, max);
        self
    }

    pub(crate) const fn not_empty(mut self) -> Self {
        self.bounds = Bounds::NotEmpty;
        self
    }

    pub(crate) const fn one_of(mut self, words: &'static [&'static str]) -> Self {
        self.bounds = Bounds::OneOf(words);
        self
    }

    pub(crate) const fn one_of_any_case(mut self, words: &'static [&'static str]) -> Self {
        self.bounds = Bounds::OneOfAnyCase(words);
        self
    }

    pub(crate) const fn each_of(mut self, words: &'static [&'static str]) -> Self {
        self.bounds = Bounds::EachOf(words);
        self
    }

    pub(crate) const fn replicas(mut self) -> Self {
        self.bounds = Bounds::Replicas;
        self
    }

    pub(crate) const fn offset_reset(mut self) -> Self {
        self.bounds = Bounds::OffsetReset;
        self
    }

    pub(crate) const fn unit(mut self, unit: &'static str) -> Self {
        self.unit = unit;
        self
    }

    pub(crate) const fn bytes(self) -> Self {
        self.unit("bytes")
    }

    pub(crate) const fn ms(self) -> Self {
        self.unit("ms")
    }

    pub(crate) const fn per_broker(mut self) -> Self {
        self.update = Update::PerBroker;
        self
    }

    pub(crate) const fn cluster_wide(mut self) -> Self {
        self.update = Update::ClusterWide;
        self
    }

    pub(crate) const fn synonym(mut self, broker_key: &'static str) -> Self {
        self.synonym = Some(broker_key);
        self
    }

    pub(crate) const fn internal(mut self) -> Self {
        self.internal = true;
        self
    }

    pub(crate) const fn memory(mut self, cost: &'static str) -> Self {
        self.memory = Some(cost);
        self
    }
}

macro_rules! constructors {
    ($($name:ident => $kind:ident),+ $(,)?) => {$(
        #[doc = concat!("A key of the kind `", stringify!($kind), "`.")]
        pub(crate) const fn $name(name: &'static str, default: Option<&'static str>) -> Key {
            Key::new(name, Kind::$kind, default)
        }
    )+};
}

constructors! {
    boolean => Boolean,
    string => String,
    int => Int,
    short => Short,
    long => Long,
    double => Double,
    list => List,
    class => Class,
    password => Password,
}
