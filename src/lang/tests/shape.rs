//! A program printed so that a table can hold it: everything that was understood, and
//! nothing of how it was written.

use super::super::*;
use super::table;
use crate::data::quote;

pub fn program(program: &Program) -> String {
    let parts: Vec<String> = program.statements.iter().map(statement).collect();
    parts.join("; ")
}

fn statement(s: &Statement) -> String {
    match &s.kind {
        StatementKind::Step(step) => {
            let mut out = actor(step.actor.as_deref(), step.deadline);
            out.push_str(&work(&step.work, false));
            out.push_str(match step.marker {
                Marker::None => "",
                Marker::Blocks => " BLOCKS",
                Marker::Background => " BACKGROUND",
            });
            claimed(out, step.work.claim.as_deref())
        }
        StatementKind::Resume(r) => {
            let out = actor(Some(&r.actor), r.deadline) + "RESUMES";
            claimed(out, r.claim.as_ref())
        }
        StatementKind::Expect(e) => {
            let within = e.within.map_or(String::new(), |d| format!(" within {d:?}"));
            format!("expect {}{within}", condition(&e.condition))
        }
        StatementKind::Require(r) => match &r.what {
            Requirement::Root => "require root".into(),
            Requirement::Program(name) => format!("require program {name}"),
            Requirement::Host(command) => format!("require host {}", pieces(command)),
            Requirement::Condition(c) => format!("require {}", condition(c)),
        },
        StatementKind::Defer(inner) => format!("defer ({})", statement(inner)),
        StatementKind::TimeoutStep(d) => format!("timeout {d:?}"),
        StatementKind::Repeat { count, body } => {
            let body: Vec<String> = body.iter().map(statement).collect();
            format!("each {} ({})", term(count), body.join("; "))
        }
        StatementKind::Source(p) => format!("source {} ({})", p.source.name, program(p)),
        StatementKind::Host(h) => {
            let bind = h
                .bind
                .as_ref()
                .map_or(String::new(), |n| format!("{n} := "));
            let sign = if h.background { " BACKGROUND" } else { "" };
            let out = format!("{bind}host {}{sign}", pieces(&h.command));
            claimed(out, h.claim.as_ref())
        }
        StatementKind::Look { name, subject } => format!("{name} := look {}", looked_at(subject)),
        StatementKind::Let { name, value } => format!("{name} := {}", term(value)),
    }
}

fn actor(name: Option<&str>, deadline: Option<std::time::Duration>) -> String {
    let deadline = deadline.map_or(String::new(), |d| format!("@{d:?}"));
    name.map_or(String::new(), |n| format!("{n}{deadline}: "))
}

fn claimed(out: String, claim: Option<&Claim>) -> String {
    match claim {
        None => out,
        Some(Claim::Ok) => out + " => ok",
        Some(Claim::Eof) => out + " => eof",
        Some(Claim::Errno(symbol)) => format!("{out} => errno {symbol}"),
        Some(Claim::Yields { fields, value }) => {
            let mut out = out + " =>";
            for (name, e) in fields {
                out.push_str(&format!(" {name}={}", expected(e)));
            }
            value
                .iter()
                .for_each(|v| out.push_str(&format!(" {}", expected(v))));
            out
        }
    }
}

fn work(w: &Work, with_claim: bool) -> String {
    let bind = w
        .bind
        .as_ref()
        .map_or(String::new(), |n| format!("{n} := "));
    let out = match &w.action {
        Action::Call(c) => format!("{bind}{}", call(c)),
        Action::Value(t) => format!("{bind}{}", term(t)),
        Action::Repeat { count, body } => {
            let body: Vec<String> = body.iter().map(|w| work(w, true)).collect();
            format!("{bind}loop {} ({})", term(count), body.join("; "))
        }
    };
    claimed(out, w.claim.as_deref().filter(|_| with_claim))
}

