//! The prompt's text: how many actors run, and how many of them are blocked.

use crate::data::counted;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rustyline::Prompt;

use super::notices::Board;
use crate::view::Style;

/// Beyond so many, the number is right when the line begins and does not change under it.
const LIVE: usize = 256;

/// The prompt's texts, one for each number of blocked actors, all of one width: rustyline
/// measures it once a line and reads the text again for each repaint, so that a notice may
/// change it under a half-typed line.
pub(super) struct LivePrompt {
    texts: Vec<(String, String)>,
    blocked: Arc<AtomicUsize>,
    board: Arc<Board>,
    shown: AtomicBool,
}

impl LivePrompt {
    pub fn new(
        (actors, now): (usize, usize),
        blocked: Arc<AtomicUsize>,
        board: Arc<Board>,
        style: Style,
    ) -> LivePrompt {
        blocked.store(now, Ordering::Relaxed);
        let styled = |n: usize| {
            let raw = text(actors, n);
            let styled = match n {
                0 => style.strong(&raw),
                _ => style.waiting(&raw),
            };
            (raw, styled)
        };
        let texts = match now <= LIVE {
            true => (0..=now).map(styled).collect(),
            false => vec![styled(now)],
        };
        LivePrompt {
            texts,
            blocked,
            board,
            shown: AtomicBool::new(false),
        }
    }

    fn now(&self) -> &(String, String) {
        let blocked = self.blocked.load(Ordering::Relaxed);
        &self.texts[blocked.min(self.texts.len() - 1)]
    }
}

impl Prompt for LivePrompt {
    fn raw(&self) -> &str {
        // First asked for when the terminal has been made raw: what is printed from here on
        // goes above the line.
        if !self.shown.swap(true, Ordering::Relaxed) {
            self.board.open();
        }
        &self.now().0
    }

    fn styled(&self) -> &str {
        &self.now().1
    }
}

/// `ipcsh [2 actors, 1 blocked]> `; as wide for each number that is not greater than the
/// actors'.
pub(super) fn text(actors: usize, blocked: usize) -> String {
    let digits = actors.to_string().len();
    match actors {
        0 => "ipcsh> ".to_string(),
        _ => format!(
            "ipcsh [{}, {blocked:digits$} blocked]> ",
            counted(actors, "actor")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_changes_and_its_width_does_not() {
        let blocked = Arc::new(AtomicUsize::new(0));
        let board = Arc::new(Board::default());
        let prompt = LivePrompt::new((12, 11), Arc::clone(&blocked), board, Style::PLAIN);
        assert_eq!(prompt.raw(), "ipcsh [12 actors, 11 blocked]> ");
        let width = prompt.raw().len();
        for n in 0..=11 {
            blocked.store(n, Ordering::Relaxed);
            assert_eq!(prompt.raw().len(), width);
            assert!(prompt.raw().contains(&format!(" {n} blocked")));
        }
        // More than there were: the text for the most.
        blocked.store(12, Ordering::Relaxed);
        assert!(prompt.raw().contains(" 11 blocked"));
        assert_eq!(text(1, 0), "ipcsh [1 actor, 0 blocked]> ");
        assert_eq!(text(0, 0), "ipcsh> ");
    }

    #[test]
    fn notices_wait_until_the_prompt_is_shown_once() {
        let board = Arc::new(Board::default());
        let blocked = Arc::new(AtomicUsize::new(0));
        let prompt = LivePrompt::new((0, 0), blocked, Arc::clone(&board), Style::PLAIN);
        assert!(!board.is_open());
        prompt.raw();
        assert!(board.is_open());
        board.close();
        prompt.raw();
        assert!(!board.is_open(), "the last repaint does not open it again");
    }
}
