//! Words of other programs and languages, and what they are called here.

use crate::lang::Foreign;

pub(super) static FOREIGN: Foreign = Foreign {
    commands: &[
        ("ipcrm -q", "a queue is removed by `msgq rm id:N`"),
        ("ipcrm -Q", "a queue is removed by `msgq rm key:K`"),
        ("ipcrm -m", "a segment is removed by `shm rm id:N`"),
        ("ipcrm -M", "a segment is removed by `shm rm key:K`"),
        ("ipcrm -s", "a semaphore set is removed by `sem rm id:N`"),
        ("ipcrm -S", "a semaphore set is removed by `sem rm key:K`"),
        (
            "ipcrm",
            "objects are removed by `msgq rm`, `shm rm` and `sem rm`, each with id:N or key:K",
        ),
        (
            "ftok",
            "the key of a path stands where an object does: msgq info key:/path,1",
        ),
        ("ipcmk -Q", "a queue is created by `msgq create`"),
        ("ipcmk -M", "a segment is created by `shm create NAME SIZE`"),
        ("ipcmk -S", "a set is created by `sem create NAME count=N`"),
        (
            "ipcmk",
            "objects are created by `msgq create`, `shm create` and `sem create`",
        ),
        (
            "mq",
            "a queue of either flavour is a `msgq`: msgq create jobs, msgq create /jobs",
        ),
        (
            "history",
            "Up and Ctrl-R find the lines before; `save FILE` writes them as a script",
        ),
        ("version", "`!ipcsh --version` says it"),
        (
            "sudo",
            "ipcsh is started as root as a whole: sudo ipcsh, or sudo ipcsh -c 'ipcs'",
        ),
        ("ipcsh", "it runs already: leave the word out, as in `ipcs`"),
        (
            "man",
            "`help` says what there is: help msgq, help msgq send",
        ),
        (
            "ls",
            "`ipcs` lists objects, `msgq`, `shm` … each family; `!ls` lists files",
        ),
        (
            "rm",
            "objects are removed by their family, such as `msgq rm`; a file by `!rm`",
        ),
        (
            "cat",
            "what is in an object is shown by `peek`; a file by `!cat`",
        ),
        (
            "cd",
            "ipcsh stays where it was started; `!cd DIR && …` is for one command of the system",
        ),
        ("pwd", "`!pwd` says it: ipcsh stays where it was started"),
        (
            "top",
            "`watch ipcs` looks again and again; `!ps` lists processes",
        ),
        (
            "ps",
            "`actors` lists the processes of this session; `!ps` all",
        ),
        (
            "jobs",
            "`actors` lists the processes of this session, and what each waits for",
        ),
        (
            "fg",
            "a pending step of b is waited for by `b: ...` or `wait b`",
        ),
        ("bg", "a step is started with `&` behind it: b: msgq recv &"),
        (
            "lsof",
            "`who OBJECT` says who holds it, and who waits for it",
        ),
        (
            "fuser",
            "`who OBJECT` says who holds it, and who waits for it",
        ),
        (
            "strace",
            "`actors` and `why` show the call that a process is blocked in",
        ),
        (
            "ss",
            "`sock` lists sockets; `!ss` runs the system's program",
        ),
        (
            "lsns",
            "`ns` lists namespaces; `ipcs --ns PID` looks from inside them",
        ),
        (
            "nsenter",
            "every command that looks has --ns PID, as `ipcs --ns PID`; `ns` lists namespaces",
        ),
        (
            "mkpipe",
            "a pipe is made by `pipe create`, a FIFO by `mkfifo PATH`",
        ),
        (
            "export",
            "a variable is bound by `let v = …`, and `!command` has it in its environment",
        ),
        ("set", "a variable is bound by `let v = …`"),
        ("print", "`echo` shows words and variables"),
        (
            "printf",
            "`echo` shows words and variables; `!printf` is the system's",
        ),
        ("for", "a block is run again by `repeat N { … }`"),
        (
            "while",
            "a block is run again by `repeat N { … }`; `expect … within 2s` waits",
        ),
        (
            "if",
            "`expect` fails a script, `require` skips it where something does not hold",
        ),
        ("test", "what must hold is stated by `expect`"),
        ("assert", "what must hold is stated by `expect`"),
        (".", "a script is run by `source FILE`"),
        (
            "run",
            "a script is run by `source FILE`, a program by `!command`",
        ),
        (
            "?",
            "`help` lists the commands, `help msgq` those of a family",
        ),
        ("q", "`quit` ends the session"),
        ("bye", "`quit` ends the session"),
        ("logout", "`quit` ends the session"),
        (
            "msgget",
            "`msgq create` makes a queue, `msgq use key:K` finds one",
        ),
        ("msgsnd", "that call is made by `msgq send`"),
        ("msgrcv", "that call is made by `msgq recv`"),
        (
            "msgctl",
            "that call is made by `msgq info`, `msgq set` and `msgq rm`",
        ),
        (
            "shmget",
            "`shm create` makes a segment, `shm use key:K` finds one",
        ),
        (
            "shmat",
            "that call is made by `shm attach`, and by `shm read` and `shm write`",
        ),
        ("shmdt", "that call is made by `shm detach`"),
        (
            "shmctl",
            "that call is made by `shm info`, `shm set` and `shm rm`",
        ),
        (
            "semget",
            "`sem create` makes a set, `sem use key:K` finds one",
        ),
        (
            "semop",
            "that call is made by `sem p`, `sem v`, `sem z` and `sem op`",
        ),
        (
            "semctl",
            "that call is made by `sem get`, `sem set`, `sem info` and `sem rm`",
        ),
        ("mq_open", "a POSIX queue is made by `msgq create /NAME`"),
        (
            "shm_open",
            "a POSIX segment is made by `shm create /NAME SIZE`",
        ),
        (
            "sem_open",
            "a POSIX semaphore is made by `sem create /NAME`",
        ),
        ("sem_wait", "that call is made by `sem p`"),
        ("sem_post", "that call is made by `sem v`"),
        ("sigaction", "that call is made by `trap`"),
        ("signal", "a signal is sent by `kill`, caught by `trap`"),
    ],
    verbs: &[
        ("rm", &["delete", "remove", "del", "destroy", "unlink"]),
        ("create", &["new", "make", "mk", "add", "init", "open"]),
        ("ls", &["list", "dir", "all"]),
        ("recv", &["receive", "get", "pop", "read", "pull"]),
        ("send", &["put", "push", "write", "post"]),
        ("read", &["recv", "get", "load", "cat"]),
        ("write", &["send", "put", "store"]),
        (
            "p",
            &["wait", "down", "acquire", "lock", "take", "dec", "trywait"],
        ),
        (
            "v",
            &["post", "up", "signal", "release", "unlock", "give", "inc"],
        ),
        ("resize", &["truncate", "grow"]),
        ("info", &["show", "stat", "status", "get", "describe"]),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::commands;

    #[test]
    fn no_word_of_ours_is_foreign() {
        let catalog = &commands().catalog;
        for (words, _) in FOREIGN.commands {
            let noun = words.split(' ').next().unwrap_or(words);
            assert!(!catalog.is_noun(noun), "{noun}");
        }
        for (ours, _) in FOREIGN.verbs {
            let known = catalog
                .nouns()
                .any(|noun| catalog.verbs(noun).any(|v| v == *ours));
            assert!(known, "{ours}");
        }
    }

    /// What it leads to exists.
    #[test]
    fn every_command_that_is_named_is_one() {
        let catalog = &commands().catalog;
        for (_, says) in FOREIGN.commands {
            for quoted in says.split('`').skip(1).step_by(2) {
                let mut words = quoted.split(' ');
                let (noun, verb) = (words.next().unwrap_or_default(), words.next());
                let host = noun.starts_with('!') || noun == "b:" || noun == "&";
                let keyword = ["let", "repeat", "expect", "require", "source"].contains(&noun);
                let known = catalog.is_noun(noun)
                    && verb.is_none_or(|verb| {
                        let mut verbs = catalog.verbs(noun).peekable();
                        verbs.peek().is_none() || verbs.any(|v| v == verb)
                    });
                assert!(host || keyword || known, "{quoted}");
            }
        }
    }
}
