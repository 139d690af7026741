//! Foreign toolchains, set up once from their ordinary registries into a cache below the target
//! folder.
//!
//! Each piece is built in a folder whose name has the hash of its manifest and sources, under a
//! temporary name until it is whole; so a changed version or source rebuilds it and an interrupted
//! build leaves nothing half done.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, Once, PoisonError};
use std::time::{Duration, Instant};

use crate::process;

/// The longest that one registry's packages may take to come and build.
const SETUP_TIMEOUT: Duration = Duration::from_secs(420);

const JAVA_FILES: [(&str, &str); 4] = [
    ("Corpus.java", include_str!("clients/java/Corpus.java")),
    (
        "GroupMember.java",
        include_str!("clients/java/GroupMember.java"),
    ),
    (
        "InteropClient.java",
        include_str!("clients/java/InteropClient.java"),
    ),
    (
        "KafkaTools.java",
        include_str!("clients/java/KafkaTools.java"),
    ),
];
const POM: &str = include_str!("clients/java/pom.xml");

const GO_FILES: [(&str, &str); 9] = [
    ("go.mod", include_str!("clients/go/go.mod")),
    ("go.sum", include_str!("clients/go/go.sum")),
    ("main.go", include_str!("clients/go/main.go")),
    ("corpus.go", include_str!("clients/go/corpus.go")),
    ("franz.go", include_str!("clients/go/franz.go")),
    ("sarama.go", include_str!("clients/go/sarama.go")),
    ("member.go", include_str!("clients/go/member.go")),
    (
        "franz_member.go",
        include_str!("clients/go/franz_member.go"),
    ),
    (
        "sarama_member.go",
        include_str!("clients/go/sarama_member.go"),
    ),
];

const PYTHON_REQUIREMENTS: &str = include_str!("clients/python/requirements.txt");
const NODE_PACKAGES: &str = include_str!("clients/node/package.json");

/// Debian's packages for kcat, rsyslog and syslog-ng, with the libraries of theirs that a bare
/// system lacks.
const DEBIAN_PACKAGES: [&str; 16] = [
    "kcat",
    "librdkafka1",
    "libyajl2",
    "rsyslog",
    "rsyslog-kafka",
    "libestr0",
    "libfastjson4",
    "liblognorm5",
    "syslog-ng-core",
    "syslog-ng-mod-rdkafka",
    "libivykis0",
    "libnet1",
    "libwrap0",
    "libnsl2",
    "libtirpc3",
    "libpcre3",
];

/// The class path of Apache Kafka 4.1.1: its broker, tools and clients, and the suite's own Java
/// classes.
pub fn java() -> Result<String, String> {
    for tool in ["java", "javac", "mvn"] {
        needs(tool, "-version")?;
    }
    let jars = once("kafka", &[POM], |folder| {
        fs::write(folder.join("pom.xml"), POM).map_err(|e| e.to_string())?;
        run(
            folder,
            Command::new("mvn").args([
                "-q",
                "-B",
                "dependency:copy-dependencies",
                "-DoutputDirectory=libs",
            ]),
        )
    })?;
    let libs = format!("{}/libs/*", jars.display());
    let sources: String = JAVA_FILES.iter().map(|(_, text)| *text).collect();
    let classes = once("java", &[POM, &sources], |folder| {
        let mut javac = Command::new("javac");
        javac.args(["-cp", &libs, "-d"]).arg(folder);
        for (name, text) in JAVA_FILES {
            fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
            javac.arg(folder.join(name));
        }
        run(folder, &mut javac)
    })?;
    Ok(format!("{libs}:{}", classes.display()))
}

/// The program with franz-go and sarama.
pub fn go() -> Result<PathBuf, String> {
    needs("go", "version")?;
    let sources: String = GO_FILES.iter().map(|(_, text)| *text).collect();
    let folder = once("go", &[&sources], |folder| {
        for (name, text) in GO_FILES {
            fs::write(folder.join(name), text).map_err(|e| e.to_string())?;
        }
        run(
            folder,
            Command::new("go").args(["build", "-o", "clients", "."]),
        )
    })?;
    Ok(folder.join("clients"))
}

/// The folder with the Python packages, for `PYTHONPATH`.
pub fn python() -> Result<PathBuf, String> {
    needs("python3", "--version")?;
    once("python", &[PYTHON_REQUIREMENTS], |folder| {
        let list = folder.join("requirements.txt");
        fs::write(&list, PYTHON_REQUIREMENTS).map_err(|e| e.to_string())?;
        let venv = folder.join("installer");
        run(
            folder,
            Command::new("python3").args(["-m", "venv"]).arg(&venv),
        )?;
        let packages = folder.join("packages");
        run(
            folder,
            Command::new(venv.join("bin/python"))
                .args(["-m", "pip", "install", "--quiet", "--target"])
                .arg(&packages)
                .arg("-r")
                .arg(&list),
        )
    })
    .map(|folder| folder.join("packages"))
}

