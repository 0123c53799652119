//! `metrics`: what a collector reads, against the parser that others use.

mod harness;
mod stranger;

use std::io::Write;
use std::process::{Command, Stdio};

use harness::run;
use stranger::{Stranger, as_nobody, rows_of};

const MADE: [&str; 12] = [
    "-c",
    "msgq create jobs",
    "-c",
    "msgq send 1 \"hello\"",
    "-c",
    "shm create s 8K",
    "-c",
    "sem create l 7",
    "-c",
    "b: msgq recv jobs 9 ...",
    "-c",
    "metrics max=1000000",
];

fn text() -> String {
    // What comes before is what `create` says.
    let ran = run(&MADE, b"");
    let at = ran.out.find("# TYPE").unwrap();
    ran.out[at..].to_string()
}

/// The value of a metric of the object with this label.
fn value<'a>(text: &'a str, metric: &str, label: &str) -> Option<&'a str> {
    let line = text
        .lines()
        .find(|l| l.starts_with(&format!("{metric}{{")) && l.contains(label))?;
    line.rsplit(' ').next()
}

#[test]
fn objects_have_their_values_and_the_text_its_end() {
    let text = text();
    for (metric, label, expected) in [
        ("ipc_msgq_messages", "name=\"jobs\"", "1"),
        ("ipc_msgq_bytes", "name=\"jobs\"", "5"),
        ("ipc_msgq_receivers_waiting", "name=\"jobs\"", "1"),
        ("ipc_shm_bytes", "name=\"s\"", "8192"),
        ("ipc_sem_value", "name=\"l\"", "7"),
    ] {
        assert_eq!(
            value(&text, metric, label),
            Some(expected),
            "{metric}\n{text}"
        );
    }
    assert!(
        value(&text, "ipc_limit", "limit=\"msgmax\"").is_some(),
        "{text}"
    );
    assert!(text.ends_with("# EOF\n"), "{text}");
    let few = run(
        &[
            "-c",
            "msgq create a",
            "-c",
            "msgq create b",
            "-c",
            "metrics max=1",
        ],
        b"",
    );
    let series = few
        .out
        .lines()
        .filter(|l| l.starts_with("ipc_msgq_messages{"));
    assert_eq!(series.count(), 1, "{}", few.out);
}

#[test]
fn the_parser_of_prometheus_reads_it() {
    let code = "import sys
try: from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
except ImportError: sys.exit(77)
families = list(parse(sys.stdin.read()))
assert len(families) > 20 and all(f.type == 'gauge' and f.documentation for f in families)";
    let python = Command::new("python3")
        .args(["-c", code])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut python = match python {
        Ok(python) => python,
        Err(e) => return eprintln!("skipped: python3: {e}"),
    };
    let mut stdin = python.stdin.take().unwrap();
    // One that has left already says why below.
    let _ = stdin.write_all(text().as_bytes());
    drop(stdin);
    let output = python.wait_with_output().unwrap();
    if output.status.code() == Some(77) {
        return eprintln!("skipped: python3 has no prometheus_client");
    }
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

#[test]
fn what_may_not_be_known_has_no_value() {
    let Some(mut python) = Stranger::start(
        "set = sure(libc.semget(0, 1, 0o1600))\nsay(set)\nsay(0)\nsemop(set, 0, -1)",
    ) else {
        return;
    };
    let label = format!("id=\"{}\"", python.made("s")[0]);
    // Above this the first ones of the host have the lines.
    let Some(ran) = as_nobody("metrics max=1000000") else {
        return;
    };
    let said = rows_of(&ran, "text").remove(0);
    let value = |metric| value(said["text"].as_str().unwrap(), metric, &label);
    assert_eq!(value("ipc_sem_semaphores"), Some("1"));
    assert_eq!(value("ipc_sem_waiting"), None);
    assert_eq!(value("ipc_sem_value"), None);
}

#[test]
fn names_that_are_no_text_are_told_apart() {
    use std::os::unix::ffi::OsStrExt;
    let own = format!("ipcsh-metrics-{}-", std::process::id());
    let paths = [b"\xfe".as_slice(), b"\xff", b"\x1b", b"\\x1b", b"\x85"].map(|last| {
        let name = [b"/dev/shm/", own.as_bytes(), last].concat();
        std::path::PathBuf::from(std::ffi::OsStr::from_bytes(&name))
    });
    for path in &paths {
        std::fs::write(path, "x").unwrap();
    }
    let ran = run(&["-c", "metrics max=1000000"], b"");
    for path in &paths {
        std::fs::remove_file(path).unwrap();
    }
    let bytes: Vec<String> = own.bytes().map(|b| format!("{b:02x}")).collect();
    let named = |line: &str| line.contains(&own) || line.contains(&bytes.join(" "));
    let of = |line: &&str| line.starts_with("ipc_posix_shm_bytes{") && named(line);
    let mut series: Vec<&str> = ran.out.lines().filter(of).collect();
    assert_eq!(series.len(), paths.len(), "{}", ran.out);
    for line in &series {
        // The only escapes that the format knows.
        let rest = line
            .replace("\\\\", "")
            .replace("\\\"", "")
            .replace("\\n", "");
        assert!(!rest.contains('\\'), "{line}");
    }
    series.sort_unstable();
    series.dedup();
    assert_eq!(
        series.len(),
        paths.len(),
        "two series are alike: {series:?}"
    );
}
