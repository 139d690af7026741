//! Every client's consumer groups: members come, leave and are killed while a producer runs, by
//! every assignor that the client has; static members restart.

mod feed;
mod member;
mod play;
mod verdict;

use std::collections::HashMap;
use std::env;
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use play::Play;

use crate::broker::Broker;
use crate::clients::{Client, Ready};
use crate::matrix;
use crate::results::{Outcome, Results};

/// What the broker is started with: a first generation needs no patience here.
pub const SETTINGS: &[(&str, &str)] = &[
    ("group.initial.rebalance.delay.ms", "0"),
    ("offsets.topic.num.partitions", "4"),
];

/// Groups that live at the same time.
const AT_ONCE: usize = 5;

/// The generations that one life may take, no more than with Apache Kafka: nine times members come
/// or go, and some clients join again when they first hear of the topic's partitions.
const GENERATIONS_MAX: i32 = 16;

/// A cooperative assignor takes two where another takes one.
const COOPERATIVE_GENERATIONS_MAX: i32 = 24;

/// Runs all of them on `broker`.
pub fn run(broker: &Broker, results: &mut Results) -> Result<(), String> {
    let ready = matrix::set_up(broker, &Client::ALL, results);
    let versions: HashMap<&str, String> = ready
        .iter()
        .map(|ready| Ok((ready.client.name(), ready.version()?)))
        .collect::<Result<_, String>>()?;
    // LOGMILL_TEST_CASE=TEXT runs the scenes whose client's and own name contain it.
    let only = env::var("LOGMILL_TEST_CASE").unwrap_or_default();
    let mut scenes = scenes(&ready);
    scenes
        .retain(|scene| format!("{} {}", scene.ready.client.name(), scene.name()).contains(&only));
    let scenes = Mutex::new(scenes);
    let noted = Mutex::new(Vec::new());
    let work = || {
        loop {
            let Some(scene) = scenes.lock().expect("no panic holds it").pop() else {
                return;
            };
            let started = Instant::now();
            let ended = scene.run(broker);
            let (client, name) = (scene.ready.client.name(), scene.name());
            eprintln!("{client} {name}: {ended:?} after {:?}", started.elapsed());
            let outcome = ended.map_or_else(Outcome::Fail, |_| Outcome::Pass);
            noted
                .lock()
                .expect("no panic holds it")
                .push((scene, outcome));
        }
    };
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(work);
        }
    });
    let mut noted = noted.into_inner().expect("no panic holds it");
    noted.sort_by_key(|(scene, _)| (scene.ready.client.name(), scene.name()));
    for (scene, outcome) in noted {
        let client = scene.ready.client.name();
        results.add(client, &versions[client], &scene.name(), outcome);
    }
    Ok(())
}

/// One group to be.
struct Scene<'a> {
    ready: &'a Ready,
    assignor: &'static str,
    is_static: bool,
}

/// Last come, first played: those that a machine has the most work with come last.
fn scenes(ready: &[Ready]) -> Vec<Scene<'_>> {
    let mut scenes = Vec::new();
    for ready in ready.iter().rev() {
        scenes.extend(ready.client.static_assignor().map(|assignor| Scene {
            ready,
            assignor,
            is_static: true,
        }));
        scenes.extend(ready.client.assignors().iter().map(|assignor| Scene {
            ready,
            assignor,
            is_static: false,
        }));
    }
    scenes
}

impl Scene<'_> {
    fn name(&self) -> String {
        match self.is_static {
            true => "static members".to_owned(),
            false => format!("group {}", self.assignor),
        }
    }

    /// Answers how many generations it took; 0 where that is not counted.
    fn run(&self, broker: &Broker) -> Result<i32, String> {
        let kind = if self.is_static { "static" } else { "group" };
        let topic = format!("{kind}-{}-{}", self.ready.client.name(), self.assignor);
        let play = Play {
            ready: self.ready,
            assignor: self.assignor,
            bootstrap: &broker.bootstrap,
            folder: broker.scratch(&topic),
            topic,
        };
        if self.is_static {
            return play.restart_of_static_members().map(|()| 0);
        }
        let generations = play.churn()?;
        let bound = match self.assignor.starts_with("cooperative") {
            true => COOPERATIVE_GENERATIONS_MAX,
            false => GENERATIONS_MAX,
        };
        if generations > bound {
            return Err(format!("{generations} generations, more than {bound}"));
        }
        Ok(generations)
    }
}
