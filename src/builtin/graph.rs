//! `graph`: processes and objects, and who waits on what.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::look;
use super::who::command;
use super::why::{is_ours, missing};
use crate::data::{Cell, Edge, Failure, Family, Graph, Object, Outcome, Reply, counted};
use crate::exec::Builtin;
use crate::inspect::descriptors::{Access, Descriptor};
use crate::inspect::thing::Thing;
use crate::inspect::waking::{Sure, wakers};
use crate::inspect::{process, sysv, unix};
use crate::lang::{Example, Kind, Param, Rule, Signature};
use crate::mechanism::{self, Args, NS, Sight};
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
                "text where it is left out; mermaid: a flowchart; dot: for Graphviz; svg: a picture",
            ),
            Param::valued(
                "pid",
                Kind::Process { group: false },
                "only what this process or actor has, and who shares it",
            ),
            Param::valued("object", Kind::AnyRef, "only this object"),
            NS,
        ],
        rules: &[Rule::Apart(&["pid", "object"])],
        calls: &["proc_pid_fd(5)", "proc_pid_maps(5)", "proc_pid_syscall(5)"],
        notes: "An object is drawn where two processes share it, or somebody waits at it. Connected \
                Unix sockets are one. Lines go as data goes; those of who waits are dashed, and go on \
                from a semaphore to its last operator, who may hold it. The kernel counts who waits at a \
                semaphore: `?` are those of them who may not be looked into.",
        examples: &[Example {
            script: "sem create lock 0\nb: sem p lock ...\ngraph\ngraph --pid b --format mermaid\n\
                     graph --object lock --format dot\nsem v lock\nb: ... => ok",
            shows: "who waits at a semaphore, in three languages",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| graph(sight, args)),
};

/// What processes have to do with objects, and what those are called.
#[derive(Default)]
struct Links {
    all: Vec<Link>,
    objects: HashMap<Thing, String>,
}

/// What a process has to do with an object.
struct Link {
    thing: Thing,
    who: Who,
    label: String,
    way: Way,
}

/// Who has to do with an object.
#[derive(Clone, Copy, PartialEq)]
enum Who {
    /// A process.
    Pid(i32),
    /// So many threads of processes that may not be looked into.
    Unseen(u64),
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
    let wanted = match args.text("pid")? {
        Some(word) => Some(sight.process(&word)?),
        None => None,
    };
    if let Some(pid) = wanted.filter(|pid| process::threads(*pid).is_err()) {
        return Err(missing(pid));
    }
    let pairs = pairs();
    let Links {
        all: mut links,
        objects,
    } = links(sight, &pairs)?;
    let things = |links: &[Link], has: &dyn Fn(&Link) -> bool| -> HashSet<Thing> {
        let links = links.iter().filter(|link| has(link));
        links.map(|link| link.thing).collect()
    };
    let inside = things(&links, &|link| match link.who {
        Who::Pid(pid) => sight.snapshot.is_inside(pid),
        Who::Unseen(_) => true,
    });
    links.retain(|link| inside.contains(&link.thing));
    let mut empty =
        "nothing that can be seen is shared, and nobody that can be seen waits\n".into();
    if let Some(pid) = wanted {
        let its = things(&links, &|link| link.who == Who::Pid(pid));
        links.retain(|link| its.contains(&link.thing));
        empty = format!("process {pid} has nothing of IPC that can be seen\n");
    } else if let Some(reference) = args.reference("object") {
        let (family, object) = sight.find_any(reference)?;
        let only = Thing::of(family, &object).map(|thing| joined(&pairs, thing));
        links.retain(|link| Some(link.thing) == only);
        empty = "nobody that can be seen has it, or waits at it\n".into();
    } else {
        links = shared(links);
        // Ours first: a host has hundreds.
        let is_ours =
            |link: &Link| matches!(link.who, Who::Pid(pid) if sight.actors.contains_key(&pid));
        let ours = things(&links, &is_ours);
        links.sort_by_key(|link| !ours.contains(&link.thing));
    }
    sight.go_on()?;
    let graph = assembled(sight, links, &objects);
    let draw = match args.word("format") {
        Some("mermaid") => drawn::mermaid,
        Some("dot") => drawn::dot,
        Some("svg") => drawn::svg,
        _ => drawn::text,
    };
    let text = match graph.nodes.is_empty() {
        true => empty,
        false => draw(&graph),
    };
    let note = match wanted.filter(|pid| process::is_barred(*pid)) {
        Some(pid) => Some(mechanism::barred(pid).line()),
        None => sight.hidden(),
    };
    let outcome = note.into_iter().fold(Outcome::ok(), Outcome::note);
    Ok(Reply {
        outcome,
        text: Some(text),
        ..Reply::default()
    })
}

