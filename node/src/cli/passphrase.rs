//! Asking for a passphrase at the terminal, without showing it.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::home::{PASSPHRASE_BYTES_MAX, Passphrase};
use crate::ops::Problem;
use crate::texts::Texts;

/// Whether somebody can be asked.
pub(super) fn is_somebody_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a passphrase.
pub(super) fn ask(texts: &Texts, question: &str) -> Result<Passphrase, Problem> {
    let failed = |cause: io::Error| Problem::new("passphrase.not_read").with("reason", cause);
    let typed = Silence::begin().and_then(|_silence| line(&texts.say(question, &[]))).map_err(failed)?;
    Ok(Passphrase::new(&typed))
}

/// Asks for a new passphrase, twice: what nobody can repeat would lock the hall out of its keys.
pub(super) fn ask_new(texts: &Texts) -> Result<Passphrase, Problem> {
    let first = ask(texts, "passphrase.ask_new")?;
    let again = ask(texts, "passphrase.ask_again")?;
    if first == again { Ok(first) } else { Err(Problem::new("passphrase.differ")) }
}

/// One line. Room for all of it is taken at once: a buffer that grows would leave copies behind.
fn line(question: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut terminal = io::stderr().lock();
    write!(terminal, "{question} ")?;
    terminal.flush()?;
    let room = PASSPHRASE_BYTES_MAX.saturating_add(2);
    let mut typed = Zeroizing::new(Vec::with_capacity(room));
    let limit = u64::try_from(room).unwrap_or(u64::MAX);
    io::stdin().lock().take(limit).read_until(b'\n', &mut typed)?;
    writeln!(terminal)?;
    Ok(typed)
}

/// The terminal shows nothing of what is typed until this is dropped.
struct Silence {
    before: Termios,
}

impl Silence {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self { before })
    }
}

impl Drop for Silence {
    fn drop(&mut self) {
        if let Err(cause) = tcsetattr(io::stdin(), OptionalActions::Flush, &self.before) {
            tracing::error!(%cause, "the terminal stays silent: type reset");
        }
    }
}
