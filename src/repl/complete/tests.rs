//! Partial lines and what they may become.

use super::*;

/// A session that stays as it is.
pub(in crate::repl) struct Fixed;

impl Knowledge for Fixed {
    fn catalog(&self) -> &Catalog {
        &crate::commands::commands().catalog
    }
    fn names(&self, family: Family) -> Vec<(String, Object)> {
        match family {
            Family::Msgq => vec![("jobs".into(), 7.into())],
            _ => Vec::new(),
        }
    }
    fn host(&self, _: Family) -> Vec<(i32, i32)> {
        vec![(7, 0x1234), (9, 0)]
    }
    fn actors(&self) -> Vec<Actor> {
        let actor = |name: &str, pid, pending| Actor {
            name: name.into(),
            pid,
            pending,
        };
        vec![actor("bob", 42, true), actor("ann", 43, false)]
    }
    fn variables(&self) -> Vec<(String, Outcome)> {
        vec![("msg".into(), Outcome::value(1).field("type", 2))]
    }
    fn fields(&self, kind: &str) -> Vec<&'static Column> {
        static QNUM: Column = Column::new("qnum", "messages in the queue");
        match kind {
            "msgq" => vec![&QNUM],
            _ => Vec::new(),
        }
    }
    fn keywords(&self) -> &[&'static Signature] {
        crate::builtin::KEYWORDS
    }
    fn topics(&self) -> &[Topic] {
        crate::builtin::TOPICS
    }
    fn errno(&self, _: &str) -> String {
        "an errno".into()
    }
    fn limit(&self, _: &str) -> String {
        "a limit".into()
    }
    fn paths(&self, partial: &str) -> Vec<String> {
        let paths = ["/tmp/", "/tmpfile"].into_iter();
        paths
            .filter(|p| p.starts_with(partial))
            .map(Into::into)
            .collect()
    }
    fn signals(&self) -> Vec<(i32, String)> {
        vec![(10, "USR1".into())]
    }
}

fn words(line: &str) -> Vec<String> {
    let (_, found) = candidates(line, line.len(), &Fixed);
    found.into_iter().map(|c| c.word).collect()
}

