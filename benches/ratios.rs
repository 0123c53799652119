//! How fast ipcsh is, as ratios to the same work done in C or by util-linux.
//!
//! `cargo bench --bench ratios [-- WORD…]` runs every comparison, or those whose name holds
//! one of the words. What is compared runs in turn, and medians are shown: on a busy machine
//! the ratios hold where the times do not. It takes about a minute, runs in namespaces of its
//! own where the kernel allows, and what it creates is removed however it ends.

#[path = "ratios/host.rs"]
mod host;
#[path = "ratios/report.rs"]
mod report;

use std::fmt::Write as _;
use std::process::ExitCode;

use host::{Host, Program};
use report::{Report, Samples};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if !args.iter().any(|a| a == "--bench") {
        println!("skipped: run it with `cargo bench --bench ratios`");
        return ExitCode::SUCCESS;
    }
    if let Some(code) = host::isolated() {
        return code;
    }
    let host = match Host::new() {
        Ok(host) => host,
        Err(why) => {
            println!("skipped: {why}");
            return ExitCode::SUCCESS;
        }
    };
    let words = args.into_iter().filter(|a| !a.starts_with('-')).collect();
    let mut report = Report::new(words);
    type Item = fn(&Host, &mut Report);
    let run: [(&str, Item); 9] = [
        ("start", start),
        ("many", many),
        ("flat", flat),
        ("loop", message_loop),
        ("file", file),
        ("trip", round_trips),
        ("create", create_loop),
        ("memory", memory),
        ("host", whole_host),
    ];
    for (name, bench) in run {
        if report.wants(name) {
            bench(&host, &mut report);
        }
    }
    report.conclude();
    ExitCode::SUCCESS
}

/// `ipcs` on an empty host; it starts no other process.
fn start(host: &Host, report: &mut Report) {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for _ in 0..400 {
        ours.add(host.ipcsh(&["-c", "ipcs"]).seconds());
        theirs.add(Program::new("ipcs").seconds());
    }
    report.ratio("start: ipcs, empty host / ipcs(1)", &ours, &theirs, 1.0);
    match host.processes_of(&["-c", "ipcs"]) {
        Some(n) => report.value("start: processes it starts", n as f64, 0.0, ""),
        None => report.skipped("start: processes it starts", "no strace"),
    }
}

const FEW: usize = 10;
const HALF: usize = 15_000;
const MANY: usize = 30_000;

/// Tables of many queues grow with them and no faster.
fn many(host: &Host, report: &mut Report) {
    // For HALF and MANY queues.
    let mut tables = [const { Samples::new() }; 2];
    let mut json = [const { Samples::new() }; 2];
    let (mut theirs, mut raw) = (Samples::default(), Samples::default());
    for _ in 0..9 {
        for (place, count) in [HALF, MANY].into_iter().enumerate() {
            let _queues = match host.queues(count) {
                Ok(queues) => queues,
                Err(why) => return report.skipped("many", &why),
            };
            for _ in 0..4 {
                tables[place].add(host.ipcsh(&["-c", "ipcs -q"]).seconds());
                json[place].add(host.ipcsh(&["--json", "-c", "ipcs -q"]).seconds());
                if count == MANY {
                    theirs.add(Program::new("ipcs").args(&["-q"]).seconds());
                    raw.add(host.reference("read", "/proc/sysvipc/msg").seconds());
                }
            }
        }
    }
    let [half, all] = &tables;
    report.ratio("many: ipcs -q, 30,000 queues / ipcs(1)", all, &theirs, 0.3);
    report.ratio("many: ipcs -q, 30,000 / 15,000", all, half, 2.3);
    let [half, all] = &json;
    report.ratio("many: ipcs -q --json, 30,000 / raw read", all, &raw, 2.0);
    report.ratio("many: ipcs -q --json, 30,000 / 15,000", all, half, 2.3);
}

/// One queue among many costs what one among few costs.
fn flat(host: &Host, report: &mut Report) {
    // For FEW and MANY queues.
    let mut one = [const { Samples::new() }; 2];
    let mut receive = [const { Samples::new() }; 2];
    for _ in 0..9 {
        for (place, count) in [FEW, MANY].into_iter().enumerate() {
            let queues = match host.queues(count) {
                Ok(queues) => queues,
                Err(why) => return report.skipped("flat", &why),
            };
            let look = format!("ipcs -q -i {}", queues.id);
            let take = format!("msgq recv id:{} --nowait => ENOMSG", queues.id);
            // What made the queues has taken the caches.
            host.ipcsh(&["-c", &take]).seconds();
            for _ in 0..8 {
                one[place].add(host.ipcsh(&["-c", &look]).seconds());
                receive[place].add(host.ipcsh(&["-c", &take]).seconds());
            }
        }
    }
    let [few, many] = &one;
    report.ratio("flat: ipcs -q -i ID, 30,000 / 10", many, few, 1.2);
    let [few, many] = &receive;
    report.ratio("flat: msgq recv, 30,000 / 10", many, few, 1.2);
}

/// A loop runs in its actor at the speed of the calls it makes.
fn message_loop(host: &Host, report: &mut Report) {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let script = "msgq create t; repeat 1000000 { msgq send 1 \"x\"; msgq recv }";
    for _ in 0..5 {
        ours.add(host.ipcsh(&["-c", script]).seconds());
        theirs.add(host.reference("send-receive", "1000000").seconds());
    }
    report.ratio("loop: 1,000,000 send and recv / C", &ours, &theirs, 1.2);
}

