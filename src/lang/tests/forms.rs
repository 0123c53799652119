//! What is understood, form by form.

use super::{is, is_not, read};

#[test]
fn steps() {
    is("sem p lock", "sem p set=lock");
    is("b: sem p lock", "b: sem p set=lock");
    is("b: sem p lock ...", "b: sem p set=lock BLOCKS");
    is(
        "b: sem p lock ...; b: ... => ok",
        "b: sem p set=lock BLOCKS; b: RESUMES => ok",
    );
    is("b: sem p lock &", "b: sem p set=lock BACKGROUND");
    is("sem p lock ...; ...", "sem p set=lock BLOCKS; me: RESUMES");
    is("sem p ... => EINTR", "sem p BLOCKS => errno EINTR");
    is("b@500ms: msgq recv", "b@500ms: msgq recv");
    is(
        "b@2s: sem p ...; b@1m: ...",
        "b@2s: sem p BLOCKS; b@60s: RESUMES",
    );
    is(
        "let v = shm read cnt u32@0",
        "v := shm read segment=cnt place=u32@0",
    );
    is(
        "b: let v = msgq recv ... => 5",
        "b: v := msgq recv BLOCKS => 5",
    );
    is("msgq", "msgq ls");
    is("", "");
}

#[test]
fn statements_end_and_go_on() {
    is("msgq ls;ipcs\nquit", "msgq ls; ipcs; quit");
    is(";;\n\n;msgq ls;\n", "msgq ls");
    is("msgq ls\r\nipcs\r\n", "msgq ls; ipcs");
    is(
        "msgq send \\\n 1 \\\r\n \"a\"",
        "msgq send type=1 data=\"a\"",
    );
    is("msgq\\\nls", "msgq ls");
    is("msgq ls # not this\n# nor this\nipcs", "msgq ls; ipcs");
    is("#!/usr/bin/env ipcsh\nquit", "quit");
    is("echo a#b # c", "echo word=\"a#b\"");
    is("# a comment ends here \\\nquit", "quit");
    is("msgq send 1 \"a\nb\"", "msgq send type=1 data=\"a\\nb\"");
    is("\u{feff}quit", "quit");
}

