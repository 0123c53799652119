//! Users and hosts that no file names: getent(1) is asked, and this process loads no name service.

mod harness;

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use harness::Ran;

/// Runs a script in which getent(1) is this one, of sh.
fn with_getent(program: &str, text: &str) -> Ran {
    let directory = tempfile::tempdir().unwrap();
    let getent = directory.path().join("getent");
    std::fs::write(&getent, format!("#!/bin/sh\n{program}\n")).unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&getent, executable).unwrap();
    let rest = std::env::var("PATH").unwrap_or_default();
    let ran = harness::command(&["-c", text])
        .env("PATH", format!("{}:{rest}", directory.path().display()))
        .output();
    ran.unwrap().into()
}

/// The functions of the C library that load name services: a program linked statically crashes in them.
#[test]
fn no_function_that_loads_name_services_is_linked() {
    let Ok(listed) = Command::new("nm").arg(harness::program()).output() else {
        println!("skipped: there is no nm(1)");
        return;
    };
    let listed = String::from_utf8_lossy(&listed.stdout);
    // Of a dynamic one: `getaddrinfo@GLIBC_2.2.5`.
    let names = listed
        .lines()
        .filter_map(|line| line.split_whitespace().last());
    let names: Vec<&str> = names.filter_map(|name| name.split('@').next()).collect();
    if !names.contains(&"main") {
        println!("skipped: the program has no symbols");
        return;
    }
    for symbol in [
        "getaddrinfo",
        "getpwnam_r",
        "getpwuid_r",
        "getgrnam_r",
        "getgrgid_r",
        "getgrouplist",
        "initgroups",
    ] {
        assert!(!names.contains(&symbol), "{symbol}");
    }
}

#[test]
fn a_user_whom_no_file_names_is_a_number_or_what_getent_says() {
    let me = ipcsh::kernel::process::geteuid();
    if me != 0 {
        println!("skipped: only root may give an object away");
        return;
    }
    let text = "msgq create q; msgq set owner=3999999; ipcs -q; msgq rm";
    let ran = with_getent("exit 2", text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("3999999"), "{ran:?}");
    let knows = r#"case "$1 $2" in "passwd 3999999" | "passwd ghost") echo "ghost:x:3999999:1::/:" ;; *) exit 2 ;; esac"#;
    let ran = with_getent(knows, &text.replace("owner=3999999", "owner=ghost"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains("ghost") && !ran.out.contains("3999999"),
        "{ran:?}"
    );
    let ran = with_getent("exit 2", &text.replace("owner=3999999", "owner=ghost"));
    assert!(ran.err.contains("there is no user `ghost`"), "{ran:?}");
}

#[test]
fn a_host_is_what_getent_says_the_older_kind_first() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("sock connect tcp:server.example:{port} name=c; sock info c");
    let knows = r#"[ "$1 $2" = "ahosts server.example" ] || exit 2
        echo "::1 STREAM server.example"; echo "127.0.0.1 STREAM"; echo "fe80::1%eth0 RAW""#;
    let ran = with_getent(knows, &text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.out.contains(&format!("tcp:127.0.0.1:{port}")),
        "{ran:?}"
    );
    let ran = with_getent("exit 2", &text);
    assert!(ran.err.contains("nobody knows the host"), "{ran:?}");
}

/// A name server may take as long as it likes: the step is interrupted all the same, and getent(1) ends.
#[test]
fn a_host_that_is_slowly_looked_up_can_be_given_up() {
    let directory = tempfile::tempdir().unwrap();
    let told = directory.path().join("pid");
    let slow = format!("echo $$ > {}; exec sleep 1000", told.display());
    let wait = format!("!until test -s {}; do sleep 0.01; done", told.display());
    let text = format!("b: sock connect tcp:slow.example:9 &\n{wait}\ncancel b\n");
    let ran = with_getent(&slow, &text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.out, "EINTR\n", "{ran:?}");
    let pid = std::fs::read_to_string(&told).unwrap();
    assert!(!ipcsh::inspect::process::pids().any(|p| p.to_string() == pid.trim()));
}

#[test]
fn a_number_beyond_all_users_is_nobody_whatever_getent_makes_of_it() {
    let root = "echo root:x:0:0::/:";
    for owner in ["4294967296", "+0", "18446744073709551616"] {
        let ran = with_getent(root, &format!("msgq create q; msgq set owner={owner}"));
        let refused = format!("there is no user `{owner}`");
        assert!(ran.err.contains(&refused), "{ran:?}");
    }
}

/// A table says a number where a name server does not answer, and asks it no more.
#[test]
fn a_table_does_not_wait_for_a_name_server() {
    if ipcsh::kernel::process::geteuid() != 0 {
        println!("skipped: only root may give an object away");
        return;
    }
    let text = "msgq create q; msgq set q owner=3999997; msgq create r; msgq set r owner=3999998; \
                ipcs -q; msgq rm q; msgq rm r";
    let ran = with_getent("exec sleep 1000", text);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("3999997"), "{ran:?}");
}

#[test]
fn what_is_interrupted_is_not_unknown() {
    let ran = with_getent(
        "kill -INT $$",
        "msgq create q; msgq set owner=fred => EINTR",
    );
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let ran = with_getent("exec cat /dev/zero", "msgq create q; msgq set owner=fred");
    assert!(
        ran.err.contains("the user `fred` was not looked up"),
        "{ran:?}"
    );
}

/// The child that asks is none of the actor's: it may ignore, block or catch SIGCHLD.
#[test]
fn nobody_hears_of_the_process_that_asks() {
    let knows = "echo 127.0.0.1 STREAM";
    for treats in ["trap CHLD --ignore", "sig block CHLD", "trap CHLD"] {
        let text = format!(
            "a: {treats}\na: sock connect tcp:here.example:1 => ECONNREFUSED\n\
             expect actor.a.signals.CHLD == 0"
        );
        for _ in 0..10 {
            let ran = with_getent(knows, &text);
            assert_eq!(ran.code, Some(0), "{treats}: {ran:?}");
        }
    }
    let ran = with_getent(
        knows,
        "a: sig block CHLD; a: sock connect tcp:here.example:1 => ECONNREFUSED; a: sig pending",
    );
    assert!(!ran.out.contains("CHLD"), "{ran:?}");
}

#[test]
fn each_address_of_a_host_is_tried() {
    let listener = TcpListener::bind("[::1]:0");
    let Ok(listener) = listener else {
        println!("skipped: there is no IPv6");
        return;
    };
    let port = listener.local_addr().unwrap().port();
    let both = "echo ::1 STREAM; echo ::1 DGRAM; echo 127.0.0.1 STREAM";
    let ran = with_getent(both, &format!("sock connect tcp:both.example:{port}"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
