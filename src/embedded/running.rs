//! A broker at work: until it is asked to stop, or on a thread of its own.

use super::core::totals::Totals;
use super::core::{Core, Settings};
use super::shared::{Shared, keep_time};
use super::{Broker, Options, connection};
use crate::failure::Failure;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{JoinSet, LocalSet, spawn_local, yield_now};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

impl Broker {
    /// Serves until `stop` is over, says goodbye to everybody, and returns what was done. Every second
    /// in which something was dropped `dropped` is handed the counts. Runs within tokio.
    pub async fn run(
        self,
        stop: impl Future<Output = ()>,
        dropped: &mut dyn FnMut(&Totals),
    ) -> Result<Totals, Failure> {
        LocalSet::new().run_until(self.serve(stop, dropped)).await
    }

    /// Serves on a thread of its own, for as long as what is returned lives.
    pub fn start(self) -> Result<Running, Failure> {
        let fail = |error: io::Error| Failure::new("could not start the broker").because(error);
        let addresses = self.addresses.clone();
        let (stop, stopped) = oneshot::channel();
        let runtime = Builder::new_current_thread().enable_all().build().map_err(fail)?;
        let serve = move || {
            let stopped = async {
                // Also when the other end was dropped.
                let _ = stopped.await;
            };
            runtime.block_on(self.run(stopped, &mut |_| {}))
        };
        let thread =
            std::thread::Builder::new().name("broker".to_owned()).spawn(serve).map_err(fail)?;
        Ok(Running { addresses, stop: Some(stop), thread: Some(thread) })
    }

    async fn serve(
        self,
        stop: impl Future<Output = ()>,
        dropped: &mut dyn FnMut(&Totals),
    ) -> Result<Totals, Failure> {
        let Options { logins, notice_topic, limits, faults, copies, .. } = self.options;
        let seed = getrandom::u64().map_err(|error| {
            Failure::new("could not give connections names of their own").because(error)
        })?;
        let are_copied = copies.is_some();
        let settings = Settings { limits, logins, notice_topic, faults, seed, are_copied };
        let shared = Shared::new(copies, |now| Core::new(settings, now));
        let mut doors = JoinSet::new();
        for listener in self.listeners {
            let listener = TcpListener::from_std(listener)
                .map_err(|error| Failure::new("could not listen").because(error))?;
            doors.spawn_local(accept(listener, Rc::clone(&shared)));
        }
        let mut time = JoinSet::new();
        time.spawn_local(keep_time(Rc::clone(&shared)));
        tokio::select! {
            () = stop => {}
            () = watch_drops(&shared, dropped) => {}
        }
        drop(doors);
        shared.with(Core::shut_down);
        let left = async {
            while shared.look(Core::has_links) {
                sleep(LOOK_AGAIN).await;
            }
        };
        // Whoever has not left by then is left.
        let _ = timeout(GOODBYE_MAX, left).await;
        Ok(shared.look(|core| core.totals().clone()))
    }
}

/// A broker on a thread of its own. It stops when this is dropped.
#[derive(Debug)]
pub struct Running {
    addresses: Vec<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<Result<Totals, Failure>>>,
}

impl Running {
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops it, and returns what it has done.
    pub fn stop(mut self) -> Result<Totals, Failure> {
        self.end().unwrap_or_else(|| Ok(Totals::default()))
    }

    fn end(&mut self) -> Option<Result<Totals, Failure>> {
        drop(self.stop.take());
        let ended = self.thread.take()?.join();
        Some(ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // What went wrong there was told by whoever panicked.
            let _ = thread.join();
        }
    }
}

/// Lets connections in, for ever.
async fn accept(listener: TcpListener, shared: Rc<Shared>) {
    loop {
        match listener.accept().await {
            Ok((stream, address)) => {
                // Without it an answer that follows another waits for the client's TCP.
                let _ = stream.set_nodelay(true);
                let link = shared.with(|core, now| core.opened(now, address));
                spawn_local(connection::serve(stream, link, Rc::clone(&shared)));
                // What came with the connection is read before the next: in a rush nobody is taken
                // for somebody who says nothing.
                yield_now().await;
            }
            // The other end was gone before it was let in.
            Err(error) if is_theirs(&error) => {}
            Err(_) => {
                shared.with(|core, _| core.could_not_accept());
                sleep(NO_FILES_PAUSE).await;
            }
        }
    }
}

fn is_theirs(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

/// Tells what is dropped, for ever.
async fn watch_drops(shared: &Rc<Shared>, dropped: &mut dyn FnMut(&Totals)) {
    let mut known = shared.look(|core| core.totals().dropped);
    let mut ticks = interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let totals = shared.look(|core| {
            let totals = core.totals();
            (totals.dropped != known).then(|| totals.clone())
        });
        if let Some(totals) = totals {
            known = totals.dropped;
            dropped(&totals);
        }
    }
}

/// Between two attempts to accept when there are no files left.
const NO_FILES_PAUSE: Duration = Duration::from_millis(100);
const GOODBYE_MAX: Duration = Duration::from_secs(2);
const LOOK_AGAIN: Duration = Duration::from_millis(10);
