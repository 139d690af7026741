//! Consumers in groups: the classic group protocol's client side.

mod assignor;
mod client;
mod membership;
mod protocol;
mod requests;

pub use assignor::{Assignor, Subscriber};
pub use client::{GroupClient, GroupEvent, Lines, MemberKey};
pub use membership::{Ask, Change, Joined, Membership, MembershipConfig};
