//! What is done with changes beside showing them: commands and a webhook, begun and ended together.

use super::exec::Exec;
use super::webhook::Webhook;
use crate::cli::watch::{Acting, On};
use crate::command::stop;
use crate::failure::Failure;
use crate::output::acted::{Commands, Posts};
use crate::output::warning::Warning;
use crate::state::presence::Change;

/// What is done with changes, each with what it is done for.
#[derive(Debug)]
pub struct Acts {
    exec: Option<(Exec, Vec<On>)>,
    webhook: Option<(Webhook, Vec<On>)>,
}

/// What became of all that was to be done.
#[derive(Debug)]
pub struct Done {
    pub commands: Option<Commands>,
    pub posts: Option<Posts>,
    pub warnings: Vec<Warning>,
}

impl Acts {
    /// Makes ready what was asked for, and returns what is to be said about it.
    pub fn new(options: &Acting) -> Result<(Self, Vec<Warning>), Failure> {
        let exec = Exec::new(options)?;
        let (webhook, warnings) = Webhook::new(options)?.unzip();
        let acts = Self {
            exec: exec.map(|exec| (exec, options.exec_on.clone())),
            webhook: webhook.map(|webhook| (webhook, options.webhook_on.clone())),
        };
        Ok((acts, warnings.unwrap_or_default()))
    }

    /// Acts upon a change that is all of these.
    pub fn act(&self, number: usize, instance: &str, change: &Change, on: &[On]) {
        if let Some((exec, wanted)) = &self.exec {
            let on: Vec<On> = on.iter().copied().filter(|on| wanted.contains(on)).collect();
            if !on.is_empty() {
                exec.push(number, instance, change, &on);
            }
        }
        if let Some((webhook, wanted)) = &self.webhook
            && on.iter().any(|on| wanted.contains(on))
        {
            webhook.push(instance, change);
        }
    }

    /// Returns what became of commands and posts so far, where there are any.
    pub fn so_far(&self) -> (Option<Commands>, Option<Posts>) {
        let commands = self.exec.as_ref().map(|(exec, _)| exec.so_far());
        (commands, self.webhook.as_ref().map(|(webhook, _)| webhook.so_far()))
    }

    /// Returns what waits, if anything does.
    pub fn status(&self) -> Option<String> {
        let exec = self.exec.as_ref().and_then(|(exec, _)| exec.status());
        let webhook = self.webhook.as_ref().and_then(|(webhook, _)| webhook.status());
        let both: Vec<String> = exec.into_iter().chain(webhook).collect();
        (!both.is_empty()).then(|| both.join(" · "))
    }

    /// Returns what there is to warn of, now and then.
    pub fn warnings(&mut self) -> Vec<Warning> {
        let exec = self.exec.iter_mut().flat_map(|(exec, _)| exec.warnings());
        exec.chain(self.webhook.iter_mut().flat_map(|(webhook, _)| webhook.warnings())).collect()
    }

    /// Waits a bounded time for what is still being done, or until somebody asks for the end again.
    pub async fn close(self) -> Done {
        let commands_stop = self.exec.as_ref().map(|(exec, _)| exec.begin_close());
        let posts_stop = self.webhook.as_ref().map(|(webhook, _)| webhook.begin_close());
        let impatience = tokio::spawn(async move {
            stop::asked().await;
            if let Some(stop) = commands_stop {
                stop.send_replace(true);
            }
            if let Some(stop) = posts_stop {
                stop.hurry();
            }
        });
        let posting =
            self.webhook.map(|(webhook, _)| tokio::task::spawn_blocking(move || webhook.close()));
        let mut done = Done { commands: None, posts: None, warnings: Vec::new() };
        if let Some((exec, _)) = self.exec {
            let (commands, warnings) = exec.close().await;
            done.commands = Some(commands);
            done.warnings.extend(warnings);
        }
        if let Some(posting) = posting {
            let (posts, warnings) = posting.await.expect("it has no cause to panic");
            done.posts = Some(posts);
            done.warnings.extend(warnings);
        }
        impatience.abort();
        done
    }
}
