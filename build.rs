//! Links the unwinder in statically where its archive is there.
//!
//! The shared libgcc_s costs a quarter of the time that `ipcsh -c ipcs` takes: its constructor
//! asks the processor what it can, which on a virtual machine is a trap a question.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let native = env::var("HOST") == env::var("TARGET");
    let Some(out) = env::var_os("OUT_DIR").map(PathBuf::from) else {
        return;
    };
    let (true, Some(archive)) = (gnu && native, archive()) else {
        return;
    };
    println!("cargo:rustc-link-arg-bins=-no-pie");
    // What the standard library asks for as `-lgcc_s` is looked for here first.
    let script = format!("INPUT({})\n", archive.display());
    if fs::write(out.join("libgcc_s.so"), script).is_ok() {
        println!("cargo:rustc-link-search=native={}", out.display());
    }
}

/// Where the compiler keeps the static unwinder.
fn archive() -> Option<PathBuf> {
    let told = Command::new("cc")
        .arg("-print-file-name=libgcc_eh.a")
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
    (path.is_absolute() && Path::exists(&path)).then_some(path)
}
