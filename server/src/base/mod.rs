//! What several rooms share and what knows none of them: timers, and names for work that waits.

pub mod planted;
pub mod timers;
pub mod work;
