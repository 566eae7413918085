//! What a monitoring system can fetch while watching goes on: figures, and whether all is well.

mod http;

use crate::cli::watch::Metrics as Options;
use crate::clock;
use crate::command::filter::Clients;
use crate::command::watch::findings::Findings;
use crate::command::watch::flow::Flow;
use crate::command::watch::health;
use crate::command::watcher::News;
use crate::config;
use crate::failure::Failure;
use crate::output::console::Console;
use crate::output::metrics::{Board, CONTENT_TYPE, ClientSeries, Doings, Panel, Watchers};
use crate::serve::Answer;
use crate::state::verdict::Verdict;
use http::Pages;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Serves figures for as long as it lives.
#[derive(Debug)]
pub struct Metrics {
    series: Option<(Clients, Arc<ClientSeries>)>,
    instances: Vec<String>,
    doings: Panel<Doings>,
    server: JoinHandle<()>,
}

/// A place that is taken, before there is anything to serve.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    series: Option<Clients>,
    named: Vec<String>,
    board: Board,
}

impl Door {
    /// Takes the port, and says which. `None` where nobody asked for figures.
    pub async fn open(options: &Options, console: &mut Console) -> Result<Option<Self>, Failure> {
        let Some(address) = config::metrics::address(options)? else { return Ok(None) };
        let globs = &options.metrics_client;
        let series = (!globs.is_empty()).then(|| Clients::chosen_by("--metrics-client", globs));
        let series = series.transpose()?;
        let (listener, address) = listen(address).await?;
        console.say(format_args!("metrics on http://{address}/metrics"));
        // What holds nothing that makes it a glob is an id, and there from the start.
        let is_id = |glob: &&String| !glob.contains(['*', '?', '[']);
        let named = globs.iter().filter(is_id).cloned().collect();
        Ok(Some(Self { listener, series, named, board: Board::new(clock::now()) }))
    }

    /// Begins to serve.
    pub fn serve(self, watchers: Vec<(String, Panel)>) -> Metrics {
        let Self { listener, series, named, mut board } = self;
        let instances: Vec<String> = watchers.iter().map(|(name, _)| name.clone()).collect();
        let series = series.map(|clients| (clients, Arc::new(ClientSeries::default())));
        if let Some((_, series)) = &series {
            for instance in &instances {
                for client in &named {
                    series.set(instance, client, None);
                }
            }
            board.add(Arc::clone(series));
        }
        board.add(Watchers(watchers.clone()));
        let doings = Panel::default();
        board.add(doings.clone());
        let server = tokio::spawn(http::serve(listener, Site { board, watchers }));
        Metrics { series, instances, doings, server }
    }
}

impl Metrics {
    /// Takes in what a watcher tells of single clients.
    pub fn note(&self, number: usize, news: &News) {
        let Some((chosen, series)) = &self.series else { return };
        let set = |verdict: &Verdict| {
            if chosen.include(&verdict.client) {
                series.set(&self.instances[number], &verdict.client, verdict.status.online());
            }
        };
        match news {
            News::Known(verdicts) => verdicts.iter().for_each(set),
            News::Changes(changes) => changes.iter().for_each(|change| set(&change.verdict)),
            _ => {}
        }
    }

    /// Shows what was found and done so far.
    pub fn show(&self, findings: &Findings, flow: &Flow) {
        let findings = findings.counts.iter().map(|(code, count)| (code.code(), *count)).collect();
        let (commands, posts) = flow.done_so_far();
        self.doings.show(&Doings { findings, commands, posts });
    }
}

impl Drop for Metrics {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Failure> {
    let fail = |error: std::io::Error| {
        Failure::new(format!("could not serve metrics on {address}"))
            .because(error)
            .next("name another port with `--metrics`; port 0 is a free one")
    };
    let listener = TcpListener::bind(address).await.map_err(fail)?;
    let bound = listener.local_addr().map_err(fail)?;
    Ok((listener, bound))
}

/// The two pages.
#[derive(Debug)]
struct Site {
    board: Board,
    watchers: Vec<(String, Panel)>,
}

impl Pages for Site {
    fn page(&self, path: &str) -> Option<Answer> {
        match path {
            "/metrics" => Some(match self.board.page() {
                Ok(body) => Answer { content_type: CONTENT_TYPE, body, ..Answer::plain(200, "") },
                Err(_) => Answer::plain(500, "the figures could not be written"),
            }),
            "/healthz" => Some(match health::ailments(&self.watchers, clock::uptime()) {
                ailments if ailments.is_empty() => Answer::plain(200, "ok"),
                ailments => Answer::plain(503, &ailments.join("\n")),
            }),
            _ => None,
        }
    }
}
