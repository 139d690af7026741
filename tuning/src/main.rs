//! The command line: `logmill-tuning doctor`, `logmill-tuning probe`.

fn main() {
    for finding in logmill_tuning::doctor::examine(".".as_ref()) {
        println!("{finding}");
    }
}
