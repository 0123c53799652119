//! What the text makes known: variables, actors, pending steps, sourced files.

use std::path::Path;
use std::sync::Arc;

use super::super::{Known, Source, parse};
use super::{drawn, is, is_not, read_from, shape, table};

#[test]
fn variables_are_bound_before_they_are_read() {
    is_not("msgq recv «$v»", "the variable `$v` is not bound");
    is_not("let v = «$v»", "the variable `$v` is not bound");
    is_not("let v = msgq recv «$v»", "the variable `$v` is not bound");
    is_not("let v = «$v».type", "the variable `$v` is not bound");
    is_not(
        "let v = \"v $v '${x}' «${v.type}»\""
            .replace(" '${x}'", "")
            .as_str(),
        "the variable `$v` is not bound",
    );
    is_not(
        "shm write cnt @0 u32:$((«v» + 1))",
        "the variable `$v` is not bound",
    );
    is_not("shm write v @0 u32:«$v»", "the variable `$v` is not bound");
    is_not(
        "msgq send 1 «$vv» => \"$v\"",
        "the variable `$vv` is not bound",
    );
    is_not("sem p v[«$v»]", "the variable `$v` is not bound");
    is_not("msgq recv => v=«$v»", "the variable `$v` is not bound");
    is_not(
        "msgq recv ...; ... => «$v»",
        "the variable `$v` is not bound",
    );
    is_not(
        "expect msgq.v.qnum == «$v»",
        "the variable `$v` is not bound",
    );
    is_not("expect «$v» == 1", "the variable `$v` is not bound");
    is_not(
        "expect sem.v[«$v»].value == 1",
        "the variable `$v` is not bound",
    );
    is_not(
        "expect shm.v.u32@«$v» == 1",
        "the variable `$v` is not bound",
    );
    is_not("repeat «$n» { sem p }", "the variable `$n` is not bound");
    is_not("watch ipcs -o «$v»", "the variable `$v` is not bound");
    is_not("!echo $v ${v} «${v.id}»", "the variable `$v` is not bound");
    is_not("echo 'v $v' «$v»", "the variable `$v` is not bound");
    is_not(
        "defer repeat 2 { let v = 1 }; echo «$v»",
        "the variable `$v` is not bound",
    );
    is(
        "let v = 1; defer repeat 2 { let v = 2 }; echo $v",
        "v := 1; defer (loop 2 (v := 2)); echo word=$v",
    );
    is("echo $me.pid", "echo word=$me.pid");
    is("b: sem p; echo $b.pid", "b: sem p; echo word=$b.pid");
    let e = is_not(
        "let value = 1; echo «$vlaue»",
        "the variable `$vlaue` is not bound",
    );
    assert_eq!(e.help.as_deref(), Some("did you mean `$value`?"));
}

