//! What could be typed next.

use super::super::catalog::Catalog;
use super::super::lexer::Token;
use super::super::signature::{Form, Kind, Need, Param, Signature};
use super::{Binder, name};

/// What could be typed next: for completion and hints.
#[derive(Debug)]
pub struct Wanted {
    /// The command.
    pub signature: &'static Signature,
    /// The parameters that the next word could fill, the positional ones first.
    pub params: Vec<&'static Param>,
    /// The one whose flag stands last, and that the next word gives a value.
    pub value: Option<&'static Param>,
    /// What is left of the usage line.
    pub usage: String,
}

/// What the complete words of an unfinished command leave to be typed.
/// `None` where they are no command or already a mistake.
pub fn wanted(tokens: &[Token], catalog: &Catalog) -> Option<Wanted> {
    let (command, words) = name(tokens, catalog).ok()?;
    let signature = catalog.signature(command);
    let mut binder = Binder::new(signature, catalog, "");
    let mut rest = tokens[words..].to_vec();
    let value = rest.last().and_then(|t| flagged(signature, t.bare()?));
    if let Some(param) = value {
        return Some(Wanted {
            signature,
            params: Vec::new(),
            value,
            usage: param.kind.placeholder().into(),
        });
    }
    // What is missing is missed at the end, and that is fine.
    if let Err(mistake) = binder.bind(&mut rest, tokens[0].span)
        && rest.last().is_some_and(|t| mistake.span.start < t.span.end)
    {
        return None;
    }
    let mut params = Vec::new();
    for (place, param) in signature.params.iter().enumerate() {
        let again = !matches!(param.need, Need::Required | Need::Optional);
        let passed = param.form == Form::Positional && place < binder.position;
        if (!binder.has(place) || again) && !passed {
            params.push(param);
        }
    }
    let usage = params
        .iter()
        .map(|p| p.usage())
        .collect::<Vec<_>>()
        .join(" ");
    Some(Wanted {
        signature,
        params,
        value: None,
        usage,
    })
}

/// The parameter whose flag a word is, where a value follows it.
fn flagged(signature: &'static Signature, word: &str) -> Option<&'static Param> {
    let is_its_flag = |param: &&Param| match param.form {
        Form::Flag => word.strip_prefix("--") == Some(param.name),
        Form::Short(letter) => word
            .strip_prefix('-')
            .is_some_and(|w| w.chars().eq([letter])),
        _ => false,
    };
    let mut valued = signature.params.iter().filter(|p| p.kind != Kind::Switch);
    valued.find(is_its_flag)
}
