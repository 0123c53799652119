//! `graph`: processes and objects, and who waits on what.

use std::collections::{HashMap, HashSet};

use super::look;
use super::who::command;
use super::why::is_ours;
use crate::data::{Cell, Failure, Graph, Outcome, Reply};
use crate::exec::Builtin;
use crate::inspect::descriptors::{Access, Descriptor};
use crate::inspect::thing::Thing;
use crate::inspect::unix;
use crate::inspect::waking::{Sure, wakers};
use crate::lang::{Example, Kind, Param, Signature};
use crate::mechanism::{Args, NS, Sight};
use crate::view::graph as drawn;

pub(super) static GRAPH: Builtin = Builtin {
    signature: Signature {
        name: "graph",
        summary: "draw which processes share which objects, and who waits on what",
        looks: true,
        params: &[
            Param::valued(
                "format",
                Kind::Choice(&["text", "mermaid", "dot", "svg"]),
                "text where it is left out; a flowchart for Mermaid; for Graphviz; a picture",
            ),
            Param::valued(
                "pid",
                Kind::Word,
                "only what this process or actor has, and who shares it",
            ),
            Param::valued("object", Kind::AnyRef, "only this object"),
            NS,
        ],
        calls: &["proc_pid_fd(5)", "proc_pid_maps(5)", "proc_pid_syscall(5)"],
        notes: "An object is drawn where two processes share it, or somebody waits at it. Connected \
                Unix sockets are one. Lines go as data goes; those of who waits are dashed, and go on \
                from a semaphore to its last operator, who may hold it.",
        examples: &[Example {
            script: "sem create lock 0\nb: sem p lock ...\ngraph\ngraph --pid b --format mermaid\n\
                     graph --object lock --format dot\nsem v lock\nb: ... => ok",
            shows: "who waits at a semaphore, in three languages",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| graph(sight, args)),
};

/// What a process has to do with an object.
struct Link {
    thing: Thing,
    object: String,
    pid: i32,
    label: String,
    way: Way,
}

/// Which way a line goes.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    /// The process gives.
    In,
    /// The process takes.
    Out,
    Both,
    /// The process waits.
    Waits,
    /// It may have what others wait for.
    Holds,
}

fn graph(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let mut links = links(sight);
    let inside = links.iter().filter(|l| sight.snapshot.is_inside(l.pid));
    let inside: HashSet<Thing> = inside.map(|l| l.thing).collect();
    links.retain(|link| inside.contains(&link.thing));
    if let Some(word) = args.text("pid")? {
        let pid = sight.process(&word)?;
        let its: Vec<Thing> = links
            .iter()
            .filter(|l| l.pid == pid)
            .map(|l| l.thing)
            .collect();
        links.retain(|link| its.contains(&link.thing));
    } else if let Some(reference) = args.reference("object") {
        let (family, object) = sight.find_any(reference)?;
        let only = Thing::of(family, &object).map(|thing| joined(&pairs(), thing));
        links.retain(|link| Some(link.thing) == only);
    } else {
        links = shared(links);
    }
    let graph = assembled(sight, &links);
    let draw = match args.word("format") {
        Some("mermaid") => drawn::mermaid,
        Some("dot") => drawn::dot,
        Some("svg") => drawn::svg,
        _ => drawn::text,
    };
    let text = match graph.nodes.is_empty() {
        true => "nothing that can be seen is shared, and nobody waits\n".into(),
        false => draw(&graph),
    };
    Ok(Reply {
        outcome: Outcome::ok(),
        text: Some(text),
        ..Reply::default()
    })
}

/// Those whose object two processes share, or somebody waits at.
fn shared(mut links: Vec<Link>) -> Vec<Link> {
    let mut users: HashMap<Thing, (i32, bool)> = HashMap::new();
    for link in &links {
        let (first, worth) = users.entry(link.thing).or_insert((link.pid, false));
        *worth |= *first != link.pid || link.way == Way::Waits;
    }
    links.retain(|link| users.get(&link.thing).is_some_and(|(_, worth)| *worth));
    links
}

/// The other side of each connected Unix socket.
fn pairs() -> HashMap<u64, u64> {
    let all = unix::all().unwrap_or_default().into_iter();
    all.filter_map(|s| Some((s.ino, s.peer?))).collect()
}

/// Two connected sockets are one thing, which goes by the lower inode.
fn joined(pairs: &HashMap<u64, u64>, thing: Thing) -> Thing {
    match thing {
        Thing::Socket(ino) => Thing::Socket(pairs.get(&ino).map_or(ino, |peer| ino.min(*peer))),
        thing => thing,
    }
}

/// Everything that can be seen; not what is this shell's own.
fn links(sight: &Sight) -> Vec<Link> {
    let pairs = pairs();
    let mut links = Vec::new();
    let mut add = |thing: Thing, path: Option<&std::path::Path>, pid: i32, label: String, way| {
        let thing = joined(&pairs, thing);
        if let Some((family, object)) = thing.object(path).filter(|_| !sight.is_own(pid)) {
            let object = sight.label(family, &object);
            links.push(Link {
                thing,
                object,
                pid,
                label,
                way,
            });
        }
    };
    let open = sight.snapshot.open().all();
    for (thing, ends) in open.filter(|(thing, _)| !sight.is_wiring(*thing)) {
        for end in ends {
            let (label, way) = way_of(end);
            add(thing, end.path(), end.pid, label, way);
        }
    }
    for mapping in &sight.snapshot.mapped().found {
        let (mode, way) = match mapping.writable {
            true => ("attached rw", Way::Both),
            false => ("attached r", Way::Out),
        };
        add(
            mapping.thing,
            mapping.path.as_deref(),
            mapping.pid,
            mode.into(),
            way,
        );
    }
    for waiter in &sight.snapshot.waiters().found {
        let wakers = wakers(&sight.snapshot, waiter);
        let Some(thing) = waiter.thing.filter(|_| !is_ours(sight, waiter, &wakers)) else {
            continue;
        };
        let path = waiter.path.as_deref();
        add(thing, path, waiter.pid, sight.wait_text(waiter), Way::Waits);
        if wakers.sure == Sure::LastOperator {
            for pid in wakers.pids {
                add(thing, path, pid, "last operator".into(), Way::Holds);
            }
        }
    }
    links
}

fn way_of(end: &Descriptor) -> (String, Way) {
    let (mode, way) = match end.access {
        Some(Access::Read) => ("r ", Way::Out),
        Some(Access::Write) => ("w ", Way::In),
        Some(Access::ReadWrite) => ("rw ", Way::Both),
        _ => ("", Way::Both),
    };
    (format!("{mode}fd {}", end.fd), way)
}

fn assembled(sight: &Sight, links: &[Link]) -> Graph {
    let mut graph = Graph::default();
    // A thing has one name, whatever paths lead to it.
    let mut named: HashMap<Thing, usize> = HashMap::new();
    for link in links {
        let object = *named
            .entry(link.thing)
            .or_insert_with(|| graph.node(&link.object, false));
        let process = match command(sight, link.pid) {
            Cell::Text(command) => graph.node(&format!("{} {command}", link.pid), true),
            _ => graph.node(&link.pid.to_string(), true),
        };
        let waits = matches!(link.way, Way::Waits | Way::Holds);
        let (from, to) = match link.way {
            Way::In | Way::Both | Way::Waits => (process, object),
            Way::Out | Way::Holds => (object, process),
        };
        graph.edge(from, to, link.label.clone(), waits);
    }
    graph
}