#[test]
fn a_pending_actor_is_busy() {
    is_not("b: sem p ...; «b»: sem v", "`b` still has a pending step");
    is_not("sem p &; «sem» v", "`me` still has a pending step");
    let ways = |text: &str, prompt: bool| {
        let foreground = prompt.then(|| "me".to_string());
        let mut known = Known {
            prompt,
            pending: foreground.iter().cloned().collect(),
            foreground,
            ..Known::default()
        };
        read_from(text, &mut known).unwrap_err().help.unwrap()
    };
    assert_eq!(
        ways("sem v", true),
        "`cancel me` or Ctrl-C ends it; or use another actor (`b: STEP`)"
    );
    assert_eq!(
        ways("spawn x; x: sem p &; x: sem v", true),
        "`cancel x` ends it; or use another actor"
    );
    assert_eq!(
        ways("c: sem v; b: sem p &; b: sem v", false),
        "first say how the pending step ends (`b: ... => ok`), or use another actor (`c: STEP`)"
    );
    is_not(
        "b: sem p ...; «b»: repeat 2 { sem p }",
        "`b` still has a pending step",
    );
    is_not(
        "b: sem p ...; repeat 2 { «b»: sem p }",
        "`b` still has a pending step",
    );
    is_not(
        "b: repeat 2 { sem p } ...; «b»: sem v",
        "`b` still has a pending step",
    );
    is(
        "sem p ...; b: repeat 2 { sem v }",
        "sem p BLOCKS; b: loop 2 (sem v)",
    );
    is(
        "b: sem p ...; b: ...; b: sem v",
        "b: sem p BLOCKS; b: RESUMES; b: sem v",
    );
    is(
        "b: sem p &; wait b; b: sem v",
        "b: sem p BACKGROUND; wait actor=b; b: sem v",
    );
    is(
        "b: sem p ...; cancel b; b: ... => EINTR",
        "b: sem p BLOCKS; cancel actor=b; b: RESUMES => errno EINTR",
    );
    is(
        "b: sem p ...; defer b: sem v",
        "b: sem p BLOCKS; defer (b: sem v)",
    );
    is_not(
        "b: sem p ...; defer b: sem v; «b»: sem v",
        "`b` still has a pending step",
    );
    is_not("«b: ...» => ok", "`b` has no pending step");
    is_not(
        "b: sem p ...; cancel b; b: sem v; «b: ...»",
        "`b` has no pending step",
    );
    is_not(
        "defer b: sem v; expect actor.«b».state == idle",
        "there is no actor `b`",
    );
    is_not("b: sem p ...; b: ...; «b: ...»", "`b` has no pending step");
    is_not("«...»", "`me` has no pending step");
    is_not("b: sem p ...; «a: ...»", "`a` has no pending step");
}

#[test]
fn a_loop_comes_to_its_first_step_again() {
    is(
        "repeat 2 { b: sem p ...; sem v; b: ... => ok }",
        "each 2 (b: sem p BLOCKS; sem v; b: RESUMES => ok)",
    );
    let e = is_not(
        "repeat 2 { «b: sem p» ... }",
        "`b` still has a pending step",
    );
    assert_eq!(e.label, "the loop comes here again");
    is(
        "repeat 1 { b: sem p ... }; b: ...",
        "each 1 (b: sem p BLOCKS); b: RESUMES",
    );
    is_not(
        "b: sem p ...; repeat 2 { ipcs; «b: ...» }",
        "`b` has no pending step",
    );
    is(
        "repeat 2 { b: sem p &; wait b }",
        "each 2 (b: sem p BACKGROUND; wait actor=b)",
    );
}

#[test]
fn after_spawn_every_name_is_known() {
    is(
        "spawn a b; a: sem p; b: sem v; me: sem p; sem p",
        "spawn actor=a actor=b; a: sem p; b: sem v; me: sem p; sem p",
    );
    let e = is_not(
        "spawn worker; «wroker»: sem p",
        "there is no actor `wroker`",
    );
    assert_eq!(e.help.as_deref(), Some("did you mean `worker`?"));
    is_not("spawn a; «zebra»@1s: sem p", "there is no actor `zebra`");
    is_not("spawn a; wait a «b»", "there is no actor `b`");
    is_not("stop «b»", "there is no actor `b`");
    is_not("expect actor.«b».state == idle", "there is no actor `b`");
    is_not("expect deadlock me «b»", "there is no actor `b`");
    is("b: sem p; stop b", "b: sem p; stop actor=b");
}

#[test]
fn the_prompt_goes_on_where_it_was() {
    let mut known = Known::default();
    read_from("let v = 1; b: sem p ...", &mut known).unwrap();
    read_from("echo $v", &mut known).unwrap();
    assert!(read_from("b: sem v", &mut known).is_err());
    read_from("b: ... => ok", &mut known).unwrap();
    read_from("b: sem v", &mut known).unwrap();
}

