//! The evidence of a verification: a watcher that listens in a thread of its own, so that nothing the
//! devices do can hold it up.

use super::lag::{Lag, watch_lag};
use crate::command::watcher::{End, News, Setup, Source, Testimony, Watcher};
use crate::config::connection::Connection;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::warning::Warning;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// A watcher at work.
pub struct Evidence {
    heard: mpsc::Receiver<(usize, News)>,
    stop: watch::Sender<bool>,
    thread: JoinHandle<Result<End, Failure>>,
    /// How late the thread of the watcher gets its turn.
    pub lag: Arc<Lag>,
    /// What the broker says it is, if it has said so already.
    pub broker: Option<String>,
}

impl Evidence {
    /// Subscribes; returns when the broker has answered, so that nothing done from then on is missed.
    ///
    /// Errors: those of watching, among them that every filter was refused (exit 4).
    pub async fn begin(
        connection: Connection,
        setup: Setup,
        console: &mut Console,
    ) -> Result<Self, Failure> {
        let (news, heard) = mpsc::channel(NEWS_MAX);
        let (stop, stopped) = watch::channel(false);
        let lag = Arc::new(Lag::default());
        let meter = Arc::clone(&lag);
        let thread = std::thread::Builder::new()
            .name("evidence".into())
            .spawn(move || {
                crate::command::runtime()?.block_on(async {
                    let (watcher, _) = setup.watcher(0, Source::Broker(&connection), &news).await?;
                    drop(news);
                    let meter = tokio::spawn(watch_lag(meter));
                    let ended = Watcher::run(watcher, stopped).await;
                    meter.abort();
                    ended
                })
            })
            .map_err(|error| Failure::new("could not start").because(error))?;
        let mut evidence = Self { heard, stop, thread, lag, broker: None };
        loop {
            match evidence.next().await {
                Some(News::Known(_)) => return Ok(evidence),
                Some(News::Warning(warning)) if !is_expected(&warning) => console.warn(&warning),
                Some(News::Debug(text)) => console.debug(text),
                Some(News::Testimony(Testimony::Broker(text))) => evidence.broker = Some(text),
                Some(_) => {}
                None => {
                    evidence.end().await?;
                    return Err(Failure::new("the watcher ended before it began"));
                }
            }
        }
    }

    /// Returns what was heard next; `None` if nothing more will be.
    pub async fn next(&mut self) -> Option<News> {
        self.heard.recv().await.map(|(_, news)| news)
    }

    /// Ends the watcher; nothing stays at the broker.
    ///
    /// Errors: why it had to give up.
    pub async fn end(mut self) -> Result<End, Failure> {
        self.stop.send_replace(true);
        // It has something to tell to the very end, and must not wait for a listener.
        while self.heard.recv().await.is_some() {}
        match self.thread.join() {
            Ok(ended) => ended,
            Err(_) => Err(Failure::new("the watcher failed")),
        }
    }
}

/// That nobody is known yet is as it should be.
const fn is_expected(warning: &Warning) -> bool {
    matches!(warning, Warning::NobodyKnown { .. })
}

/// What may wait until the devices leave time for it.
const NEWS_MAX: usize = 1_024;