#[test]
fn what_is_typed_is_completed() {
    for (line, expected) in [
        ("ms", &["msgq"][..]),
        ("msgq", &["msgq"]),
        ("msgq se", &["send", "set"]),
        ("msgq recv jo", &["jobs"]),
        ("msgq recv id:", &["id:7", "id:9"]),
        ("msgq recv key:", &["key:0x00001234"]),
        ("msgq recv --no", &["--nowait", "--noerror"]),
        ("msgq recv jobs ma", &["max="]),
        ("msgq send jobs ", &["--nowait", "timeout="]),
        (
            "msgq send jobs 1 \"x\" ",
            &["--nowait", "timeout=", "=>", "...", "&"],
        ),
        ("msgq recv jobs .", &["..."]),
        ("msgq recv jobs ... ", &["=>"]),
        ("b: msgq recv jobs --e", &["--except"]),
        ("defer msgq recv jobs --e", &["--except"]),
        ("sock listen /tm", &["/tmp/", "/tmpfile"]),
        ("sock listen tc", &["tcp:"]),
        ("sock listen @x seq", &["seqpacket"]),
        ("sock send \"x\" --f", &["--fd"]),
        ("graph --format m", &["mermaid"]),
        ("msgq ls -o q", &["qnum"]),
        ("ipcs -q -o name,q", &["name,qnum"]),
        ("msgq ls -o qnum ", &["--ns", "=>"]),
        ("bo", &["bob:"]),
        ("bob: .", &["..."]),
        ("ann: .", &[]),
        ("bob: bo", &[]),
        ("cancel ", &["bob"]),
        ("stop ", &["bob", "ann"]),
        ("msgq recv => ENOMS", &["ENOMSG"]),
        ("msgq recv => ENOMSG ", &[]),
        ("msgq recv => EXDE", &["EXDEV"]),
        ("sem p => o", &["ok"]),
        ("bob: ... => ", &["ok", "eof"]),
        ("expect ms", &["msgq."]),
        ("let n = msgq.jo", &["msgq.jobs."]),
        ("b: let n = msgq.jobs.q", &["msgq.jobs.qnum"]),
        ("expect msgq.jo", &["msgq.jobs."]),
        ("expect msgq.q", &["msgq.qnum"]),
        ("expect msgq.jobs.q", &["msgq.jobs.qnum"]),
        ("expect msgq.jobs.qnum !", &["!="]),
        ("expect msgq.jobs.qnum == 1 w", &["within"]),
        ("expect actor.a", &["actor.ann."]),
        ("expect deadlock ", &["bob", "ann"]),
        ("expect deadlock bob ", &["ann", "within"]),
        ("expect deadlock bob within ", &[]),
        ("expect actor.ann.state == b", &["blocked"]),
        (
            "expect limits.msgmn",
            &["limits.msgmni.value", "limits.msgmnb.value"],
        ),
        ("require pr", &["program"]),
        ("timeout s", &["step"]),
        ("let x ", &["="]),
        ("source /tm", &["/tmp/", "/tmpfile"]),
        ("save /tmpf", &["/tmpfile"]),
        ("echo $ms", &["$msg"]),
        ("echo $msg.", &["$msg.type"]),
        ("help msgq se", &["send", "set"]),
        ("help ENOMS", &["ENOMSG"]),
        ("repeat 3 { msgq rec", &["recv"]),
        ("echo a; msgq rec", &["recv"]),
        ("let m = msgq rec", &["recv"]),
        ("watch ipc", &["ipcs"]),
        ("watch msgq l", &["ls"]),
        ("watch msgq re", &[]),
        ("watch ech", &[]),
        ("watch ipcs ev", &["every"]),
        ("watch ipcs every ", &[]),
        ("watch ipcs every 1s ", &["sort="]),
        ("watch ipcs so", &["sort="]),
        ("watch msgq sort=cb", &["sort=cbytes"]),
        ("watch ipcs sort=-qn", &["sort=-qnum"]),
        ("watch ipcs sort=qnum so", &[]),
        ("msgq send 1 \"jo", &[]),
        ("# ms", &[]),
        ("!ms", &[]),
        ("nonsense ", &[]),
    ] {
        let mut found = words(line);
        if line.contains("limits") {
            found.sort_by_key(|w| std::cmp::Reverse(w.clone()));
        }
        assert_eq!(found, expected, "{line}");
    }
}

#[test]
fn every_candidate_is_described_and_begins_with_what_is_typed() {
    for line in [
        "",
        "b: ",
        "msgq ",
        "sem p ",
        "expect ",
        "msgq recv => ",
        "help ",
        "shm read ",
    ] {
        let (start, found) = candidates(line, line.len(), &Fixed);
        assert!(!found.is_empty(), "{line}");
        assert_eq!(start, line.len());
        for candidate in found {
            assert!(
                !candidate.description.is_empty(),
                "{line}{}",
                candidate.word
            );
        }
    }
}

#[test]
fn the_word_under_the_cursor_is_completed_whatever_follows() {
    let (start, found) = candidates("msgq se jobs", 7, &Fixed);
    assert_eq!((start, found.len()), (5, 2));
    // Not on a character's border: nothing, and no panic.
    assert!(candidates("é", 1, &Fixed).1.is_empty());
}

#[test]
fn only_the_beginning_of_a_word_gets_no_blank_behind_it() {
    let open = |word: &&str| Candidate::new(*word, "").is_open();
    let begun = ["id:", "key:", "max=", "msgq.", "u32@", "/tmp/"];
    assert!(begun.iter().all(open));
    let whole = ["b:", "send", "--nowait", "...", "==", "=", "=>", "/tmp/x"];
    assert!(!whole.iter().any(open));
}

#[test]
fn the_errnos_of_the_command_come_first_and_mean_something_there() {
    let line = "sem p --nowait => ";
    let (_, found) = candidates(line, line.len(), &Fixed);
    let again = found.iter().find(|c| c.word == "EAGAIN");
    assert_ne!(again.map(|c| c.description.as_str()), Some("an errno"));
    assert!(again.is_some() && found.len() < 20, "{found:?}");
}