/// The folder with the Node packages, for `NODE_PATH`.
pub fn node() -> Result<PathBuf, String> {
    needs("node", "--version")?;
    needs("npm", "--version")?;
    once("node", &[NODE_PACKAGES], |folder| {
        fs::write(folder.join("package.json"), NODE_PACKAGES).map_err(|e| e.to_string())?;
        // The zstd codec's binding is built against Node's headers, which ask for a newer C++ than
        // it says.
        run(
            folder,
            Command::new("npm")
                .args(["install", "--no-audit", "--no-fund", "--omit=dev"])
                .env("CXXFLAGS", "-std=gnu++17"),
        )
    })
    .map(|folder| folder.join("node_modules"))
}

/// The root of kcat, rsyslog and syslog-ng, unpacked beside the system, not installed into it.
pub fn debian() -> Result<PathBuf, String> {
    needs("apt-get", "--version")?;
    needs("dpkg-deb", "--version")?;
    once("debian", &DEBIAN_PACKAGES, |folder| {
        let mut download = Command::new("apt-get");
        download.arg("download").args(DEBIAN_PACKAGES);
        if run(folder, &mut download).is_err() {
            // A fresh container has no package lists yet; only root may fetch them.
            run(folder, Command::new("apt-get").arg("update"))?;
            run(folder, &mut download)?;
        }
        let packages = fs::read_dir(folder).map_err(|e| e.to_string())?;
        for package in packages.filter_map(Result::ok).map(|entry| entry.path()) {
            if package
                .extension()
                .is_some_and(|extension| extension == "deb")
            {
                let root = folder.join("root");
                run(
                    folder,
                    Command::new("dpkg-deb").arg("-x").arg(&package).arg(root),
                )?;
            }
        }
        Ok(())
    })
    .map(|folder| folder.join("root"))
}

/// Where shared libraries of [`debian`] lie below its root.
pub fn debian_libraries(root: &Path) -> PathBuf {
    let usr = root.join("usr/lib");
    let mut multiarch = fs::read_dir(&usr)
        .into_iter()
        .flatten()
        .filter_map(Result::ok)
        .map(|entry| entry.path());
    multiarch
        .find(|path| path.join("rsyslog").is_dir())
        .unwrap_or(usr)
}

/// Whether a missing toolchain fails the suite.
pub fn must_be_there() -> bool {
    env::var("CI").is_ok_and(|value| value == "true")
}

/// The folder of everything that the suite keeps between runs. What runs that were killed left in
/// it is removed first.
pub fn cache() -> PathBuf {
    static SWEPT: Once = Once::new();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop");
    SWEPT.call_once(|| {
        fs::create_dir_all(&cache).expect("the target folder is writable");
        for entry in fs::read_dir(&cache).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name
                .strip_prefix(PASSING)
                .and_then(|rest| rest.split('.').next());
            if process.is_some_and(|id| !Path::new("/proc").join(id).exists()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    });
    cache
}

/// The beginning of the name of a folder in [`cache`] that lives no longer than this process.
pub fn passing(name: &str) -> String {
    format!("{PASSING}{}.{name}.", std::process::id())
}

const PASSING: &str = "of-process-";

type Locks = HashMap<&'static str, Arc<Mutex<()>>>;

/// The folder `name` in the cache, made by `build` if no earlier run did.
fn once(
    name: &'static str,
    inputs: &[&str],
    build: impl Fn(&Path) -> Result<(), String>,
) -> Result<PathBuf, String> {
    // One at a time of each, all of them side by side.
    static BUILDING: Mutex<Option<Locks>> = Mutex::new(None);
    let building = {
        let mut all = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(all.get_or_insert_default().entry(name).or_default())
    };
    let _alone = building.lock().unwrap_or_else(PoisonError::into_inner);
    let mut hasher = DefaultHasher::new();
    inputs.hash(&mut hasher);
    let done = cache().join(format!("{name}-{:016x}", hasher.finish()));
    if done.is_dir() {
        return Ok(done);
    }
    let making = cache().join(passing(name));
    let begin = || {
        let _ = fs::remove_dir_all(&making);
        fs::create_dir_all(&making).map_err(|e| format!("{}: {e}", making.display()))?;
        build(&making).map_err(|why| format!("setting up {name}: {why}"))
    };
    let started = Instant::now();
    begin().or_else(|why| match must_be_there() {
        // A registry may stumble, which is no reason to fail a build.
        true => begin(),
        false => Err(why),
    })?;
    // Another process may have been quicker; its result is as good.
    if fs::rename(&making, &done).is_err() && !done.is_dir() {
        return Err(format!("{} cannot be renamed", making.display()));
    }
    let seconds = started.elapsed().as_secs();
    process::say(&format!("set up {name} in {seconds} s"));
    Ok(done)
}

fn needs(tool: &str, version_flag: &str) -> Result<(), String> {
    match Command::new(tool).arg(version_flag).output() {
        Ok(output) if output.status.success() => Ok(()),
        _ => Err(format!("{tool} is not installed")),
    }
}

/// Runs one step of a build in `folder`, where its outputs go too.
fn run(folder: &Path, command: &mut Command) -> Result<(), String> {
    command.current_dir(folder);
    process::run_ok(command, &folder.join("printed"), SETUP_TIMEOUT).map(|_| ())
}
