//! Links the C library and the unwinder in statically, as far as their archives are there.
//!
//! Most of the time that `ipcsh -c ipcs` takes is the dynamic loader's, which also asks the processor
//! what it can: on a virtual machine, a trap a question. Every actor would pay it again.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let gnu = env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    let native = env::var("HOST") == env::var("TARGET");
    let (true, Some(out)) = (gnu && native, env::var_os("OUT_DIR").map(PathBuf::from)) else {
        return;
    };
    // What the standard library asks for as shared libraries, and the archives that are taken for them.
    let arguments: &[&str] = if replace(&out, &["gcc_s", "c", "m"], &["gcc_eh", "gcc", "c", "m"]) {
        &["-static", "-no-pie"]
    } else if replace(&out, &["gcc_s"], &["gcc_eh"]) {
        &["-no-pie"]
    } else {
        return;
    };
    // Searched before the places that the compiler knows.
    println!("cargo:rustc-link-arg-bins=-L{}", out.display());
    for argument in arguments {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

/// Puts linker scripts in the place of shared libraries, which name the archives. False where one of
/// these is not there. The archives need each other, and some linkers look at each but once: a group.
fn replace(out: &Path, shared: &[&str], archives: &[&str]) -> bool {
    let found: Option<Vec<String>> = archives.iter().map(|name| archive(name)).collect();
    let Some(found) = found else {
        return false;
    };
    let script = format!("GROUP({})\n", found.join(" "));
    let write = |name| fs::write(out.join(format!("lib{name}.so")), &script);
    let written: io::Result<()> = shared.iter().try_for_each(write);
    written.is_ok()
}

/// Where the compiler has a static library.
fn archive(name: &str) -> Option<String> {
    let told = Command::new("cc")
        .arg(format!("-print-file-name=lib{name}.a"))
        .output()
        .ok()?;
    let path = String::from_utf8(told.stdout).ok()?.trim().to_string();
    path.starts_with('/').then_some(path)
}
