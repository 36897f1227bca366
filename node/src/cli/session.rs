//! One call of the command line: its language, its settings, its way to the node.

use std::path::{Path, PathBuf};

use hallmesh_protocol::seal::{SecretKey, Suite};
use tokio::runtime::Runtime;
use zeroize::Zeroizing;

use super::args::{Global, Signer};
use super::passphrase;
use crate::config::{Config, ConfigError, Finding};
use crate::hex::unhex_into;
use crate::home::{Home, HomeError, Outside, Sealing, files};
use crate::ops::{Answer, Ask, Client, Problem};
use crate::texts::Texts;

/// 64 digits and a line end, which an editor may have made longer.
const KEY_TEXT_MAX: u64 = 80;

pub(super) struct Session {
    pub(super) texts: Texts,
    pub(super) global: Global,
}

impl Session {
    /// The settings, with what the command line overrides.
    pub(super) fn config(&self) -> Result<Config, Problem> {
        let mut config = Config::load(self.global.config.as_deref()).map_err(|why| unloaded(&why))?;
        if let Some(data) = &self.global.data {
            config.data_dir.clone_from(data);
        }
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let over = |flag: &Option<PathBuf>, name: &str, setting: Option<PathBuf>| {
            flag.clone().or_else(|| variable(name)).or(setting)
        };
        config.socket = self.global.socket.clone().or(config.socket);
        config.credential_file =
            over(&self.global.credential_file, "HALLMESH_CREDENTIAL_FILE", config.credential_file);
        config.passphrase_file =
            over(&self.global.passphrase_file, "HALLMESH_PASSPHRASE_FILE", config.passphrase_file);
        Ok(config)
    }

    /// The data directory as the settings say.
    pub(super) fn data_dir(&self) -> Result<PathBuf, Problem> {
        Ok(self.config()?.data_dir)
    }

    /// What `hall init` made, and what opens its keys: a passphrase is asked for if somebody is there to type it.
    pub(super) fn home_with_keys(&self) -> Result<Home, Problem> {
        let config = self.config()?;
        self.with_keys(&config, Home::open(&config.data_dir)?)
    }

    /// The same of a home that is to join, which does not live yet or not again.
    pub(super) fn home_to_join(&self) -> Result<Home, Problem> {
        let config = self.config()?;
        self.with_keys(&config, Home::open_to_join(&config.data_dir)?)
    }

    /// Where the secret is that opens the keys of this machine's home.
    pub(super) fn outside(&self, config: &Config, home: &Home) -> Result<Outside, Problem> {
        let mut outside = config.outside();
        if home.sealing()? == Sealing::Passphrase
            && !outside.has_passphrase()
            && passphrase::is_somebody_there()
        {
            outside.typed = Some(passphrase::ask(&self.texts, "passphrase.ask")?);
        }
        Ok(outside)
    }

    fn with_keys(&self, config: &Config, home: Home) -> Result<Home, Problem> {
        let outside = self.outside(config, &home)?;
        Ok(home.opened_by(outside))
    }

    /// What `hall init` made.
    pub(super) fn home(&self) -> Result<Home, Problem> {
        Ok(Home::open(&self.data_dir()?)?)
    }

    /// Asks the node. A refusal is a problem.
    pub(super) fn ask(&self, ask: &Ask) -> Result<Answer, Problem> {
        let client = self.client()?;
        runtime()?.block_on(client.ask(ask))
    }

    /// Asks the node as a clerk.
    pub(super) fn act(&self, ask: &Ask, signer: &Signer) -> Result<Answer, Problem> {
        let (client, key) = (self.client()?, self.key(signer)?);
        runtime()?.block_on(client.ask_as(ask, signer.clerk, &key))
    }

    /// Asks the node as two clerks.
    pub(super) fn act_together(&self, ask: &Ask, signers: &[Signer; 2]) -> Result<Answer, Problem> {
        let [one, other] = signers;
        if one.clerk == other.clerk {
            return Err(Problem::new("clerk.one_person"));
        }
        let (client, key, other_key) = (self.client()?, self.key(one)?, self.key(other)?);
        runtime()?.block_on(client.ask_together(ask, [(one.clerk, &key), (other.clerk, &other_key)]))
    }

    fn client(&self) -> Result<Client, Problem> {
        Ok(Client::new(&self.config()?.socket()))
    }

    fn key(&self, signer: &Signer) -> Result<SecretKey, Problem> {
        match &signer.clerk_key {
            Some(file) => key_in(file),
            None => Ok(self.home_with_keys()?.clerk_key(signer.clerk)?),
        }
    }
}

/// One call needs one thread.
fn runtime() -> Result<Runtime, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(|cause| Problem::new("node.no_runtime").with("reason", cause))
}

/// The answer is for another question: node and command line are of different versions.
pub(super) fn unexpected() -> Problem {
    Problem::new("call.malformed")
}

pub(super) fn unloaded(why: &ConfigError) -> Problem {
    Problem { code: why.code().to_owned(), params: why.detail() }
}

/// A finding about the settings, worded like a problem.
pub(super) fn found(finding: &Finding) -> Problem {
    Problem { code: finding.code.clone(), params: finding.detail.clone() }
}

/// A clerk's key that is kept elsewhere, as on a stick. It is a seed of 32 bytes in hexadecimal.
fn key_in(file: &Path) -> Result<SecretKey, Problem> {
    let text = files::read_private(file, KEY_TEXT_MAX)?;
    let mut seed = Zeroizing::new([0; 32]);
    let read = unhex_into(text.trim_ascii(), seed.as_mut_slice());
    read.ok_or_else(|| HomeError::Damaged { path: file.to_owned() })?;
    Ok(SecretKey::from_seed(Suite::One, *seed))
}
