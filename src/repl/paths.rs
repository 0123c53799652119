//! Where the history and the first program are.

use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;

fn directory(variable: &str, fallback: &str) -> Option<PathBuf> {
    let base = match std::env::var_os(variable).filter(|v| !v.is_empty()) {
        Some(base) => PathBuf::from(base),
        None => PathBuf::from(std::env::var_os("HOME").filter(|h| !h.is_empty())?).join(fallback),
    };
    Some(base.join("ipcsh"))
}

/// `$XDG_STATE_HOME/ipcsh/history`, with its directory made.
///
/// # Errors
/// The directory cannot be made: which, and why.
pub(super) fn history() -> Result<Option<PathBuf>, String> {
    let Some(directory) = directory("XDG_STATE_HOME", ".local/state") else {
        return Ok(None);
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&directory)
        .map_err(|e| format!("{}: {e}", directory.display()))?;
    Ok(Some(directory.join("history")))
}

/// `~/.config/ipcsh/init.ipc`, where it is there.
pub(super) fn init() -> Option<PathBuf> {
    let path = directory("XDG_CONFIG_HOME", ".config")?.join("init.ipc");
    path.is_file().then_some(path)
}
