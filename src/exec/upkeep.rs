//! What must be there before anything is created: the ledger, the janitor, `$WORK`.

use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::PathBuf;

use super::engine::Engine;
use super::start::not_started;
use crate::data::{Cell, Failure, Object, Outcome};
use crate::kernel::process;
use crate::session::janitor::Janitor;
use crate::session::ledger::FileKind;
use crate::session::{Ledger, now};

impl Engine {
    fn ensure_ledger(&mut self) -> Result<&Ledger, Failure> {
        if self.ledger.is_none() {
            let ledger = Ledger::create()
                .map_err(|e| Failure::environment(format!("no memory for the ledger: {e}")))?;
            if self.options.keep {
                ledger.keep_all();
            }
            self.ledger = Some(ledger);
        }
        self.ledger
            .as_ref()
            .ok_or_else(|| Failure::environment("there is no ledger"))
    }

    /// The janitor is there before anything can be created; one that was killed is
    /// replaced.
    pub(super) fn ensure_janitor(&mut self) -> Result<(), Failure> {
        self.ensure_ledger()?;
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        let unable = |e: io::Error| not_started("the janitor", &e);
        match &self.janitor {
            Some(janitor) if janitor.is_running() => {}
            Some(janitor) => janitor.replace(ledger).map_err(unable)?,
            None => self.janitor = Some(Janitor::start(ledger).map_err(|e| unable(e.into()))?),
        }
        self.unattended = false;
        Ok(())
    }

    /// What is in error once the janitor is gone.
    pub(super) fn attended(&self) -> Option<BorrowedFd<'_>> {
        self.janitor
            .as_ref()
            .filter(|_| !self.unattended)
            .map(Janitor::alive)
    }

    /// The janitor was killed: what is there already needs another one at once.
    pub(super) fn replace_janitor(&mut self) {
        // Where there can be none now, it is tried again, and said, when it must be there.
        self.unattended = self.ensure_janitor().is_err();
    }

    /// Makes `$WORK`, which is removed at the end.
    pub(super) fn ensure_work(&mut self) -> Result<(), Failure> {
        if self.env.get("WORK").is_some() {
            return Ok(());
        }
        self.ensure_janitor()?;
        let Some(ledger) = &self.ledger else {
            return Ok(());
        };
        let path = make_work(ledger)?;
        let bytes = path.into_os_string().into_encoded_bytes();
        self.bind("WORK", Outcome::value(Cell::Data(bytes)));
        Ok(())
    }

    /// The ledger, where anything may have been created.
    pub fn ledger(&self) -> Option<&Ledger> {
        self.ledger.as_ref()
    }
}

/// A fresh directory, known to the janitor before it is made.
fn make_work(ledger: &Ledger) -> Result<PathBuf, Failure> {
    use std::hash::{BuildHasher, Hasher};
    let base = std::env::temp_dir();
    for _ in 0..100 {
        let random = std::hash::RandomState::new().build_hasher().finish();
        let path = base.join(format!("ipcsh-{random:016x}"));
        if path.symlink_metadata().is_ok() {
            continue;
        }
        let entry = ledger
            .intend_file(
                FileKind::Directory,
                &Object::from(path.as_path()),
                &path,
                now(),
                process::geteuid(),
            )
            .map_err(|e| Failure::environment(format!("$WORK: {e}")))?;
        match std::fs::DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => {
                if let Ok(meta) = path.symlink_metadata() {
                    ledger.settle_file(entry, FileKind::Directory, meta.dev(), meta.ino());
                }
                return Ok(path);
            }
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => ledger.forget(entry),
            Err(e) => {
                ledger.forget(entry);
                return Err(Failure::environment(format!(
                    "$WORK cannot be made in {}: {e}",
                    base.display()
                )));
            }
        }
    }
    Err(Failure::environment(format!(
        "no free name for $WORK in {}",
        base.display()
    )))
}