#[test]
fn the_directory_of_the_session_is_asked_for_where_it_is_read() {
    let work = |_: &Path, _: &Source| Ok(Source::new("work.ipc", "echo $WORK"));
    for (text, uses) in [
        ("echo $WORK", true),
        ("save $WORK/a.ipc", true),
        ("echo \"${WORK}/a\"", true),
        ("msgq send 1 file\"${WORK}/a\"", true),
        ("defer echo $WORK", true),
        ("!ls $WORK", true),
        ("!sh -c 'echo ${WORK%/}'", true),
        ("!printenv WORK", true),
        ("source work.ipc", true),
        ("echo WORK '$WORK' \"$WORK\"", false),
        ("# $WORK", false),
        ("!echo NETWORK $WORKER", false),
        ("let WORK = 5; echo $WORK; !echo $WORK", false),
    ] {
        let source = Arc::new(Source::new("main", text));
        let program = parse(source, table(), &mut Known::default(), &work).unwrap();
        assert_eq!(program.uses_work, uses, "{text}");
    }
}

#[test]
fn a_loop_comes_to_a_sourced_file_again() {
    let loader = |_: &Path, _: &Source| Ok(Source::new("lib", "b: sem p ...\n"));
    for (text, passes) in [
        ("repeat 2 { source lib }", false),
        ("repeat 2 { source lib; b: ... }", true),
        ("repeat 1 { source lib }", true),
    ] {
        let source = Arc::new(Source::new("main", text));
        match parse(source, table(), &mut Known::default(), &loader) {
            Ok(_) => assert!(passes, "{text}"),
            Err(e) => {
                assert!(!passes, "{text}: {}", e.message);
                assert_eq!(drawn(&e), "repeat 2 { «source lib» }");
                assert_eq!(e.message, "`b` still has a pending step");
            }
        }
    }
}

#[test]
fn sourced_files_are_part_of_the_program() {
    let files = |path: &Path, from: &Source| match path.to_str().unwrap() {
        "set.ipc" => Ok(Source::new("dir/set.ipc", "let v = 1\nb: sem p ...\n")),
        "a b.ipc" => Ok(Source::new("a b.ipc", "quit")),
        "bad.ipc" => Ok(Source::new("bad.ipc", "quit\nmsgq snd 1\n")),
        "open.ipc" => Ok(Source::new("open.ipc", "repeat 2 {\n")),
        "outer.ipc" => Ok(Source::new("outer.ipc", "source bad.ipc")),
        "self.ipc" => Ok(Source::new("self.ipc", "quit\nsource self.ipc")),
        _ => Err(format!("not found from {}", from.name)),
    };
    let read = |text: &str| {
        let source = Arc::new(Source::new("main", text));
        parse(source, table(), &mut Known::default(), &files)
    };
    let good = read("source set.ipc; echo $v; b: ...; source 'a b.ipc'").unwrap();
    assert_eq!(
        shape::program(&good),
        "source dir/set.ipc (v := 1; b: sem p BLOCKS); echo word=$v; b: RESUMES; source a b.ipc (quit)"
    );
    for (text, name, place, message) in [
        (
            "source none.ipc",
            "main",
            "source «none.ipc»",
            "cannot read `none.ipc`: not found from main",
        ),
        (
            "source bad.ipc",
            "bad.ipc",
            "quit\nmsgq «snd» 1\n",
            "`msgq` has no verb `snd`",
        ),
        (
            "source outer.ipc",
            "bad.ipc",
            "quit\nmsgq «snd» 1\n",
            "`msgq` has no verb `snd`",
        ),
        (
            "source open.ipc",
            "open.ipc",
            "repeat 2 «{»\n",
            "this block is never closed",
        ),
        (
            "source self.ipc",
            "self.ipc",
            "quit\n«source» self.ipc",
            "files source each other too deeply",
        ),
        (
            "source \"a${v}\"",
            "main",
            "source «\"a${v}\"»",
            "the file is read before the program runs, so its path cannot be computed",
        ),
        (
            "source $WORK/a",
            "main",
            "source «$WORK/a»",
            "the file is read before the program runs, so its path cannot be computed",
        ),
        (
            "source",
            "main",
            "source«»",
            "the path of a file is missing",
        ),
        (
            "b: source set.ipc",
            "main",
            "«b»: source set.ipc",
            "`source` runs in the shell, not in an actor",
        ),
    ] {
        let e = read(text).expect_err(text);
        assert_eq!(
            (&*e.source.name, drawn(&e).as_str(), e.message.as_str()),
            (name, place, message)
        );
        assert!(!e.incomplete, "{text}");
    }
}
