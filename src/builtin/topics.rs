//! What `help` has to say besides the commands.

use super::ACTOR_FIELDS;
use crate::data::Family;
use crate::mechanism;
use crate::view::help::Topic;

/// Every topic.
pub static ALL: &[Topic] = &[
    Topic {
        name: "steps",
        summary: "what stands around a command: actors, `...`, `&`, `=>`, `let`",
        text: || STEPS.into(),
    },
    Topic {
        name: "keys",
        summary: "what can be typed at the prompt",
        text: || KEYS.into(),
    },
    Topic {
        name: "objects",
        summary: "how a command names what it works on",
        text: || OBJECTS.into(),
    },
    Topic {
        name: "data",
        summary: "how bytes, numbers and durations are written",
        text: || DATA.into(),
    },
    Topic {
        name: "fields",
        summary: "what can be known of an object, an actor, a limit",
        text: fields,
    },
    Topic {
        name: "signals",
        summary: "how they are named, sent, caught and counted",
        text: || SIGNALS.into(),
    },
    Topic {
        name: "janitor",
        summary: "what is removed when the session ends, and by whom",
        text: || JANITOR.into(),
    },
];

const STEPS: &str = "\
msgq recv             in the actor `me`, a process that is started when first
                      needed
b: msgq recv          in the process b
b@500ms: msgq recv    it may be blocked for so long; else `timeout step` says
b: msgq recv ...      it must be seen blocked, and stays pending
b: msgq recv &        it is started, and nothing is claimed
b: ... => ok          the pending step must end so
wait b  cancel b      wait for it; interrupt it, and it ends with EINTR

... => ok             any success
... => type=2 \"hi\"   these fields, and the data as a whole
... => 42  => eof     a number that was read; the other side has closed
... => EAGAIN         it must fail so; `error` is any failure, `died` the end of
                      its process
let v = msgq recv     $v, $v.type: what came; `help data` says more

A cycle of waits among actors is a deadlock, and told at once: `expect deadlock
a b` claims one.
";

const KEYS: &str = "\
Tab        completes a word, or lists what may stand here
Up, Down   the lines before; Ctrl-R searches them
Ctrl-C     drops the line; while something runs, interrupts it; on an empty line
           cancels the newest step that the prompt was left to wait for
Ctrl-D     on an empty line leaves, and removes what was created here
Ctrl-Z     stops the shell where a job control could continue it
\\ at the end of a line, an open `{` or string: the next line goes on; two blank
           lines give up
";

const OBJECTS: &str = "\
jobs             a name of this session: of what `create` made, or `use` took
/jobs            a POSIX object: the slash makes it one
id:32768         a System V object of the host, by its id
key:0x1234       the same by its key; key:/path,1 is the key of ftok(3)
set[2]           one semaphore of a set
shm./jobs        of two families that have the name; shm.\"/a b\" quotes it
/tmp/f           a FIFO, or a socket's address; @name is an abstract one
pipe:[6517]      a pipe by its inode, as socket:[N] is a socket
pid:812/fd:7     what is behind another process's descriptor

A command that names none means the family's current one, which `create` and
`use` set. Where there is none, `msgq send`, `shm write`, `sem p` and `sem v`
make one and say so.
";

const DATA: &str = "\
\"text\\n${v}\"       escapes and variables
'raw'              neither
x\"00 ff 0a\"        bytes in hexadecimal
file\"payload.bin\"  the bytes of a regular file
u32:5  i16:-2      an integer of that width, in the machine's byte order
42  -3  0x1f  64K  integers; K, M, G and T are powers of 1024
50ms  1.5s  2m     durations

010 is 10, and octal is written 0o10. Only a mode, such as mode=0600, is octal
by itself.

$v, $v.field       what `let` has bound; in a string ${v}, ${v.field}
$((v + 1))         arithmetic with the operators of C: + - * / % << >> & | ^ ~
                   == != < <= > >= && || ! ?: and parentheses. It never wraps:
                   what does not fit 64 bits is an error; 010 is refused.
re\"…\"  glob\"…\"     patterns, behind `=>` and `~`
";

const SIGNALS: &str = "\
kill -USR1 b             to an actor or any process; also -SIGUSR1, -10, -s USR1
kill -RTMIN+1 b value=3  a real-time signal, with a value
b: trap USR1             b catches it from now on: each is told with its sender
b: sig block USR1        it stays pending: `sig pending`, `sig unblock`
b: sig wait USR1 ...     waits for it, and takes it
expect actor.b.signals.USR1 == 1     how often b has caught it

`sig ls` lists them all, with what each does by default; `sig info PID` shows
what a process blocks, ignores and catches. `help kill`, `help trap` and
`help sig` say more.
";

const JANITOR: &str = "\
What a session creates is removed when it ends, however it ends: by `quit`, a
failed step, SIGTERM, or a SIGKILL of the shell, of its actors, of all of
them. The key or the name of an object is written down before it is created,
in memory shared with a small process, the janitor. It waits until the shell
and all actors are gone, removes what is left, and ends. Nothing is removed
that this session did not create: id, key, creator and time must fit.

keep NAME        exempts an object; `--keep` on the command line exempts all
--private        of `create` makes an object without a key: a SIGKILL in the
                 few instructions before its id is written down leaves it behind
";

/// The names alone: what each is, the noun's own help says.
fn fields() -> String {
    let mut text = String::from(
        "They are the columns of the tables (`-o` chooses), the keys of JSON, and what\n\
         `expect` looks at: `expect msgq.jobs.qnum == 3`. `help msgq`, `help shm` … say\n\
         what each is.\n\n",
    );
    let mut line = |kind: &str, names: Vec<&str>| {
        let mut rest = names.as_slice();
        let mut head = kind;
        while !rest.is_empty() {
            let (mut width, mut fit) = (0, 0);
            while let Some(name) = rest.get(fit)
                && (fit == 0 || width + name.len() < WIDTH)
            {
                width += name.len() + 1;
                fit += 1;
            }
            let (now, later) = rest.split_at(fit);
            text.push_str(&format!("{head:8} {}\n", now.join(" ")));
            (rest, head) = (later, "");
        }
    };
    for family in Family::ALL {
        let names = mechanism::fields(family).iter().map(|f| f.name).collect();
        line(family.noun(), names);
    }
    line("actor", ACTOR_FIELDS.iter().map(|f| f.name).collect());
    line("limits", vec!["value"]);
    text.push_str("\nOf an actor, as in actor.b.state:\n");
    for field in ACTOR_FIELDS {
        text.push_str(&format!("{:13}{}\n", field.name, field.help));
    }
    text.push_str(
        "\nlimits.NAME.value is a limit of the kernel (`limits` lists them);\n\
         shm.NAME.TYPE@OFF is an integer in a segment, such as shm.cnt.u32@8.\n",
    );
    text
}

/// How wide the names of the fields are, beside their noun.
const WIDTH: usize = 70;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topic_fits_a_terminal() {
        for topic in ALL {
            for line in (topic.text)().lines() {
                let width = line.chars().count();
                assert!(width <= 80, "{}: {width}: {line}", topic.name);
            }
        }
        let fields = fields();
        for field in ["qbytes", "signals.NAME", "limits.NAME.value", "zcnt"] {
            assert!(fields.contains(field), "{fields}");
        }
    }
}