/// A long script of plain lines.
fn file(host: &Host, report: &mut Report) {
    let plain = "msgq send 1 \"x\"\nmsgq recv\n".repeat(50_000);
    let path = host.file("plain.ipc", &plain);
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    for _ in 0..15 {
        ours.add(host.ipcsh(&[&path]).seconds());
        theirs.add(host.reference("interpret", &path).seconds());
    }
    report.value("file: 100,000 lines", ours.median(), 0.2, "s");
    // The same 0.2 s, where the C interpreter takes 0.084.
    report.ratio("file: 100,000 lines / C interpreter", &ours, &theirs, 2.38);
}

/// Steps that change from actor to actor: each is there and back. What it costs to start is
/// taken off.
fn round_trips(host: &Host, report: &mut Report) {
    const TRIPS: usize = 4000;
    let steps = |n: usize| {
        let mut text = String::from("spawn a b\nmsgq create t\n");
        for _ in 0..n / 2 {
            let _ = writeln!(text, "a: msgq send 1 \"x\"\nb: msgq recv");
        }
        text
    };
    let long = host.file("long.ipc", &steps(TRIPS));
    let short = host.file("short.ipc", &steps(2));
    for (how, one_core) in [("", false), (", one core", true)] {
        let (mut ours, mut theirs) = (Samples::default(), Samples::default());
        let on = |program: Program| {
            if one_core {
                program.on_one_core()
            } else {
                program
            }
        };
        for _ in 0..9 {
            let whole = on(host.ipcsh(&[&long])).seconds();
            let start = on(host.ipcsh(&[&short])).seconds();
            ours.add(whole - start);
            let whole = on(host.reference("ping-pong", &TRIPS.to_string())).seconds();
            let start = on(host.reference("ping-pong", "2")).seconds();
            theirs.add(whole - start);
        }
        let name = format!("trip: {TRIPS} single steps{how} / ping-pong in C");
        report.ratio(&name, &ours, &theirs, 2.0);
    }
}

/// Creating and removing, with each object in the ledger in between.
fn create_loop(host: &Host, report: &mut Report) {
    let (mut ours, mut theirs) = (Samples::default(), Samples::default());
    let script = "repeat 100000 { msgq create t; msgq rm t }";
    for _ in 0..9 {
        ours.add(host.ipcsh(&["-c", script]).seconds());
        theirs.add(host.reference("create-remove", "100000").seconds());
    }
    report.ratio("create: 100,000 create and rm / C", &ours, &theirs, 2.0);
}

/// What stays in memory while nothing happens.
fn memory(host: &Host, report: &mut Report) {
    let script = "spawn a\nmsgq create t\na: msgq send 1 \"x\"\na: msgq recv\nmsgq ls\n\
                  !grep VmRSS /proc/$PPID/status\n!grep VmRSS /proc/${a.pid}/status\n";
    let path = host.file("memory.ipc", script);
    let shown = host.ipcsh(&[&path]).output();
    let sizes: Vec<f64> = shown
        .lines()
        .filter(|line| line.contains("kB"))
        .filter_map(|line| line.split_ascii_whitespace().nth_back(1)?.parse().ok())
        .collect();
    for (name, limit, size) in [("shell", 8.0, sizes.first()), ("actor", 4.0, sizes.get(1))] {
        let name = format!("memory: the {name}, idle");
        match size {
            Some(kib) => report.value(&name, kib / 1024.0, limit, "MB"),
            None => report.skipped(&name, "it was not told"),
        }
    }
}

const PROCESSES: usize = 500;

/// Everything that is seen of a host: every thread, every descriptor and every mapping. Whoever
/// has a file of `/dev/shm` may have it open or mapped, and may wait at it.
fn whole_host(host: &Host, report: &mut Report) {
    let _processes = match host.processes(PROCESSES) {
        Ok(processes) => processes,
        Err(why) => return report.skipped("host", &why),
    };
    let name = format!("ipcsh-bench-{}", std::process::id());
    let file = format!("/dev/shm/{name}");
    if let Err(e) = std::fs::write(&file, "") {
        return report.skipped("host", &e.to_string());
    }
    let look = format!("who shm./{name}");
    for (tool, arguments, target) in [("lsof", &["-nP"][..], 0.25), ("lsfd", &[], 1.0)] {
        let (mut ours, mut why, mut theirs) = (Samples::new(), Samples::new(), Samples::new());
        let ratio = format!("host: {PROCESSES} processes, whole / {tool}");
        if !host.has(tool) {
            report.skipped(&ratio, "it is not installed");
            continue;
        }
        for _ in 0..15 {
            ours.add(host.ipcsh(&["-c", &look]).seconds());
            why.add(host.ipcsh(&["-c", "why"]).seconds());
            theirs.add(Program::new(tool).args(arguments).seconds());
        }
        report.ratio(&ratio, &ours, &theirs, target);
        // Each of them waits, and its pipe is looked into.
        let all_wait = format!("host: {PROCESSES} that wait, why / {tool}");
        report.ratio(&all_wait, &why, &theirs, 1.0);
    }
    let _ = std::fs::remove_file(file);
}
