//! A reader of the EBNF that grammar/*.ebnf is written in, and sentences made from it.

use std::collections::BTreeMap;

/// The right side of a rule.
#[derive(Debug)]
pub enum Expr {
    Sequence(Vec<Expr>),
    Choice(Vec<Expr>),
    Optional(Box<Expr>),
    Repeated(Box<Expr>),
    Terminal(String),
    Rule(String),
    Special(String),
}

/// The rules by their names.
pub type Rules = BTreeMap<String, Expr>;

/// Reads a grammar.
pub fn read(text: &str) -> Rules {
    let mut reader = Reader { rest: text };
    let mut rules = Rules::new();
    loop {
        reader.blanks();
        if reader.rest.is_empty() {
            return rules;
        }
        let name = reader.name();
        reader.sign("=");
        let expr = reader.choice();
        reader.sign(";");
        let twice = rules.insert(name.clone(), expr);
        assert!(twice.is_none(), "two rules for {name}");
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            let Some(comment) = self.rest.strip_prefix("(*") else {
                return;
            };
            let (_, after) = comment.split_once("*)").expect("a comment is closed");
            self.rest = after;
        }
    }

    fn at(&mut self, sign: &str) -> bool {
        self.blanks();
        self.rest.starts_with(sign)
    }

    fn sign(&mut self, sign: &str) {
        assert!(self.at(sign), "expected {sign} at {:.60}", self.rest);
        self.rest = &self.rest[sign.len()..];
    }

    fn name(&mut self) -> String {
        self.blanks();
        let end = self
            .rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
            .unwrap_or(self.rest.len());
        assert!(end > 0, "expected a name at {:.60}", self.rest);
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        name.to_string()
    }

    fn until(&mut self, quote: &str) -> String {
        self.sign(quote);
        let (inside, rest) = self.rest.split_once(quote).expect("a quote is closed");
        self.rest = rest;
        inside.to_string()
    }

    fn choice(&mut self) -> Expr {
        let mut of = vec![self.sequence()];
        while self.at("|") {
            self.sign("|");
            of.push(self.sequence());
        }
        match of.len() {
            1 => of.remove(0),
            _ => Expr::Choice(of),
        }
    }

    fn sequence(&mut self) -> Expr {
        let mut of = vec![self.part()];
        while self.at(",") {
            self.sign(",");
            of.push(self.part());
        }
        match of.len() {
            1 => of.remove(0),
            _ => Expr::Sequence(of),
        }
    }

    fn part(&mut self) -> Expr {
        self.blanks();
        let enclosed = |reader: &mut Self, open: &str, close: &str| {
            reader.sign(open);
            let inner = reader.choice();
            reader.sign(close);
            inner
        };
        match self.rest.chars().next() {
            Some('[') => Expr::Optional(Box::new(enclosed(self, "[", "]"))),
            Some('{') => Expr::Repeated(Box::new(enclosed(self, "{", "}"))),
            Some('(') => enclosed(self, "(", ")"),
            Some('"') => Expr::Terminal(self.until("\"")),
            Some('\'') => Expr::Terminal(self.until("'")),
            Some('?') => Expr::Special(self.until("?").trim().to_string()),
            _ => Expr::Rule(self.name()),
        }
    }
}

impl Expr {
    /// Calls for itself and for all it is made of.
    pub fn visit(&self, see: &mut impl FnMut(&Expr)) {
        see(self);
        match self {
            Expr::Sequence(of) | Expr::Choice(of) => of.iter().for_each(|e| e.visit(see)),
            Expr::Optional(e) | Expr::Repeated(e) => e.visit(see),
            Expr::Terminal(_) | Expr::Rule(_) | Expr::Special(_) => {}
        }
    }
}

/// xorshift64*: the same sentences from the same seed, everywhere.
pub struct Random(pub u64);

impl Random {
    /// A number below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        ((self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize) % n.max(1)
    }

    /// One of them.
    pub fn of<'a, T: ?Sized>(&mut self, all: &[&'a T]) -> &'a T {
        all[self.below(all.len())]
    }
}

/// What makes sentences: what the rules leave open comes from `open`.
pub struct Writer<'a, F: Fn(&str, &mut Random) -> Option<String>> {
    pub rules: &'a Rules,
    pub open: F,
    pub random: Random,
}

impl<F: Fn(&str, &mut Random) -> Option<String>> Writer<'_, F> {
    /// A sentence of the rule. Below `depth` levels, the shortest way is taken: nothing
    /// for what may be left out, and the first of a choice.
    pub fn sentence(&mut self, rule: &str, depth: usize) -> String {
        let mut out = String::new();
        self.rule(rule, depth, false, &mut out);
        out
    }

    fn rule(&mut self, name: &str, depth: usize, glued: bool, out: &mut String) {
        if let Some(text) = (self.open)(name, &mut self.random) {
            return put(&text, glued, out);
        }
        let rules = self.rules;
        let Some(expr) = rules.get(name) else {
            panic!("there is no rule {name}");
        };
        if name.starts_with(|c: char| c.is_ascii_uppercase()) {
            let mut word = String::new();
            self.expr(expr, depth, true, &mut word);
            put(&word, glued, out);
        } else {
            self.expr(expr, depth, false, out);
        }
    }

    fn expr(&mut self, expr: &Expr, depth: usize, glued: bool, out: &mut String) {
        let deeper = depth.saturating_sub(1);
        match expr {
            Expr::Sequence(of) => {
                for e in of {
                    self.expr(e, depth, glued, out);
                }
            }
            Expr::Choice(of) => {
                let which = if depth == 0 {
                    0
                } else {
                    self.random.below(of.len())
                };
                self.expr(&of[which], depth, glued, out);
            }
            Expr::Optional(e) => {
                if depth > 0 && self.random.below(2) == 0 {
                    self.expr(e, deeper, glued, out);
                }
            }
            Expr::Repeated(e) => {
                let times = if depth > 0 { self.random.below(4) } else { 0 };
                for _ in 0..times {
                    self.expr(e, deeper, glued, out);
                }
            }
            Expr::Terminal(text) => put(text, glued, out),
            Expr::Rule(name) => self.rule(name, deeper, glued, out),
            Expr::Special(text) => panic!("nothing is known for ? {text} ?"),
        }
    }
}

fn put(text: &str, glued: bool, out: &mut String) {
    if !glued && !out.is_empty() && !out.ends_with(['\n', ' ']) {
        out.push(' ');
    }
    out.push_str(text);
}
