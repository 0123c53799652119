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
    let mut link = Vec::new();
    if is_static(&out, &["gcc_eh", "c", "m"]) {
        link = vec!["-static", "-no-pie"];
    } else if is_static(&out, &["gcc_eh"]) {
        link = vec!["-no-pie"];
    }
    if !link.is_empty() {
        // Searched before the places that the compiler knows.
        println!("cargo:rustc-link-arg-bins=-L{}", out.display());
    }
    for argument in link {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
}

/// Makes each library that the standard library asks for as a shared one be its archive. False where
/// one has none.
fn is_static(out: &Path, archives: &[&str]) -> bool {
    let found: Option<Vec<PathBuf>> = archives.iter().map(|name| archive(name)).collect();
    let Some(found) = found else {
        return false;
    };
    let write = |(name, path): (&&str, &PathBuf)| {
        let shared = if *name == "gcc_eh" { "gcc_s" } else { name };
        let script = format!("INPUT({})\n", path.display());
        fs::write(out.join(format!("lib{shared}.so")), script)
    };
    let written: io::Result<()> = archives.iter().zip(&found).try_for_each(write);
    written.is_ok()
}

/// Where the compiler has a static library.
fn archive(name: &str) -> Option<PathBuf> {
    let told = Command::new("cc")
        .arg(format!("-print-file-name=lib{name}.a"))
        .output()
        .ok()?;
    let path = PathBuf::from(String::from_utf8(told.stdout).ok()?.trim());
    (path.is_absolute() && path.exists()).then_some(path)
}