fn call(c: &Call) -> String {
    let signature = table().signature(c.command);
    let mut out = signature.name.to_string();
    for (place, a) in &c.args {
        let name = signature.params[usize::from(*place)].name;
        out.push_str(&match a {
            Arg::Ref(r) => format!(" {name}={}", reference(r)),
            Arg::Term(t) => format!(" {name}={}", term(t)),
            Arg::Fd(r, None) => format!(" {name}={}", reference(r)),
            Arg::Fd(r, Some(end)) => format!(" {name}={} {end:?}", reference(r)),
            Arg::Place(p) => format!(" {name}={}", place_of(p)),
            Arg::Word(w) => format!(" {name}={w}"),
            Arg::SemOp(op) => format!(
                " {name}={}:{}{}{}",
                op.index,
                op.delta,
                if op.undo { "u" } else { "" },
                if op.nowait { "n" } else { "" }
            ),
            Arg::Command(inner, text) => format!(" {name}=({} | {text})", call(inner)),
            Arg::Switch => format!(" --{name}"),
        });
    }
    out
}

fn place_of(p: &Place) -> String {
    format!("{}@{}", p.ty.map_or("", IntType::name), term(&p.offset))
}

fn reference(r: &Reference) -> String {
    let family = r.family.map_or(String::new(), |f| format!("{}.", f.noun()));
    let target = match &r.target {
        Target::Current => "CURRENT".into(),
        Target::Name(n) => n.clone(),
        Target::Id(t) => format!("id:{}", term(t)),
        Target::Key(t) => format!("key:{}", term(t)),
        Target::Ftok(path, n) => format!("ftok({path}, {n})"),
        Target::Path(t) => format!("path:{}", term(t)),
        Target::Inode(n) => format!("[{n}]"),
        Target::Fd(pid, fd) => format!("pid:{}/fd:{}", term(pid), term(fd)),
    };
    let index = r
        .index
        .as_ref()
        .map_or(String::new(), |i| format!("[{}]", term(i)));
    format!("{family}{target}{index}")
}

fn variable(v: &VarRef) -> String {
    let field = v.field.as_ref().map_or(String::new(), |f| format!(".{f}"));
    format!("${}{field}", v.name)
}

fn pieces(pieces: &[Piece]) -> String {
    let parts: Vec<String> = pieces
        .iter()
        .map(|p| match p {
            Piece::Bytes(b) => quote(b),
            Piece::Var(v) => variable(v),
        })
        .collect();
    parts.join("+")
}

fn term(t: &Term) -> String {
    match t {
        Term::Int(n) => n.to_string(),
        Term::Duration(d) => format!("{d:?}"),
        Term::Bytes(b) => quote(b),
        Term::Template(p) => pieces(p),
        Term::File(p) => format!("file {}", pieces(p)),
        Term::Number(ty, t) => format!("{}:{}", ty.name(), term(t)),
        Term::Var(v) => variable(v),
        Term::Arith(a) => arith(a),
    }
}

fn arith(a: &Arith) -> String {
    match a {
        Arith::Int(n) => n.to_string(),
        Arith::Var(v) => variable(v),
        Arith::Neg(a) => format!("-{}", arith(a)),
        Arith::Flip(a) => format!("~{}", arith(a)),
        Arith::Not(a) => format!("!{}", arith(a)),
        Arith::Choice(parts) => {
            let [a, b, c] = &**parts;
            format!("({} ? {} : {})", arith(a), arith(b), arith(c))
        }
        Arith::Binary(x, op, y) => format!("({} {op:?} {})", arith(x), arith(y)),
    }
}

fn expected(e: &Expected) -> String {
    match e {
        Expected::Term(t) => term(t),
        Expected::Word(w) => format!("word {w}"),
        Expected::Pattern(p) => p.to_string(),
    }
}

fn condition(c: &Condition) -> String {
    match c {
        Condition::Deadlock(actors) => format!("deadlock {}", actors.join(" ")),
        Condition::Compare {
            subject,
            op,
            expected: e,
        } => {
            format!("{} {op:?} {}", looked_at(subject), expected(e))
        }
    }
}

fn looked_at(subject: &Subject) -> String {
    match subject {
        Subject::Object(f, r, field) => {
            assert_eq!(r.family, Some(*f));
            format!("{} {field}", reference(r))
        }
        Subject::Memory(r, ty, offset) => {
            format!("{} {}@{}", reference(r), ty.name(), term(offset))
        }
        Subject::Actor(name, field) => format!("actor {name} {field}"),
        Subject::Limit(name, field) => format!("limit {name} {field}"),
        Subject::Term(t) => term(t),
    }
}
