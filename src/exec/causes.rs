//! Why a step failed, as far as the host tells.

use super::engine::Engine;
use crate::data::{Failure, Lack};
use crate::mechanism::cause;

impl Engine {
    /// Adds what is the cause of a failure that somebody shall see.
    pub(super) fn explained(&self, mut failure: Failure) -> Failure {
        let Some(lack) = failure.lack.take() else {
            return failure;
        };
        let cause = match &*lack {
            Lack::Removed(family, object) => {
                let mut removed = self.removers.iter();
                let by = removed.find(|(of, gone, _)| (of, gone) == (family, object));
                match by {
                    Some((_, _, actor)) => Some(format!("{actor} removed it")),
                    // What an actor removes has no name any more.
                    None => self
                        .names
                        .name_of(*family, object)
                        .map(|_| "a process that is not of this session removed it".into()),
                }
            }
            lack => {
                let actors = self.actors_by_pid();
                cause(&self.sight(&actors), lack)
            }
        };
        if let Some(cause) = cause {
            failure.meaning = format!("{}; {cause}", failure.meaning);
        }
        failure
    }
}
