//! `ns`: the namespaces of the host, and who is in them.

use super::look;
use super::who::{command, user};
use crate::data::{Cell, Column, Failure, Identity, Reply, Table};
use crate::exec::Builtin;
use crate::inspect::namespaces::{self, KINDS, Members, Namespace};
use crate::kernel::namespace::Kind as Which;
use crate::lang::{Arg, Example, Kind, Param, Signature};
use crate::mechanism::{self, Args, Sight};

pub(super) static NS: Builtin = Builtin {
    signature: Signature {
        name: "ns",
        summary: "list the namespaces that IPC objects are in, with their processes and containers",
        looks: true,
        params: &[Param::any(
            "type",
            Kind::Choice(&["ipc", "mnt", "net"]),
            "only these: ipc has System V objects and POSIX queues; mnt paths, and so FIFOs, socket \
             files, POSIX segments and semaphores; net sockets and abstract names",
        )],
        calls: &["proc_pid_ns(5)", "setns(2)", "cgroups(7)"],
        notes: "With --ns PID, as in `ipcs --ns PID`, a command looks from inside the IPC, the mount and \
                the network namespace of that process: a helper joins them, and its answer is shown as \
                any other. It takes CAP_SYS_ADMIN, or to be who made the user namespace that owns them.\n\
                Pids are ours, as no pid namespace is joined; users are named as in our /etc/passwd; \
                names of this session count where they mean the same object. Pipes, FIFOs and waits are \
                those of the processes in there.\n\
                Nothing in there changes: the helper has a copy of the mounts, with our /proc in it.\n\
                A container is known by its control group, as docker, podman, containerd, cri-o, lxc and \
                systemd-nspawn name them.",
        examples: &[Example {
            script: "ns\nns ipc",
            shows: "all three types, and one",
        }],
        ..Signature::NEW
    },
    run: |engine, args, _| look(engine, |sight| ns(sight, args)),
};

static ID: Column = Column::new(
    "id",
    "the inode that names it, as in /proc/PID/ns and lsns(8)",
)
.identity(Identity::Strong);
static TYPE: Column = Column::new("type", "ipc, mnt or net");
static PROCESSES: Column = Column::new("processes", "how many processes are in it");
static PID: Column = Column::new("pid", "the one of them with the lowest pid");
static COMMAND: Column = Column::new("command", "its command, or the actor's name");
static USER: Column = Column::new("user", "its effective user").spare(5);
static CONTAINER: Column = Column::new(
    "container",
    "the containers of its processes, as their control groups tell",
);
static OURS: Column = Column::new("ours", "yes: this shell is in it");
static PATH: Column = Column::new(
    "path",
    "where it is mounted, so that it stays without a process: ip-netns(8)",
);

fn ns(sight: &Sight, args: &Args) -> Result<Reply, Failure> {
    let named = |kind: &&Which| {
        let is_it = |arg: &Arg| matches!(arg, Arg::Word(word) if word == kind.name());
        args.all("type").any(is_it)
    };
    let mut kinds: Vec<Which> = KINDS.iter().filter(named).copied().collect();
    if kinds.is_empty() {
        kinds = KINDS.to_vec();
    }
    let all = namespaces::all(&kinds);
    let columns = vec![
        &ID, &TYPE, &PROCESSES, &PID, &COMMAND, &USER, &CONTAINER, &OURS, &PATH,
    ];
    let mut table = Table::new("ns", "Namespaces", columns);
    for namespace in &all.found {
        table.push(row(sight, namespace));
    }
    let mut unseen = 0;
    for members in &all.hidden {
        unseen += members.pids.len();
        let mut row = vec![Cell::Unknown, Cell::Unknown];
        row.extend(people(sight, members));
        row.extend([Cell::Unknown, Cell::Nothing]);
        table.push(row);
    }
    table.footer.extend(mechanism::unseen(unseen));
    Ok(table.into())
}

fn row(sight: &Sight, namespace: &Namespace) -> Vec<Cell> {
    use std::os::unix::ffi::OsStrExt;
    let path = namespace.path.as_ref();
    let mut row = vec![Cell::from(namespace.id), Cell::text(namespace.kind.name())];
    row.extend(people(sight, &namespace.members));
    row.push(match namespace.ours {
        true => Cell::text("yes"),
        false => Cell::Nothing,
    });
    row.push(path.map_or(Cell::Nothing, |p| {
        Cell::Name(p.as_os_str().as_bytes().to_vec())
    }));
    row
}

/// How many, the first of them, and their containers.
fn people(sight: &Sight, members: &Members) -> [Cell; 5] {
    let first = members.pids.first().copied();
    let containers = members.containers.iter().cloned().map(Cell::Text);
    [
        Cell::from(members.pids.len()),
        first.map_or(Cell::Nothing, Cell::from),
        first.map_or(Cell::Nothing, |pid| command(sight, pid)),
        first.map_or(Cell::Nothing, |pid| user(sight, pid)),
        match members.containers.is_empty() {
            true => Cell::Nothing,
            false => Cell::List(containers.collect()),
        },
    ]
}