#[test]
fn words() {
    for (written, value) in [
        ("42", "42"),
        ("-3", "-3"),
        ("0x1f", "31"),
        ("0o17", "15"),
        ("64K", "65536"),
        ("1M", "1048576"),
        ("50ms", "50ms"),
        (
            r#""a\n\x00\u{e9}\t\r\0\e\a\\\"\'\$""#,
            "\"a\\n\\x00é\\t\\r\\x00\\x1b\\x07\\\\\\\"'\\$\"",
        ),
        (r"'raw\n$v ${v}'", r#""raw\\n\$v \${v}""#),
        (r#"x"00 ff 0a""#, r#"x"00 ff 0a""#),
        (r#"x'6869'"#, r#""hi""#),
        (r#"file"payload.bin""#, r#"file "payload.bin""#),
        (r#"file'a${b}'"#, r#"file "a\${b}""#),
        ("u8:255", r#"x"ff""#),
        ("u16:0x4141", r#""AA""#),
        ("i8:-1", r#"x"ff""#),
        ("u32:$w", "u32:$w"),
        ("u32:$((w + 1))", "u32:($w Add 1)"),
        ("$((w + 1))", "($w Add 1)"),
        (
            "$(($w.type * -2 + (3 << 1)))",
            "(($w.type Mul -2) Add (3 Shl 1))",
        ),
        ("$w", "$w"),
        ("${w}", "$w"),
        ("$w.type", "$w.type"),
        (r#""<${w}${w.type}>""#, r#""<"+$w+$w.type+">""#),
        (r#""5$ \${w} $w""#, r#""5\$ \${w} \$w""#),
        ("\"é→\"", "\"é→\""),
        ("\"\"", "\"\""),
    ] {
        is(
            &format!("let w = 1; let v = {written}"),
            &format!("w := 1; v := {value}"),
        );
    }
}

#[test]
fn references() {
    is("msgq recv jobs", "msgq recv queue=jobs");
    is("msgq recv id:32768", "msgq recv queue=id:32768");
    is("msgq recv key:0x1234", "msgq recv queue=key:4660");
    is("msgq recv key:/path,1", "msgq recv queue=ftok(/path, 1)");
    is("msgq recv msgq.jobs", "msgq recv queue=msgq.jobs");
    is("sem p set[2]", "sem p set=set[2]");
    is(
        "let i = 1; sem p set[$((i + 1))]",
        "i := 1; sem p set=set[($i Add 1)]",
    );
    is(
        "let q = 5; msgq recv id:$q",
        "q := 5; msgq recv queue=id:$q",
    );
    is("who sem.lock", "who object=sem.lock");
    is("msgq create key:0x7", "msgq create queue=key:7");
}

#[test]
fn arguments() {
    is("msgq send 1 \"hi\"", "msgq send type=1 data=\"hi\"");
    is(
        "msgq send jobs 1 \"hi\"",
        "msgq send queue=jobs type=1 data=\"hi\"",
    );
    is(
        "msgq send --nowait jobs 1 'x'",
        "msgq send --nowait queue=jobs type=1 data=\"x\"",
    );
    is(
        "msgq recv 2 max=64K --noerror",
        "msgq recv type=2 max=65536 --noerror",
    );
    is("msgq recv -3", "msgq recv type=-3");
    is(
        "msgq create jobs mode=0600 qbytes=1M",
        "msgq create queue=jobs mode=384 qbytes=1048576",
    );
    is("shm create 4K", "shm create size=4096");
    is(
        "shm write @0 u32:5",
        "shm write place=@0 data=\"\\x05\\x00\\x00\\x00\"",
    );
    is(
        "shm write cnt u32@8 41",
        "shm write segment=cnt place=u32@8 data=41",
    );
    is("shm write \"data\"", "shm write data=\"data\"");
    is("shm read cnt 16", "shm read segment=cnt length=16");
    is("sem p", "sem p");
    is(
        "sem p set[2] 1 --nowait timeout=50ms",
        "sem p set=set[2] n=1 --nowait timeout=50ms",
    );
    is(
        "sem op s 0:-1 1:+1u 2:0n 3:-2un",
        "sem op set=s op=0:-1 op=1:1u op=2:0n op=3:-2un",
    );
    is("ipcs -q", "ipcs --queues");
    is(
        "ipcs -qm -i 7 -o id,key",
        "ipcs --queues --segments id=7 columns=\"id,key\"",
    );
    is("ipcs -qi 7", "ipcs --queues id=7");
    is("ipcs --queues", "ipcs --queues");
    is("spawn a b", "spawn actor=a actor=b");
    is(
        "watch ipcs -q every 2s",
        "watch command=(ipcs --queues | ipcs -q) every=every period=2s",
    );
    is("watch msgq", "watch command=(msgq ls | msgq)");
    is(
        "watch ipcs -q sort=-qnum every 2s",
        "watch command=(ipcs --queues | ipcs -q) sort=\"-qnum\" every=every period=2s",
    );
    is(
        "echo a 1 \"b\" $WORK/x",
        "echo word=\"a\" word=\"1\" word=\"b\" word=$WORK word=\"\""
            .replace(" word=$WORK word=\"\"", " word=\"\"+$WORK+\"/x\"")
            .as_str(),
    );
    is("save $WORK/a.ipc", "save file=\"\"+$WORK+\"/a.ipc\"");
    is("sleep 50ms", "sleep duration=50ms");
}

#[test]
fn outcomes() {
    for (written, shape) in [
        ("ok", "ok"),
        ("eof", "eof"),
        ("ENOMSG", "errno ENOMSG"),
        ("E2BIG", "errno E2BIG"),
        ("error", "errno error"),
        ("died", "errno died"),
        ("42", "42"),
        ("-1", "-1"),
        ("\"hi\"", "\"hi\""),
        ("type=2 \"hi\"", "type=2 \"hi\""),
        ("type=2", "type=2"),
        (
            "a=1 b=word c=\"x\" re\"y\"",
            "a=1 b=word word c=\"x\" re\"y\"",
        ),
        ("type=re\"2|3\"", "type=re\"2|3\""),
        ("glob\"a*\"", "glob\"a*\""),
        ("x\"00\"", "\"\\x00\""),
        ("u32:5", "\"\\x05\\x00\\x00\\x00\""),
        ("50ms", "50ms"),
        ("$((1 + 1))", "2"),
    ] {
        is(
            &format!("msgq recv => {written}"),
            &format!("msgq recv => {shape}"),
        );
    }
    is("msgq recv =>\"hi\"", "msgq recv => \"hi\"");
}

#[test]
fn expectations() {
    for (written, shape) in [
        ("msgq.jobs.qnum == 3", "msgq.jobs qnum Eq 3"),
        (
            "sem.lock.value == 0 within 1s",
            "sem.lock value Eq 0 within 1s",
        ),
        ("sem.set[2].ncnt != 1", "sem.set[2] ncnt Ne 1"),
        ("shm.cnt.u32@8 == 42", "shm.cnt u32@8 Eq 42"),
        ("shm.cnt.size <= 4K", "shm.cnt size Le 4096"),
        ("shm.size < 4", "shm.CURRENT size Lt 4"),
        ("msgq.id:5.qnum >= 1", "msgq.id:5 qnum Ge 1"),
        (
            "msgq.\"key:/a.b,1\".qnum > 0",
            "msgq.ftok(/a.b, 1) qnum Gt 0",
        ),
        (
            "actor.me.state == blocked",
            "actor me state Eq word blocked",
        ),
        (
            "actor.me.call ~ re\"semop lock\"",
            "actor me call Matches re\"semop lock\"",
        ),
        ("limits.msgmax.value >= 8192", "limit msgmax value Ge 8192"),
        ("$((1 + 1)) == 2", "2 Eq 2"),
        ("deadlock me", "deadlock me"),
        ("deadlock me me within 2s", "deadlock me me within 2s"),
        ("msgq.jobs.perms == 0600", "msgq.jobs perms Eq 600"),
    ] {
        is(&format!("expect {written}"), &format!("expect {shape}"));
    }
}

#[test]
fn the_systems_shell() {
    is("!date", "host \"date\"");
    is("! ipcs -q | wc -l  ", "host \"ipcs -q | wc -l\"");
    is("!false => exit=1", "host \"false\" => exit=1");
    is(
        "!kill -9 $$ => signal=SIGKILL",
        "host \"kill -9 \\$\\$\" => signal=word SIGKILL",
    );
    is("!true => ok\r\nquit", "host \"true\" => ok; quit");
    is("!sleep 9 &", "host \"sleep 9\" BACKGROUND");
    is("!echo a&", "host \"echo a&\"");
    is("!a && b; c # d", "host \"a && b; c # d\"");
    is("let x = !date", "x := host \"date\"");
    is(
        "let m = 1; !echo ${m} ${m.pid} \"${m.id}\"",
        "m := 1; host \"echo \\${m} \"+$m.pid+\" \\\"\"+$m.id+\"\\\"\"",
    );
    is("!echo \"a => ok\"", "host \"echo \\\"a => ok\\\"\"");
    is(
        "!awk '{ print $1 => 3 }'",
        "host \"awk '{ print \\$1 => 3 }'\"",
    );
    is("!\"my program\" x", "host \"\\\"my program\\\" x\"");
    is("!echo é", "host \"echo é\"");
    // A `\` continues the line here too, and is left to the system's shell.
    let joined = "host \"echo a \\\\\\nb\"";
    is("!echo a \\\nb\nquit", &format!("{joined}; quit"));
    is("!echo a \\\r\nb\r\nquit", &format!("{joined}; quit"));
    is("!echo a \\\nb => ok", &format!("{joined} => ok"));
    is("!echo a\\\\\nquit", "host \"echo a\\\\\\\\\"; quit");
    is("!echo a \\\n  \nquit", "host \"echo a\"; quit");
    is("!echo a \\\n", "host \"echo a\"");
}

#[test]
fn loops() {
    is("repeat 3 { msgq recv }", "loop 3 (msgq recv)");
    is("b: repeat 3 { msgq recv }", "b: loop 3 (msgq recv)");
    is("b: repeat 3 { b: msgq recv }", "b: loop 3 (msgq recv)");
    is("repeat 2 { b: msgq recv }", "each 2 (b: msgq recv)");
    is(
        "repeat 2 { msgq recv; b: msgq recv }",
        "each 2 (msgq recv; b: msgq recv)",
    );
    is("repeat 2 { ipcs }", "each 2 (ipcs)");
    is("repeat 2 {\n!date\n}", "each 2 (host \"date\")");
    is(
        "repeat 2 { expect msgq.a.qnum == 0 }",
        "each 2 (expect msgq.a qnum Eq 0)",
    );
    is(
        "b: repeat 2 { let n = 5\n msgq send 1 \"a\" => ok; repeat $n { sem v } } ... => ok",
        "b: loop 2 (n := 5; msgq send type=1 data=\"a\" => ok; loop $n (sem v)) BLOCKS => ok",
    );
    is("repeat 2 { repeat 3 { sem p } }", "loop 2 (loop 3 (sem p))");
    is(
        "repeat 2 { a: repeat 3 { sem p } }",
        "each 2 (a: loop 3 (sem p))",
    );
    is("repeat 0 { }", "loop 0 ()");
    is("repeat 1K {sem p}", "loop 1024 (sem p)");
}

#[test]
fn settings() {
    is("timeout step 5s", "timeout 5s");
    is("defer msgq rm jobs", "defer (msgq rm queue=jobs)");
    is("defer !rm -f x", "defer (host \"rm -f x\")");
    is("defer repeat 2 { sem v }", "defer (loop 2 (sem v))");
    is("require root", "require root");
    is("require program python3", "require program python3");
    is(
        "require !test -e /dev/mqueue",
        "require host \"test -e /dev/mqueue\"",
    );
    is(
        "require limits.msgmax.value >= 8192",
        "require limit msgmax value Ge 8192",
    );
}

/// Spans are what is shown: from the first to the last character, and no more.
#[test]
fn spans() {
    let text =
        "  b: sem p lock ...   # c\n\tb: ...  =>  ok  # d\nrepeat 2 { ipcs }  ; !date  => ok  ";
    let program = read(text).unwrap();
    let spans: Vec<&str> = program.statements.iter().map(|s| s.span.of(text)).collect();
    assert_eq!(
        spans,
        [
            "b: sem p lock ...",
            "b: ...  =>  ok",
            "repeat 2 { ipcs }",
            "!date  => ok"
        ]
    );
    let text = "let v = msgq recv --nowait & => type=1 \"a\" # x";
    let program = read(text).unwrap();
    let super::super::StatementKind::Step(step) = &program.statements[0].kind else {
        panic!("{program:?}");
    };
    assert_eq!(step.text.of(text), "let v = msgq recv --nowait");
    assert_eq!(step.claim_text.unwrap().of(text), "type=1 \"a\"");
    assert_eq!(step.work.span.of(text), &text[..text.len() - 4]);
    let text = "require root   # x\nrepeat 2 { sem p } & => ok # y\nx@1s: sem v &;x: ... => 5 #z";
    let program = read(text).unwrap();
    let texts: Vec<(&str, &str)> = program
        .statements
        .iter()
        .map(|s| match &s.kind {
            super::super::StatementKind::Require(r) => (r.text.of(text), ""),
            super::super::StatementKind::Step(s) => {
                (s.text.of(text), s.claim_text.map_or("", |c| c.of(text)))
            }
            super::super::StatementKind::Resume(r) => {
                (r.text.of(text), r.claim_text.map_or("", |c| c.of(text)))
            }
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        texts,
        [
            ("root", ""),
            ("repeat 2 { sem p }", "ok"),
            ("x@1s: sem v", ""),
            ("x: ...", "5")
        ]
    );
}

#[test]
fn sockets_have_addresses_and_send_descriptors() {
    is(
        "sock listen /tmp/s dgram",
        "sock listen address=\"/tmp/s\" kind=dgram",
    );
    is("sock listen @x", "sock listen address=\"@x\"");
    is(
        "sock listen tcp:[::1]:80",
        "sock listen address=\"tcp:[::1]:80\"",
    );
    is("sock listen \"a b\"", "sock listen address=\"a b\"");
    is(
        "sock send tcp:127.0.0.1:0 \"x\" to=./d --fd p.w --fd fifo./tmp/f",
        "sock send socket=path:\"tcp:127.0.0.1:0\" data=\"x\" to=\"./d\" fd=p Write \
         fd=fifo.path:\"/tmp/f\"",
    );
    is(
        "sock send \"x\" --fd pipe.r",
        "sock send data=\"x\" fd=pipe.r",
    );
    // What must follow is not taken for what may stand before it.
    is("sock shutdown w", "sock shutdown direction=w");
    is("sock shutdown w rw", "sock shutdown socket=w direction=rw");
    let listens = is_not("sock listen «s»", "this is not the argument ADDRESS");
    let help = "a path has a slash, `./s`; an abstract name is written `@s`";
    assert!(listens.help.unwrap().contains(help));
    is_not("sock listen «@»", "this is not the argument ADDRESS");
    let message = "`localhost` is not a host and a port";
    is_not("sock listen tcp:«localhost»", message);
    let message = "`localhost:70000` is not a host and a port";
    is_not("sock listen tcp:«localhost:70000»", message);
    is_not("sock send \"x\" «--fd»", "`--fd` needs a value after it");
    let message = "`id:7` is not used through a descriptor";
    is_not("sock send \"x\" --fd «id:7»", message);
    let message = "`msgq.q` is not used through a descriptor";
    is_not("sock send \"x\" --fd «msgq.q»", message);
}