/// Those whose object two processes share, or somebody waits at.
fn shared(mut links: Vec<Link>) -> Vec<Link> {
    let mut users: HashMap<Thing, (Who, bool)> = HashMap::new();
    for link in &links {
        let (first, worth) = users.entry(link.thing).or_insert((link.who, false));
        *worth |= *first != link.who || link.way == Way::Waits;
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

/// How many links are added before it is asked whether to go on.
const STRIDE: usize = 1000;

impl Links {
    /// What is this shell's own is left out.
    fn add(&mut self, sight: &Sight, path: Option<&Path>, link: Link) -> Result<(), Failure> {
        if self.all.len().is_multiple_of(STRIDE) {
            sight.go_on()?;
        }
        if matches!(link.who, Who::Pid(pid) if sight.is_own(pid)) {
            return Ok(());
        }
        // A thing has one name, whatever paths lead to it.
        if let Entry::Vacant(unnamed) = self.objects.entry(link.thing) {
            let Some((family, object)) = link.thing.object(path) else {
                return Ok(());
            };
            unnamed.insert(called(sight, family, &object));
        }
        self.all.push(link);
        Ok(())
    }
}

/// As it can be typed. Families may have the same ids and names; a path, `pipe:[3]` and `socket:[4]`
/// say by themselves what they are.
fn called(sight: &Sight, family: Family, object: &Object) -> String {
    let label = sight.label(family, object);
    let says = matches!(object, Object::Path(_) | Object::Inode(_));
    match says && sight.name_of(family, object).is_none() {
        true => label,
        false => format!("{}.{label}", family.noun()),
    }
}

/// Everything that can be seen.
fn links(sight: &Sight, pairs: &HashMap<u64, u64>) -> Result<Links, Failure> {
    let mut links = Links::default();
    let link = |thing, pid, label, way| Link {
        thing: joined(pairs, thing),
        who: Who::Pid(pid),
        label,
        way,
    };
    let open = sight.snapshot.open().all();
    for (thing, ends) in open.filter(|(thing, _)| !sight.is_wiring(*thing)) {
        for end in ends {
            let (label, way) = way_of(end);
            links.add(sight, end.path(), link(thing, end.pid, label, way))?;
        }
    }
    for mapping in &sight.snapshot.mapped().found {
        let (mode, way) = match mapping.writable {
            true => ("attached rw", Way::Both),
            false => ("attached r", Way::Out),
        };
        let attached = link(mapping.thing, mapping.pid, mode.into(), way);
        links.add(sight, mapping.path.as_deref(), attached)?;
    }
    for waiter in &sight.snapshot.waiters().found {
        let wakers = wakers(&sight.snapshot, waiter);
        let Some(thing) = waiter.thing.filter(|_| !is_ours(sight, waiter, &wakers)) else {
            continue;
        };
        let path = waiter.path.as_deref();
        let waits = link(thing, waiter.pid, sight.wait_text(waiter), Way::Waits);
        links.add(sight, path, waits)?;
        if wakers.sure == Sure::LastOperator {
            for pid in wakers.pids {
                let holds = link(thing, pid, "last operator".into(), Way::Holds);
                links.add(sight, path, holds)?;
            }
        }
    }
    unseen_waiters(sight, &mut links)?;
    Ok(links)
}

/// Who waits at a semaphore and may not be looked into: the kernel counts all.
fn unseen_waiters(sight: &Sight, links: &mut Links) -> Result<(), Failure> {
    if sight.snapshot.waiters().unreadable == 0 {
        return Ok(());
    }
    for set in sysv::sets() {
        let thing = Thing::Sem(set.id);
        let seen = sight.snapshot.waiting_at(thing).count() as u64;
        let all = mechanism::sem::waiting(&set).unwrap_or_default();
        if let more @ 1.. = all.saturating_sub(seen) {
            let waits = Link {
                thing,
                who: Who::Unseen(more),
                label: "semop".into(),
                way: Way::Waits,
            };
            links.add(sight, None, waits)?;
        }
    }
    Ok(())
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

fn assembled(sight: &Sight, links: Vec<Link>, objects: &HashMap<Thing, String>) -> Graph {
    let mut graph = Graph::default();
    let mut things: HashMap<Thing, usize> = HashMap::new();
    let mut processes: HashMap<i32, usize> = HashMap::new();
    let labelled = |pid: i32| match command(sight, pid) {
        Cell::Text(command) => format!("{pid} {command}"),
        _ => pid.to_string(),
    };
    for link in links {
        let object = *things.entry(link.thing).or_insert_with(|| {
            let label = objects.get(&link.thing);
            graph.node(label.cloned().unwrap_or_default(), false)
        });
        let process = match link.who {
            Who::Pid(pid) => *processes
                .entry(pid)
                .or_insert_with(|| graph.node(labelled(pid), true)),
            Who::Unseen(threads) => {
                let threads = counted(threads, "thread");
                graph.node(format!("? ({threads} that cannot be seen)"), true)
            }
        };
        let (from, to) = match link.way {
            Way::In | Way::Both | Way::Waits => (process, object),
            Way::Out | Way::Holds => (object, process),
        };
        graph.edge(Edge {
            from,
            to,
            label: link.label,
            waits: matches!(link.way, Way::Waits | Way::Holds),
        });
    }
    graph
}

#[cfg(test)]
mod tests;
