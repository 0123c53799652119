use std::os::fd::AsFd;

use nix::sys::signal::{Signal, raise};

use super::*;
use crate::kernel::pipe;
use crate::kernel::signal::SignalFd;
use crate::lang::Env;
use crate::session::Names;

#[test]
fn a_signal_that_has_come_ends_it_and_is_left_to_the_session() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let mut sight = Sight::new(&names, &env, &actors);
    let _something_to_see = pipe::create().unwrap();
    let signals = SignalFd::new(&[Signal::SIGUSR1 as i32]).unwrap();
    sight.signals = Some(signals.as_fd());
    assert!(links(&sight, &HashMap::new()).is_ok());
    raise(Signal::SIGUSR1).unwrap();
    let failure = links(&sight, &HashMap::new()).err();
    assert_eq!(failure, Some(Failure::refused("interrupted")));
    assert_eq!(
        signals.read().unwrap().map(|signal| signal.signo),
        Some(Signal::SIGUSR1 as i32)
    );
}

/// The first objects of an IPC namespace all have the id 0.
#[test]
fn objects_of_one_number_are_told_apart_by_their_families() {
    let (names, env, actors) = (Names::default(), Env::default(), HashMap::new());
    let sight = Sight::new(&names, &env, &actors);
    let mut links = Links::default();
    for thing in [Thing::Msgq(0), Thing::Shm(0), Thing::Sem(0), Thing::Pipe(0)] {
        let link = Link {
            thing,
            who: Who::Pid(1),
            label: "waits".into(),
            way: Way::Waits,
        };
        links.add(&sight, None, link).unwrap();
    }
    let graph = assembled(&sight, links.all, &links.objects);
    let objects = graph.nodes.iter().filter(|node| !node.is_process);
    let objects: Vec<&str> = objects.map(|node| node.label.as_str()).collect();
    assert_eq!(objects, ["msgq.id:0", "shm.id:0", "sem.id:0", "pipe:[0]"]);
    assert_eq!((graph.nodes.len(), graph.edges().len()), (5, 4));
    for written in [
        drawn::text(&graph),
        drawn::mermaid(&graph),
        drawn::dot(&graph),
        drawn::svg(&graph),
    ] {
        assert!(
            objects.iter().all(|object| written.contains(object)),
            "{written}"
        );
    }
}
