//! Everything that is shown as a script is run as one: the examples, the examples in the
//! command table, the README, and the transcripts of all of them.

mod harness;

use harness::{passes, root, run};
use ipcsh::commands;

#[test]
fn every_example_passes_and_so_does_its_transcript() {
    let mut files: Vec<_> = std::fs::read_dir(root().join("examples"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let transcript = passes(&std::fs::read_to_string(&file).unwrap()).out;
        assert!(!transcript.is_empty(), "{}", file.display());
        passes(&transcript);
    }
}

#[test]
fn every_example_of_the_command_table_passes() {
    let mut shown = 0;
    for signature in commands::signatures() {
        for example in signature.examples {
            let transcript = passes(example.script).out;
            passes(&transcript);
            shown += 1;
        }
    }
    assert!(shown > 30, "only {shown} examples");
}

#[test]
fn every_script_in_the_readme_passes() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let blocks: Vec<&str> = readme
        .split("```ipc\n")
        .skip(1)
        .filter_map(|rest| rest.split("```").next())
        .collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        passes(block);
    }
}

#[test]
fn error_is_any_failure() {
    harness::passes(
        "msgq create q\nmsgq recv q --nowait => error\nmsgq recv none => error\n\
         b: msgq recv q ...\n!kill -9 ${b.pid}\nb: ... => error",
    );
    let ran = harness::script("msgq create q => error");
    assert_eq!(ran.code, Some(1), "{}", ran.err);
}

#[test]
fn a_variable_that_no_environment_can_hold_is_not_lost_in_silence() {
    passes("let v = x\"610062\"\nlet vx = 7\n!test \"$vx\" = 7 => exit=0\n");
    for named in ["$v", "${v}", "$v.x"] {
        let ran = run(
            &["-"],
            format!("let v = x\"610062\"\n!echo {named}\n").as_bytes(),
        );
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.err.contains("`v` holds a NUL byte"), "{ran:?}");
    }
}
